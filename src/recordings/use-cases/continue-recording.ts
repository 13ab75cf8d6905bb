import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { newRecordingId, type RecordingId } from '../../kernel/ids.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import { RoomStore } from '../../rooms/store/room.store.js';
import { firstEffects, newRecording } from '../domain/new-recording.js';
import type { StoredRecording } from '../domain/recording.js';
import { FleetProbe } from '../recorders/fleet-probe.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { LaunchEgress } from './launch-egress.js';

const CAUSE = 'recorder-lost';
const CALLER = 'system:continue';
/** So many in a row may be lost without one of them having been ACTIVE for so long. */
const MOST_IN_A_ROW = 3;
const GOOD_WHILE_MS = 5 * 60_000;
const ASK_AGAIN_MS = 3_000;
/** A meeting that nobody has published in for so long has not been waiting for its recording. */
const GIVE_UP_MS = 10 * 60_000;

/** A recorder was lost while the meeting goes on: a new recording goes on from it, as soon as there is a worker for it. */
@Injectable()
export class ContinueRecording {
  private readonly log = new Logger('Recorders');

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

  /** How long until it has to be tried again, in ms; null: continued, or never to be. */
  async execute(id: RecordingId): Promise<number | null> {
    const lost = await this.store.get(id);
    if (lost === null || !mayContinue(lost)) return null;
    const room = await this.rooms.get(lost.roomId);
    if (room === null || !room.recordingSettings.enabled || !room.recordingSettings.restartWhenLost)
      return null;
    if (await this.failsAgainAndAgain(lost)) {
      this.log.error({
        message: 'recorders are lost again and again: the room is not recorded any further',
        recordingId: id,
        roomId: lost.roomId,
      });
      return null;
    }
    const live = await this.livekit.findRoom(lost.roomId);
    if (live === null || live.numPublishers === 0)
      return this.clock.now() - (lost.endedAt ?? 0) < GIVE_UP_MS ? ASK_AGAIN_MS : null;
    if (!(await this.fleet.isThereNow(lost.roomId))) return ASK_AGAIN_MS;
    return this.start(lost);
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
    const recording = { ...newRecording(attempt), continues: lost.id };
    const effects = firstEffects(recording, this.config.recordingStartTimeoutMs);
    // The key keeps a crash between the two commits from starting a second one.
    const key = { caller: CALLER, key: lost.id, input: lost.id };
    const result = await this.writer.create(recording, effects, CAUSE, key, true);
    switch (result.kind) {
      case 'done':
        void this.launch.execute(recording.id);
        await this.link(lost, recording.id);
        return null;
      case 'key-used':
        await this.link(lost, result.use.recordingId);
        return null;
      case 'slot-taken':
        // Its own egress may hold the room for a moment longer; anybody else's recording is as good.
        return result.by === lost.id ? ASK_AGAIN_MS : null;
      case 'moved-on':
        return ASK_AGAIN_MS;
      case 'room-gone':
        return null;
    }
  }

  private async link(lost: StoredRecording, by: RecordingId): Promise<void> {
    await this.writer.tell(lost.id, { kind: 'continued', by, at: this.clock.now() }, CAUSE);
  }

  private async failsAgainAndAgain(lost: StoredRecording): Promise<boolean> {
    let recording: StoredRecording | null = lost;
    for (let inARow = 0; recording !== null; inARow++) {
      const activeMs = recording.startedAt === null ? 0 : (recording.endedAt ?? 0) - recording.startedAt;
      if (activeMs >= GOOD_WHILE_MS) return false;
      if (inARow >= MOST_IN_A_ROW) return true;
      recording = recording.continues === null ? null : await this.store.get(recording.continues);
    }
    return false;
  }
}

function mayContinue({ endReason, continuedBy, upkeep }: StoredRecording): boolean {
  return (
    endReason === 'RECORDER_LOST' &&
    continuedBy === null &&
    upkeep.stopRequestedAt === null &&
    upkeep.deletion === null &&
    !upkeep.deleted
  );
}
