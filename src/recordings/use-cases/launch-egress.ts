import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { RecordingLayoutWord, StartOutcome } from '../../livekit/livekit.types.js';
import { mediaKey } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';
import type { RecordingLayout } from '../../kernel/recording-options.js';
import type { Fact } from '../domain/facts.js';
import type { StoredRecording } from '../domain/recording.js';
import { RecordingWriter } from '../write/recording.writer.js';

/** A start that was held up for longer is not what its caller meant any more. */
const FRESH_MS = 5_000;
const TELL_AGAIN_MS = [200, 1_000, 5_000, 15_000, 30_000] as const;

const LAYOUTS: Record<RecordingLayout, RecordingLayoutWord> = {
  GRID: 'grid',
  SPEAKER: 'speaker',
  SINGLE_SPEAKER: 'single-speaker',
};

/** Asks LiveKit once, and tells what came of it. Never a retried job: a lost answer and a second request are two egresses. */
@Injectable()
export class LaunchEgress {
  private readonly log = new Logger('Recordings');

  constructor(
    private readonly livekit: LiveKit,
    private readonly storage: ObjectStorage,
    private readonly writer: RecordingWriter,
    private readonly clock: Clock,
  ) {}

  /** Answers when the outcome is stored; never throws, since nobody waits for it. */
  async execute(recording: StoredRecording): Promise<void> {
    const fact = toFact(await this.ask(recording), this.clock.now());
    for (const pauseMs of [0, ...TELL_AGAIN_MS]) {
      await this.clock.sleep(pauseMs);
      try {
        const told = await this.writer.tell(recording.id, { ...fact, at: this.clock.now() }, 'livekit');
        // Redis was lost and rebuilt meanwhile, without this attempt: nobody owns the egress, and its room is free.
        if (told === null && fact.kind === 'start-accepted')
          await this.livekit.stopEgress(fact.egress.egressId);
        return;
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        this.log.error({
          message: 'the outcome of a start could not be stored',
          recordingId: recording.id,
          outcome: fact.kind,
          cause,
        });
      }
    }
  }

  private async ask(recording: StoredRecording): Promise<StartOutcome> {
    const now = this.clock.now();
    // A request that outlived the time for which its room is held could begin beside the next one's egress.
    const withinMs = recording.upkeep.startPendingUntil - now;
    if (now - recording.requestedAt > FRESH_MS || withinMs <= 0) {
      return {
        kind: 'refused',
        status: 0,
        why: 'this server was held up, and LiveKit was not asked; start it again',
      };
    }
    const { roomId, audioOnly, layout, preset } = recording;
    const output = this.storage.egressOutput(mediaKey(recording));
    const options = { layout: LAYOUTS[layout], preset, audioOnly, output };
    return this.livekit.startEgress({ roomName: roomId, ...options, withinMs });
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
