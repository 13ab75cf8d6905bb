import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { parseRoomId, type RecordingId, type RoomId } from '../../kernel/ids.js';
import type { LiveKitEvent } from '../../livekit/livekit.types.js';
import { RoomSignals } from '../../livekit/room-signal.js';
import { isFinal, isOver } from '../domain/recording.js';
import { watchedEgresses } from '../domain/slot.js';
import { RecorderLog } from '../recorders/recorder-log.port.js';
import { RecordingStore } from '../store/recording.store.js';
import { OwnEgresses } from './own-egresses.js';
import { ReconcileEgress } from './reconcile-egress.js';

/** What LiveKit reported, whatever the order and however often: a hint what to look at, or a fact about one egress. */
@Injectable()
export class ApplyLiveKitEvent {
  constructor(
    private readonly store: RecordingStore,
    private readonly own: OwnEgresses,
    private readonly signals: RoomSignals,
    private readonly egresses: ReconcileEgress,
    private readonly recorders: RecorderLog,
    private readonly clock: Clock,
  ) {}

  /** The recording that has to be judged at once, if any. */
  async execute(event: LiveKitEvent): Promise<RecordingId | null> {
    switch (event.kind) {
      case 'egress':
        await this.egresses.execute(event.egress);
        return null;
      case 'room-finished':
        return this.nudge(event.roomName);
      case 'participant-left':
        if (event.participantKind !== 'egress') return null;
        await this.notePresence(event.roomName, event.identity, 'left', event.createdAtMs);
        return this.nudge(event.roomName);
      case 'participant-joined':
        if (event.participantKind === 'egress')
          await this.notePresence(event.roomName, event.identity, 'seen', event.createdAtMs);
        if (event.participantKind === 'standard') await this.greet(event.roomName, event.identity);
        return null;
      case 'room-started':
      case 'other':
        return null;
    }
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
  private async notePresence(
    roomName: string,
    egressId: string,
    presence: 'seen' | 'left',
    at: number,
  ): Promise<void> {
    const recording = await this.inProgress(roomName);
    if (recording?.upkeep.egresses[egressId] === 'live')
      await this.recorders.setPresence(egressId, presence, at);
  }

  /** Something happened in its room that is worth a look, and a question to its worker. */
  private async nudge(roomName: string): Promise<RecordingId | null> {
    const recording = await this.inProgress(roomName);
    if (recording === null) return null;
    for (const egressId of watchedEgresses(recording)) await this.recorders.nudge(egressId, this.clock.now());
    return recording.id;
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
    return recording === null || isOver(recording) ? null : recording;
  }
}
