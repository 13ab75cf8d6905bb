import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ulid } from 'ulid';
import type { RecordingId, RoomId } from '../../src/kernel/ids.js';
import { newRecording } from '../../src/recordings/domain/new-recording.js';
import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import { newRoom } from '../../src/rooms/domain/room.js';
import { metadataKey, roomKey } from '../../src/storage/object-keys.js';
import { T0 } from './builders.js';

const AT_ONCE = 100;

/**
 * Fills a storage folder with the records of so many complete recordings of one room, as the product writes them; `fieldsOf`
 * are laid over the n-th. Answers their ids, oldest first.
 */
export async function fillWithRecords(
  folder: string,
  room: string,
  count: number,
  fieldsOf: (n: number) => Partial<StoredRecording> = () => ({}),
): Promise<RecordingId[]> {
  const roomId = room as RoomId;
  const put = async (key: string, text: string): Promise<void> => {
    const path = join(folder, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  const { recordingSettings } = newRoom(roomId, { name: room }, T0);
  const at = new Date(T0).toISOString();
  await put(
    roomKey(roomId),
    JSON.stringify({ id: room, name: room, recordingSettings, createdAt: at, updatedAt: at }),
  );
  const ids: RecordingId[] = [];
  for (let i = 0; i < count; i += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - i) }, (_, n) => ({
      ...aComplete(roomId, i + n),
      ...fieldsOf(i + n),
    }));
    ids.push(...some.map(({ id }) => id));
    await Promise.all(
      some.map((recording) =>
        put(metadataKey(recording), JSON.stringify({ format: 1, recording, history: [] })),
      ),
    );
  }
  return ids;
}

function aComplete(roomId: RoomId, i: number): StoredRecording {
  const requestedAt = T0 + i;
  const made = newRecording({
    ...{ id: `rec_${ulid(requestedAt)}` as RecordingId, roomId, roomName: roomId, labels: {} },
    ...{ layout: 'GRID', preset: 'H264_720P_30', audioOnly: false, maxDurationMs: 1_000 },
    ...{ requestedAt, crashProof: false, startLimitMs: 1_000 },
  });
  const upkeep = { ...made.upkeep, holdsSlot: false, bucketChecked: true };
  return { ...made, status: 'COMPLETE', endedAt: requestedAt, upkeep };
}
