import { posix } from 'node:path';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock, awaitWithin } from '../../kernel/clock.js';
import { newToken, type RecordingId } from '../../kernel/ids.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { RecordingLayoutWord, SegmentsOutput, StartOutcome } from '../../livekit/livekit.types.js';
import { mediaKey, segmentKeys } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';
import type { RecordingLayout } from '../../kernel/recording-options.js';
import type { Fact } from '../domain/facts.js';
import type { StoredRecording } from '../domain/recording.js';
import { THRESHOLDS } from '../domain/thresholds.js';
import { RecordingWriter } from '../write/recording.writer.js';

/** Asked later than this part of its start timeout, an egress could hardly become active in time. */
const SEND_WITHIN = 0.75;
const MARK_AGAIN_MS = [100, 300, 1_000, 3_000] as const;
const STORE_AGAIN_MS = [200, 1_000, 5_000, 15_000, 30_000] as const;
/** How long a process that is told to end waits for LiveKit's answers to the starts it has sent. */
const AWAIT_AT_SHUTDOWN_MS = 5_000;

const LAYOUTS: Record<RecordingLayout, RecordingLayoutWord> = {
  GRID: 'grid',
  SPEAKER: 'speaker',
  SINGLE_SPEAKER: 'single-speaker',
};

/**
 * Sends the one start request of an attempt. Whoever calls, and however many at once: the row names one of them first, who
 * sends it and stores what came of it; after that nobody sends again, and LiveKit's list decides what no answer told.
 */
@Injectable()
export class LaunchEgress implements BeforeApplicationShutdown {
  private readonly log = new Logger('Recordings');
  private readonly inFlight = new Set<Promise<void>>();

  constructor(
    private readonly livekit: LiveKit,
    private readonly storage: ObjectStorage,
    private readonly writer: RecordingWriter,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /**
   * Answers when the outcome is stored, or when the request is another's; never throws, since nobody waits for it. `read`: the
   * recording as the caller read or stored it moments ago.
   */
  execute(id: RecordingId, read: StoredRecording | null = null): Promise<void> {
    const run = this.run(id, read).finally(() => this.inFlight.delete(run));
    this.inFlight.add(run);
    return run;
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.inFlight.size === 0) return;
    await awaitWithin(this.clock, AWAIT_AT_SHUTDOWN_MS, Promise.allSettled(this.inFlight), () => undefined);
  }

  private async run(id: RecordingId, read: StoredRecording | null): Promise<void> {
    const mine = await this.claim(id, read);
    if (mine === null) return;
    await this.store(mine, toFact(await this.ask(mine), this.clock.now()));
  }

  /** The recording, where the row names this call as the one that asks LiveKit; null: it is not for us to ask. */
  private async claim(id: RecordingId, read: StoredRecording | null): Promise<StoredRecording | null> {
    const by = newToken();
    const limitMs = this.config.livekitStartTimeoutMs;
    const windowMs = this.config.recordingStartTimeoutMs * SEND_WITHIN;
    for (const pauseMs of [0, ...MARK_AGAIN_MS]) {
      await this.clock.sleep(pauseMs);
      try {
        const at = this.clock.now();
        const applied = await this.writer.apply(
          id,
          { kind: 'start-sending', by, limitMs, windowMs, at },
          'start',
          undefined,
          pauseMs === 0 ? read : null,
        );
        return applied?.recording.upkeep.startSentBy === by ? applied.recording : null;
      } catch (error) {
        this.warn('start_not_claimed', 'a start could not be claimed, LiveKit was not asked', id, error);
      }
    }
    return null;
  }

  private async ask(recording: StoredRecording): Promise<StartOutcome> {
    // A request that outlived the time for which its room is held could begin beside the next one's egress.
    const withinMs =
      (recording.upkeep.startSentAt ?? 0) + this.config.livekitStartTimeoutMs - this.clock.now();
    if (withinMs <= 0) {
      return {
        kind: 'refused',
        status: 0,
        why: 'this server was held up, and LiveKit was not asked; start it again',
      };
    }
    const { roomId, audioOnly, layout, preset } = recording;
    const output = this.storage.egressOutput(mediaKey(recording));
    const segments = recording.crashProof ? this.segmentsOf(recording) : null;
    const options = { layout: LAYOUTS[layout], preset, audioOnly, output, segments };
    return this.livekit.startEgress({ roomName: roomId, ...options, withinMs });
  }

  private segmentsOf(recording: StoredRecording): SegmentsOutput {
    const { prefix, playlist, livePlaylist } = segmentKeys(recording);
    return {
      output: this.storage.egressOutput(prefix),
      playlistName: posix.basename(playlist),
      livePlaylistName: posix.basename(livePlaylist),
      seconds: THRESHOLDS.segmentMs / 1_000,
    };
  }

  private async store(mine: StoredRecording, fact: Fact): Promise<void> {
    const { id } = mine;
    for (const pauseMs of [0, ...STORE_AGAIN_MS]) {
      await this.clock.sleep(pauseMs);
      try {
        const read = pauseMs === 0 ? mine : null;
        // Where Redis has forgotten the attempt, its egress is found like any without a row: taken back from its record, or ended.
        await this.writer.apply(id, { ...fact, at: this.clock.now() }, 'livekit', undefined, read);
        return;
      } catch (error) {
        this.warn(
          'start_outcome_not_stored',
          `the outcome of a start (${fact.kind}) was not stored`,
          id,
          error,
        );
      }
    }
  }

  private warn(event: string, message: string, recordingId: RecordingId, error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error);
    this.log.warn({ event, message, recordingId, cause });
  }
}

function toFact(outcome: StartOutcome, at: number): Fact {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'start-accepted', egress: outcome.egress, at };
    case 'refused':
      return { kind: 'start-refused', why: outcome.why, credentials: outcome.status === 401, at };
    case 'unknown':
      return { kind: 'start-unknown', answered: outcome.answered, why: outcome.why, at };
  }
}
