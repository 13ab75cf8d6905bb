import { Injectable, Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import { decodeTime } from 'ulid';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { parseRoomId, type RecordingId, type RoomId } from '../kernel/ids.js';
import { LiveKit } from '../livekit/livekit.port.js';
import type { EgressSeen } from '../livekit/livekit.types.js';
import { restoredRecording, effectsOfRestore } from '../recordings/domain/restored-recording.js';
import { newRecording } from '../recordings/domain/new-recording.js';
import { isFinal, type StoredRecording } from '../recordings/domain/recording.js';
import { changesBetween } from '../recordings/store/history.js';
import { RecordingRestorer, type Return } from '../recordings/store/recording-restorer.port.js';
import type { HistoryEntry } from '../recordings/store/recording.store.js';
import { OwnEgresses } from '../recordings/use-cases/own-egresses.js';
import type { Room } from '../rooms/domain/room.js';
import { parseArchivedRoom } from '../rooms/store/room-archive.js';
import { artifactsOf, isAudioOnly, parseMediaKey, roomKey } from '../storage/object-keys.js';
import { ObjectStorage } from '../storage/object-storage.port.js';

const CAUSE = 'rebuild';
/** A dead worker's silence takes seconds. */
const ASKED_AT_ONCE = 16;

interface Lost {
  readonly egress: EgressSeen;
  readonly recordingId: RecordingId;
  readonly roomId: RoomId;
  readonly media: string;
}

/**
 * Attempts whose first record had not reached the bucket when Redis was lost. LiveKit still lists their egresses, and the object that
 * each writes names room and recording: whose room we know comes back as far as it is known. The others are stopped as ghosts.
 */
@Injectable()
export class LostAttempts {
  private readonly log = new Logger('Rebuild');

  constructor(
    private readonly livekit: LiveKit,
    private readonly own: OwnEgresses,
    private readonly storage: ObjectStorage,
    private readonly restorer: RecordingRestorer,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** Those that are to come back; `number` and `epoch` are the rebuild's. Throws LIVEKIT_UNAVAILABLE, STORAGE_UNAVAILABLE. */
  async find(number: number, epoch: string): Promise<Return[]> {
    const listed = (await this.livekit.listEgresses()).flatMap((egress) => this.ours(egress));
    const known = await this.restorer.known(listed.map(({ recordingId }) => recordingId));
    const byRecording = new Map<RecordingId, Lost>();
    for (const lost of listed) if (!known.has(lost.recordingId)) byRecording.set(lost.recordingId, lost);
    const found: Return[] = [];
    const limit = pLimit(ASKED_AT_ONCE);
    const worth = await Promise.all(
      [...byRecording.values()].map((lost) => limit(() => this.ifRecoverable(lost))),
    );
    for (const lost of worth.filter((one) => one !== null)) {
      const room = await this.roomOf(lost.roomId);
      if (room === null) continue;
      this.log.warn({
        message: 'a recording that was not in the bucket yet comes back from what LiveKit lists',
        recordingId: lost.recordingId,
        roomId: lost.roomId,
        egressId: lost.egress.egressId,
      });
      found.push(this.adopt(lost, room, number, epoch));
    }
    return found;
  }

  private ours(egress: EgressSeen): Lost[] {
    const recordingId = this.own.recordingOf(egress);
    const media = egress.filepath === null ? null : parseMediaKey(egress.filepath);
    const roomId = parseRoomId(egress.roomName);
    if (recordingId === null || media === null || roomId === null) return [];
    // Of another room than it says: nobody can tell what it is.
    if (!artifactsOf({ id: recordingId, roomId }).media.includes(media.key)) return [];
    return [{ egress, recordingId, roomId, media: media.key }];
  }

  private async ifRecoverable(lost: Lost): Promise<Lost | null> {
    return (await this.isRecoverable(lost)) ? lost : null;
  }

  /**
   * An egress that is over and left no media belongs to what was deleted, or left nothing to lose. One that is listed as running may be
   * listed for ever: only where its worker answers is there a recording to come back.
   */
  private async isRecoverable({ egress, media }: Lost): Promise<boolean> {
    if (isFinal(egress.status)) return (await this.storage.head(media)) !== null;
    const { egressId } = egress;
    const answer = await (egress.status === 'ENDING'
      ? this.livekit.askEndingWorker(egressId)
      : this.livekit.askWorker(egressId));
    return answer === 'alive';
  }

  private async roomOf(id: RoomId): Promise<Room | null> {
    const key = roomKey(id);
    const body = await this.storage.get(key);
    const read = body === null ? null : parseArchivedRoom(key, body);
    return read !== null && 'room' in read ? read.room : null;
  }

  private adopt({ egress, recordingId, media }: Lost, room: Room, number: number, epoch: string): Return {
    const now = this.clock.now();
    const { layout, preset, maxDurationMs } = room.recordingSettings;
    const audioOnly = isAudioOnly(media);
    const requestedAt = decodeTime(recordingId.slice('rec_'.length));
    const blank = newRecording({
      ...{ id: recordingId, roomId: room.id, roomName: room.name, layout, preset, audioOnly },
      crashProof: egress.segmented,
      labels: {},
      maxDurationMs: maxDurationMs ?? this.config.recordingMaxDurationMs,
      requestedAt,
      startLimitMs: 0,
    });
    // Below the revision of anything that is read from the bucket: a record that is found after all wins.
    const attempt: StoredRecording = { ...blank, rev: 0, egressId: egress.egressId };
    const upkeep = { ...blank.upkeep, startAnswer: 'accepted' as const, startSentAt: requestedAt };
    const known = { ...attempt, upkeep: { ...upkeep, egresses: { [egress.egressId]: 'live' as const } } };
    const recording = restoredRecording(known, number, now);
    const entry: HistoryEntry = {
      position: { epoch, id: `0-${number}` },
      type: 'REQUESTED',
      previousStatus: null,
      version: recording.version,
      at: recording.updatedAt,
      cause: CAUSE,
      changes: changesBetween(null, recording),
    };
    return { recording, history: [entry], effects: effectsOfRestore(recording, now) };
  }
}
