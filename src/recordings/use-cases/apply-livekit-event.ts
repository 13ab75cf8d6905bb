import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { parseRoomId, type RecordingId, type RoomId } from '../../kernel/ids.js';
import type { EgressSeen, LiveKitEvent } from '../../livekit/livekit.types.js';
import { RoomSignals } from '../../livekit/room-signal.js';
import { isFinal } from '../domain/recording.js';
import { watchedEgresses } from '../domain/slot.js';
import { RecorderLog } from '../recorders/recorder-log.port.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { EndEgress } from './end-egress.js';
import { OwnEgresses } from './own-egresses.js';
import { ReconcileRecording } from './reconcile-recording.js';

/** What LiveKit reported, whatever the order and however often: a hint what to look at, or a fact about one egress. */
@Injectable()
export class ApplyLiveKitEvent {
  private readonly log = new Logger('LiveKit');

  constructor(
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly own: OwnEgresses,
    private readonly signals: RoomSignals,
    private readonly endEgress: EndEgress,
    private readonly reconcile: ReconcileRecording,
    private readonly recorders: RecorderLog,
    private readonly clock: Clock,
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
        await this.recorders.setPresence(event.identity, 'left');
        return this.lookAtHolder(event.roomName);
      case 'participant-joined':
        if (event.participantKind === 'egress') await this.recorders.setPresence(event.identity, 'seen');
        if (event.participantKind === 'standard') await this.greet(event.roomName, event.identity);
        return null;
      case 'room-started':
      case 'other':
        return null;
    }
  }

  /** An egress of ours is known by the object it writes; another product's is left alone. */
  async seeEgress(egress: EgressSeen, cause = 'livekit'): Promise<void> {
    const recordingId = this.own.recordingOf(egress);
    if (recordingId === null) return;
    const told = await this.writer.tell(
      recordingId,
      { kind: 'egress-seen', egress, at: this.clock.now() },
      cause,
    );
    if (told !== null || isFinal(egress.status)) return;
    // Nobody owns it: its recording was deleted, or lost before its record reached the bucket.
    this.log.warn({
      message: 'an egress of ours without a recording is stopped',
      egressId: egress.egressId,
      recordingId,
      roomId: egress.roomName,
    });
    await this.endEgress.stop({ recordingId, roomName: egress.roomName, egressId: egress.egressId });
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
