import { Injectable, Logger } from '@nestjs/common';
import { Incidents } from '../../incidents/incidents.port.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { isTallyError } from '../../kernel/errors.js';
import { parseRoomId, type RoomId } from '../../kernel/ids.js';
import { emitTelemetry } from '../../kernel/telemetry.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import { RoomStore } from '../../rooms/store/room.store.js';
import { type AutoRecordVerdict, autoRecordVerdict } from '../domain/auto-record.js';
import { isFinal, isOver, RECORDING_STATUSES, type StoredRecording } from '../domain/recording.js';
import { THRESHOLDS } from '../domain/thresholds.js';
import { UnrecordedRooms } from '../recorders/unrecorded-rooms.js';
import { RecordingStore } from '../store/recording.store.js';
import { OwnEgresses } from './own-egresses.js';
import { StartRecording } from './start-recording.js';

/** Recordings of one room that can tell how its session was recorded so far. */
const LATEST = 10;
const BY_ITSELF: Actor = {
  name: 'auto-record',
  callerId: 'system:auto-record',
  role: 'ADMIN',
  rooms: null,
  mayDelete: false,
};

/** Rooms that are recorded by themselves: whether one has to be started now, and for how long it should have been. */
@Injectable()
export class AutoRecord {
  private readonly log = new Logger('AutoRecord');

  constructor(
    private readonly rooms: RoomStore,
    private readonly store: RecordingStore,
    private readonly livekit: LiveKit,
    private readonly own: OwnEgresses,
    private readonly start: StartRecording,
    private readonly unrecorded: UnrecordedRooms,
    private readonly incidents: Incidents,
    private readonly clock: Clock,
  ) {}

  /** The room of that name, where its recording is to start by itself. */
  async isAutomatic(roomName: string): Promise<RoomId | null> {
    const id = parseRoomId(roomName);
    if (id === null) return null;
    const settings = (await this.rooms.get(id))?.recordingSettings;
    return settings?.enabled && settings.autoRecordFrom !== null ? id : null;
  }

  /** How long until the room has to be looked at again, in ms; null: somebody says when it changes. Throws LIVEKIT_UNAVAILABLE. */
  async execute(roomId: RoomId): Promise<number | null> {
    const settings = (await this.rooms.get(roomId))?.recordingSettings;
    const from = settings?.enabled ? settings.autoRecordFrom : null;
    const verdict = from == null ? null : await this.judge(roomId, from);
    if (verdict === null || verdict.do === 'nothing' || verdict.do === 'recorded') {
      await this.count(roomId, false);
      return null;
    }
    await this.count(roomId, true);
    const now = this.clock.now();
    if (verdict.do === 'wait') return Math.min(verdict.until - now, THRESHOLDS.autoRecordAgainMs);
    await this.begin(roomId);
    return THRESHOLDS.autoRecordAgainMs;
  }

  private async judge(roomId: RoomId, from: number): Promise<AutoRecordVerdict | null> {
    const live = await this.livekit.findRoom(roomId);
    if (live === null) return null;
    const recordings = await this.latest(roomId);
    const [last] = recordings;
    const isRecorded = last !== undefined && !isOver(last);
    // Counts are some seconds old; who is there is asked, where it matters.
    const publishers = isRecorded ? 0 : await this.publishers(roomId);
    const recordedByOthers = !isRecorded && publishers >= from && (await this.isRecordedByOthers(roomId));
    const verdict = autoRecordVerdict({
      ...{ from, sid: live.sid, publishers, recordings, recordedByOthers },
      now: this.clock.now(),
    });
    if (verdict.do === 'nothing' && verdict.why === 'recorded-by-others')
      this.log.warn({
        event: 'room_recorded_by_others',
        message:
          'a room is not recorded by itself, because another egress records it already: turn off its automatic egress in LiveKit, or autoRecordFrom here',
        roomId,
      });
    return verdict;
  }

  private async publishers(roomId: RoomId): Promise<number> {
    const participants = await this.livekit.listParticipants(roomId);
    return participants.filter((one) => one.publishes && one.kind !== 'egress' && one.kind !== 'agent')
      .length;
  }

  private async isRecordedByOthers(roomId: RoomId): Promise<boolean> {
    const egresses = await this.livekit.listEgresses({ roomName: roomId, active: true });
    return egresses.some(
      (one) =>
        !isFinal(one.status) && this.own.ownerOf(one).owner === 'other-product' && one.filepath !== null,
    );
  }

  private async latest(roomId: RoomId): Promise<StoredRecording[]> {
    const page = await this.store.page({
      ...{
        rooms: [roomId],
        statuses: RECORDING_STATUSES,
        requestedAfter: null,
        requestedBefore: null,
        labels: {},
      },
      ...{ field: 'REQUESTED_AT', direction: 'DESC', first: LATEST, after: null },
    });
    return page.items.map(({ recording }) => recording);
  }

  private async begin(roomId: RoomId): Promise<void> {
    const request = { roomId, labels: {}, idempotencyKey: null, waitForActive: false };
    try {
      await this.start.execute(request, BY_ITSELF);
    } catch (error) {
      if (!isTallyError(error)) throw error;
      const { code, message } = error;
      this.log.warn({
        event: 'auto_record_failed',
        message: `a room could not be recorded by itself: ${message}`,
        roomId,
        code,
      });
    }
  }

  /** Every second in which it should record and does not is counted; after a while a person has to know. */
  private async count(roomId: RoomId, missing: boolean): Promise<void> {
    const now = this.clock.now();
    const noted = await this.unrecorded.get(roomId);
    if (!missing && noted === null) return;
    const { since, countedTo } = noted ?? { since: now, countedTo: now };
    if (now > countedTo) emitTelemetry('room-unrecorded', { seconds: (now - countedTo) / 1_000 });
    if (!missing) {
      await this.unrecorded.forget(roomId);
      return this.incidents.close('room_not_recorded', roomId);
    }
    await this.unrecorded.set(roomId, { since, countedTo: now });
    if (now - since < THRESHOLDS.unrecordedIncidentMs) return;
    await this.incidents.open(
      'room_not_recorded',
      roomId,
      `room ${roomId} should be recorded since ${new Date(since).toISOString()} and is not; look at its latest recordings, and whether an egress worker has a free place`,
    );
  }
}
