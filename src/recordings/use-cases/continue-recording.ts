import { Injectable, Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { newRecordingId, type RecordingId } from '../../kernel/ids.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import { RoomStore } from '../../rooms/store/room.store.js';
import { firstEffects, newRecording } from '../domain/new-recording.js';
import {
  awaitsContinuation,
  continuationPauseMs,
  GOOD_WHILE_MS,
  isSameSession,
  MOST_IN_A_ROW,
} from '../domain/continuation.js';
import type { StoredRecording } from '../domain/recording.js';
import { FleetProbe } from '../recorders/fleet-probe.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { LaunchEgress } from './launch-egress.js';

const CAUSE = 'recorder-lost';
const CALLER = 'system:continue';
const ASK_AGAIN_MS = 3_000;
/** A meeting that nobody has published in for so long has not been waiting for its recording. */
const GIVE_UP_MS = 10 * 60_000;
/** More than these come back later, so that those who wait for a worker hold nobody up. */
const MOST_WAITING = 8;

/**
 * A recording ended although nobody ordered it and the meeting goes on: a new one goes on from it, in the same session of the
 * room, as soon as there is a worker for it.
 */
@Injectable()
export class ContinueRecording {
  private readonly log = new Logger('Recorders');
  private readonly oneByOne = pLimit(1);

  constructor(
    private readonly store: RecordingStore,
    private readonly rooms: RoomStore,
    private readonly writer: RecordingWriter,
    private readonly livekit: LiveKit,
    private readonly fleet: FleetProbe,
    private readonly launch: LaunchEgress,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** How long until it has to be tried again, in ms; null: continued, or given up. */
  async execute(id: RecordingId): Promise<number | null> {
    const lost = await this.store.get(id);
    if (lost === null || !awaitsContinuation(lost)) return null;
    const room = await this.rooms.get(lost.roomId);
    if (room === null || !room.recordingSettings.enabled || !room.recordingSettings.restartWhenLost)
      return this.giveUp(lost, 'its room is not to be recorded further');
    const inARow = await this.endedInARow(lost);
    if (inARow >= MOST_IN_A_ROW)
      return this.giveUp(lost, `${inARow} recordings in a row ended by themselves`);
    const now = this.clock.now();
    const pauseMs = (lost.endedAt ?? now) + continuationPauseMs(inARow) - now;
    if (pauseMs > 0) return Math.min(pauseMs, GIVE_UP_MS);
    const live = await this.livekit.findRoom(lost.roomId);
    if (live !== null && !isSameSession(lost, live))
      return this.giveUp(lost, 'the meeting is over; another one is in its room');
    if (live === null || live.numPublishers === 0) {
      if (now - (lost.endedAt ?? 0) < GIVE_UP_MS) return ASK_AGAIN_MS;
      return this.giveUp(lost, 'nobody has published in the room for long');
    }
    if (this.oneByOne.pendingCount >= MOST_WAITING) return ASK_AGAIN_MS;
    // One start for one free worker: the next one asks again once this one has its answer.
    return this.oneByOne(async () => {
      if (!(await this.fleet.isThereNow(lost.roomId))) return ASK_AGAIN_MS;
      this.fleet.taken();
      return this.start(lost);
    });
  }

  private async giveUp({ id: recordingId, roomId }: StoredRecording, why: string): Promise<null> {
    const message = `the room is not recorded further: ${why}`;
    this.log.warn({ event: 'continuation_given_up', message, recordingId, roomId });
    await this.writer.apply(recordingId, { kind: 'continuation-given-up', at: this.clock.now() }, CAUSE);
    return null;
  }

  private async start(lost: StoredRecording): Promise<number | null> {
    const now = this.clock.now();
    const { roomId, roomName, layout, preset, audioOnly, labels, upkeep } = lost;
    const attempt = {
      ...{ id: newRecordingId(now), roomId, roomName, layout, preset, audioOnly, labels },
      maxDurationMs: upkeep.maxDurationMs,
      requestedAt: now,
      startLimitMs: this.config.livekitStartTimeoutMs,
    };
    const recording = { ...newRecording(attempt), continues: lost.id, roomSid: lost.roomSid };
    const effects = firstEffects(recording, this.config.recordingStartTimeoutMs);
    // The key keeps a crash between the two commits from starting a second one.
    const key = { caller: CALLER, key: lost.id, input: lost.id };
    const result = await this.writer.create(recording, effects, CAUSE, key, true);
    switch (result.kind) {
      case 'done':
        await this.link(lost, recording.id);
        await this.launch.execute(recording.id);
        return null;
      case 'key-used':
        await this.link(lost, result.use.recordingId);
        return null;
      case 'slot-taken':
        // Its own egress may hold the room for a moment longer; anybody else's recording is as good.
        return result.by === lost.id ? ASK_AGAIN_MS : this.giveUp(lost, `recording ${result.by} holds it`);
      case 'moved-on':
        return ASK_AGAIN_MS;
      case 'room-gone':
        return this.giveUp(lost, 'the room was deleted');
    }
  }

  /** A stop that came in between holds for what goes on as well. */
  private async link(lost: StoredRecording, by: RecordingId): Promise<void> {
    const at = this.clock.now();
    const linked = await this.writer.apply(lost.id, { kind: 'continued', by, at }, CAUSE);
    if (linked?.recording.upkeep.stopRequestedAt == null) return;
    await this.writer.apply(by, { kind: 'start-cancelled', at: this.clock.now() }, CAUSE);
  }

  /** Recordings of one chain that ended without having been active for a good while, this one included. */
  private async endedInARow(lost: StoredRecording): Promise<number> {
    let recording: StoredRecording | null = lost;
    let inARow = 0;
    while (recording !== null && inARow < MOST_IN_A_ROW) {
      const activeMs = recording.startedAt === null ? 0 : (recording.endedAt ?? 0) - recording.startedAt;
      if (activeMs >= GOOD_WHILE_MS) break;
      inARow += 1;
      recording = recording.continues === null ? null : await this.store.get(recording.continues);
    }
    return inARow;
  }
}
