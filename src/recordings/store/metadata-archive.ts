import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { parseRoomId, type RecordingId, type RoomId } from '../../kernel/ids.js';
import { RoomStore } from '../../rooms/store/room.store.js';
import { metadataKey, recordsPrefix, roomMetadataKey } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';
import { isFinal, type StoredRecording } from '../domain/recording.js';
import type { ArchivedRecording } from './archived-recording.js';
import { RecordingStore, type RecordingWithHistory } from './recording.store.js';

const MOST_REMEMBERED = 10_000;

/** Keeps the bucket's copy like the row. Each method reads the present state and looks again after it wrote, so that a slow writer never has the last word. */
@Injectable()
export class MetadataArchive {
  /** Recordings in progress whose room's copy was seen or written here. */
  private readonly withRoom = new Set<RecordingId>();

  constructor(
    private readonly store: RecordingStore,
    private readonly rooms: RoomStore,
    private readonly storage: ObjectStorage,
  ) {}

  async write(id: RecordingId): Promise<void> {
    let written: StoredRecording | null = null;
    for (;;) {
      const found = await this.store.withHistory(id);
      const recording = found?.recording ?? null;
      if (found === null || recording === null || recording.upkeep.deleted) {
        // A row that is gone without a deletion was lost with Redis, and its record is what it comes back by.
        const isDeleted = recording !== null || (await this.store.wasDeleted(id));
        if (written !== null && isDeleted) await this.takeBack(written);
        return;
      }
      // What no client sees has no write of its own, and needs none here.
      if (recording.version === written?.version) return;
      await this.put(found);
      if (written === null) await this.keepRoomOf(recording);
      written = recording;
    }
  }

  /** The room as it was recorded goes with its last recording. */
  async dropRoom(room: RoomId): Promise<void> {
    if ((await this.store.countInRoom(room)) === 0 && !(await this.hasRecords(room)))
      await this.storage.deleteMany([roomMetadataKey(room)]);
    // A recording may have been started in between, in this run or in one that died here, and its room has to be found with it.
    if ((await this.store.countInRoom(room)) > 0 && !(await this.isRoomKept(room))) await this.keepRoom(room);
  }

  /** The room that is kept under this key, by its own words; null: none that belongs there, or it is gone. */
  async roomIn(key: string): Promise<RoomId | null> {
    const body = await this.storage.get(key);
    const kept = body === null ? null : parseKeptRoom(body);
    return kept !== null && roomMetadataKey(kept) === key ? kept : null;
  }

  /** It was deleted while it was written, and so perhaps was its room. */
  private async takeBack(recording: StoredRecording): Promise<void> {
    await this.storage.deleteMany([metadataKey(recording)]);
    await this.dropRoom(recording.roomId);
  }

  private async put({ recording, history }: RecordingWithHistory): Promise<void> {
    const record: ArchivedRecording = { format: 1, recording, history };
    await this.storage.put(metadataKey(recording), Buffer.from(JSON.stringify(record)), 'application/json');
  }

  /** With the first record that comes to be written: that is not always the first version's. */
  private async keepRoomOf({ id, roomId, version, status }: StoredRecording): Promise<void> {
    // The room's copy stays while there is a recording of it; Redis may bring one back that was deleted, and its room with it.
    if (isFinal(status)) this.withRoom.delete(id);
    if (this.withRoom.has(id)) return;
    if (version === 1 || !(await this.isRoomKept(roomId))) await this.keepRoom(roomId);
    if (isFinal(status)) return;
    if (this.withRoom.size >= MOST_REMEMBERED) this.withRoom.clear();
    this.withRoom.add(id);
  }

  /** A recording that Redis has forgotten comes back by its record, and needs its room. */
  private async hasRecords(room: RoomId): Promise<boolean> {
    for await (const _record of this.storage.list(recordsPrefix(room))) return true;
    return false;
  }

  private async isRoomKept(id: RoomId): Promise<boolean> {
    return (await this.storage.head(roomMetadataKey(id))) !== null;
  }

  private async keepRoom(id: RoomId): Promise<void> {
    const room = await this.rooms.get(id);
    if (room === null) return;
    const { rev: _rev, ...kept } = room;
    await this.storage.put(
      roomMetadataKey(id),
      Buffer.from(JSON.stringify({ format: 1, room: kept })),
      'application/json',
    );
  }
}

const keptRoom = z.object({ room: z.object({ id: z.string() }) });

function parseKeptRoom(body: Buffer): RoomId | null {
  try {
    const parsed = keptRoom.safeParse(JSON.parse(body.toString('utf8')));
    return parsed.success ? parseRoomId(parsed.data.room.id) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
