import { Injectable, Logger } from '@nestjs/common';
import { parseRoomId, type RecordingId, type RoomId } from '../../kernel/ids.js';
import type { EgressSeen, LiveKitEvent } from '../../livekit/livekit.types.js';
import { metadataKey } from '../../storage/object-keys.js';
import { RoomSignals } from '../../livekit/room-signal.js';
import { isFinal } from '../domain/recording.js';
import { watchedEgresses } from '../domain/slot.js';
import { RecorderLog } from '../recorders/recorder-log.port.js';
import { RecordingStore } from '../store/recording.store.js';
import { EndEgress } from './end-egress.js';
import { ObserveEgresses } from './observe-egresses.js';
import { OwnEgresses } from './own-egresses.js';
import { ReconcileRecording } from './reconcile-recording.js';
import { RestoreFromRecord } from './restore-from-record.js';

/** What LiveKit reported, whatever the order and however often: a hint what to look at, or a fact about one egress. */
@Injectable()
export class ApplyLiveKitEvent {
  private readonly log = new Logger('LiveKit');

  constructor(
    private readonly store: RecordingStore,
    private readonly observe: ObserveEgresses,
    private readonly fromRecord: RestoreFromRecord,
    private readonly own: OwnEgresses,
    private readonly signals: RoomSignals,
    private readonly endEgress: EndEgress,
    private readonly reconcile: ReconcileRecording,
    private readonly recorders: RecorderLog,
  ) {}

  /** The recording whose recorder has to be asked at once, if any. */
  async execute(event: LiveKitEvent): Promise<RecordingId | null> {
    switch (event.kind) {
      case 'egress':
        await this.seeEgress(event.egress);
        return null;
      case 'room-finished':
        return this.lookAtHolder(event.roomName);
      case 'participant-left':
        if (event.participantKind !== 'egress') return null;
        await this.notePresence(event.roomName, event.identity, 'left');
        return this.lookAtHolder(event.roomName);
      case 'participant-joined':
        if (event.participantKind === 'egress')
          await this.notePresence(event.roomName, event.identity, 'seen');
        if (event.participantKind === 'standard') await this.greet(event.roomName, event.identity);
        return null;
      case 'room-started':
      case 'other':
        return null;
    }
  }

  /** An egress of ours is known by its deployment and the object it writes; another's is left alone. */
  async seeEgress(egress: EgressSeen, cause = 'livekit'): Promise<void> {
    const recordingId = this.own.recordingOf(egress);
    if (recordingId === null) return;
    const seen = await this.observe.one(recordingId, egress, cause);
    if (seen !== null || isFinal(egress.status)) return;
    if (await this.store.wasDeleted(recordingId)) return this.stopDeleted(recordingId, egress);
    // Redis has forgotten it, or it is not stored yet: its record decides, and without one the sweep, that looks twice.
    if (await this.restore(recordingId, egress, cause)) await this.observe.one(recordingId, egress, cause);
  }

  /** True: the recording of an egress that no row explains is there again, from its record in the bucket. */
  async restore(recordingId: RecordingId, egress: EgressSeen, cause: string): Promise<boolean> {
    const { roomName, egressId } = egress;
    const roomId = parseRoomId(roomName);
    if (roomId === null) return false;
    await this.fromRecord.execute(metadataKey({ id: recordingId, roomId }), cause);
    if ((await this.store.get(recordingId)) === null) return false;
    // Its room was given to another while it was forgotten: two recordings of one room are one too many.
    if ((await this.store.slotHolder(roomId)) !== recordingId)
      await this.endEgress.stop({ recordingId, roomName, egressId });
    return true;
  }

  private async stopDeleted(recordingId: RecordingId, { egressId, roomName }: EgressSeen): Promise<void> {
    if (await this.recorders.isDead(egressId)) return;
    const message = 'an egress of a deleted recording is stopped';
    this.log.warn({ event: 'egress_orphaned', message, egressId, recordingId, roomId: roomName });
    await this.endEgress.stop({ recordingId, roomName, egressId });
  }

  /** The deleted recording of which an ended egress reports media, when everything of it had been removed; null: none. */
  async lateMediaOf(
    event: LiveKitEvent,
  ): Promise<{ readonly recordingId: RecordingId; readonly roomId: RoomId } | null> {
    if (event.kind !== 'egress' || !isFinal(event.egress.status) || !event.egress.file?.uploaded) return null;
    const recordingId = this.own.recordingOf(event.egress);
    const roomId = parseRoomId(event.egress.roomName);
    if (recordingId === null || roomId === null || !(await this.store.wasDeleted(recordingId))) return null;
    return { recordingId, roomId };
  }

  /** Of our own egresses alone: nobody would ever forget what is noted of another's. */
  private async notePresence(roomName: string, egressId: string, presence: 'seen' | 'left'): Promise<void> {
    const recording = await this.inProgress(roomName);
    if (recording?.upkeep.egresses[egressId] === 'live') await this.recorders.setPresence(egressId, presence);
  }

  private async lookAtHolder(roomName: string): Promise<RecordingId | null> {
    const recording = await this.inProgress(roomName);
    if (recording === null) return null;
    const looked = await this.reconcile.look(recording);
    return looked !== null && watchedEgresses(looked).length > 0 ? looked.id : null;
  }

  private async greet(roomName: string, identity: string): Promise<void> {
    const recording = await this.inProgress(roomName);
    if (recording === null) return;
    const { id: recordingId, roomId, status, version, error } = recording;
    await this.signals.send(roomId, { recordingId, roomId, status, version, error }, [identity]);
  }

  private async inProgress(roomName: string) {
    const room = parseRoomId(roomName);
    const holder = room === null ? null : await this.store.slotHolder(room);
    const recording = holder === null ? null : await this.store.get(holder);
    return recording === null || isFinal(recording.status) ? null : recording;
  }
}
