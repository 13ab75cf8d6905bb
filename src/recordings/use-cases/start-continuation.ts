import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { newRecordingId, type RecordingId } from '../../kernel/ids.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import { awaitsContinuation, isSameSession } from '../domain/continuation.js';
import { firstEffects, newRecording } from '../domain/new-recording.js';
import type { StoredRecording } from '../domain/recording.js';
import { FleetProbe } from '../recorders/fleet-probe.js';
import { workerKindOf } from '../recorders/worker-availability.port.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { LaunchEgress } from './launch-egress.js';

const CAUSE = 'recorder-lost';
const CALLER = 'system:continue';
/** More than these have their turn later, so that those who wait for a worker hold nobody up. */
const MOST_WAITING = 8;

/** Starts the recording that goes on from one that ended although nobody ordered it, one at a time: one start for one free worker. */
@Injectable()
export class StartContinuation {
  private readonly oneByOne = pLimit(1);

  constructor(
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly livekit: LiveKit,
    private readonly fleet: FleetProbe,
    private readonly launch: LaunchEgress,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** Does nothing where no worker has a place, or too many wait for one: it is tried again. Throws LIVEKIT_UNAVAILABLE. */
  async execute(lost: StoredRecording): Promise<void> {
    if (this.oneByOne.pendingCount >= MOST_WAITING) return;
    // The next one asks again once this one has its answer.
    await this.oneByOne(async () => {
      if (!(await this.fleet.isThereNow(lost.roomId, workerKindOf(lost.audioOnly)))) return;
      // It may have been stopped, or gone on, while a worker was waited for.
      const present = await this.store.get(lost.id);
      if (present === null || !awaitsContinuation(present)) return;
      // LiveKit takes up to half a minute to tell of a worker: another meeting may be in the room by then, or none.
      const room = await this.livekit.findRoom(lost.roomId);
      if (room === null || !isSameSession(present, room)) return;
      this.fleet.taken();
      await this.start(present);
    });
  }

  private async start(lost: StoredRecording): Promise<void> {
    const now = this.clock.now();
    const { roomId, roomName, layout, preset, audioOnly, crashProof, labels, upkeep } = lost;
    const attempt = {
      ...{ id: newRecordingId(now), roomId, roomName, layout, preset, audioOnly, crashProof, labels },
      maxDurationMs: upkeep.maxDurationMs,
      requestedAt: now,
      startLimitMs: this.config.livekitStartTimeoutMs,
    };
    const recording = { ...newRecording(attempt), continues: lost.id, roomSid: lost.roomSid };
    const effects = firstEffects(recording);
    // The key keeps a crash between the two commits from starting a second one.
    const key = { caller: CALLER, key: lost.id, input: lost.id };
    const result = await this.writer.create(recording, effects, CAUSE, key, true);
    switch (result.kind) {
      case 'done':
        await this.link(lost, recording.id);
        return this.launch.execute(recording.id, result.recording);
      case 'key-used':
        return this.link(lost, result.use.recordingId);
      case 'slot-taken':
        // Its own egress may hold the room for a moment longer; anybody else's recording is as good.
        if (result.by !== lost.id) await this.giveUp(lost, `recording ${result.by} holds the room`);
        return;
      case 'moved-on':
        return;
      case 'room-gone':
        return this.giveUp(lost, 'the room was deleted');
    }
  }

  private async giveUp({ id }: StoredRecording, why: string): Promise<void> {
    const fact = { kind: 'continuation-given-up', at: this.clock.now() } as const;
    await this.writer.apply(id, fact, CAUSE, `the room is not recorded further: ${why}`);
  }

  /** A stop that came in between holds for what goes on as well. */
  private async link(lost: StoredRecording, by: RecordingId): Promise<void> {
    const at = this.clock.now();
    const linked = await this.writer.apply(lost.id, { kind: 'continued', by, at }, CAUSE);
    if (linked?.recording.upkeep.stopRequestedAt == null) return;
    await this.writer.apply(by, { kind: 'start-cancelled', at: this.clock.now() }, CAUSE);
  }
}
