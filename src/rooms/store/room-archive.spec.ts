import { parseRoomId, type RoomId } from '../../kernel/ids.js';
import { newRoom } from '../domain/room.js';
import { MemoryObjectStorage } from '../../../test/support/memory-object-storage.js';
import { type ArchivedRoom, RoomArchive } from './room-archive.js';

const room = newRoom(
  parseRoomId('stand-up') as RoomId,
  { name: 'Stand-up 🎥', recordingSettings: { preset: 'PORTRAIT_H264_1080P_60', maxDurationMs: 60_000 } },
  1_700_000_000_123,
);

describe('the durable copies of rooms', () => {
  let storage: MemoryObjectStorage;
  let archive: RoomArchive;
  beforeEach(() => {
    storage = new MemoryObjectStorage();
    archive = new RoomArchive(storage);
  });
  const readAll = async (): Promise<ArchivedRoom[]> => {
    const found: ArchivedRoom[] = [];
    for await (const each of archive.readAll()) found.push(each);
    return found;
  };
  const keep = (key: string, text: string) => storage.put(key, Buffer.from(text), 'application/json');

  it('give back the room that was written, under its own name', async () => {
    await archive.write(room);
    expect(await readAll()).toEqual([{ key: 'rooms/stand-up.json', room }]);
    await archive.remove(room.id);
    expect(await readAll()).toEqual([]);
  });

  it('have defaults for settings that are younger than the copy', async () => {
    await archive.write(room);
    const copy = JSON.parse((await storage.get('rooms/stand-up.json'))!.toString()) as typeof room;
    await keep(
      'rooms/stand-up.json',
      JSON.stringify({ ...copy, recordingSettings: { enabled: false }, more: 1 }),
    );
    expect(await readAll()).toEqual([
      {
        key: 'rooms/stand-up.json',
        room: newRoom(room.id, { name: room.name, recordingSettings: { enabled: false } }, room.createdAt),
      },
    ]);
  });

  it('are told with their fault where they are no rooms, each by its name', async () => {
    await archive.write(room);
    await keep('rooms/broken.json', '{"id": "broken"');
    await keep('rooms/empty.json', '{}');
    await keep('rooms/other.json', (await storage.get('rooms/stand-up.json'))!.toString());
    await keep('rooms/readme.txt', 'hello');
    await keep('rooms/a/b.json', '{}');
    const found = await readAll();
    expect(found.filter((each) => 'room' in each).map((each) => each.key)).toEqual(['rooms/stand-up.json']);
    expect(found.filter((each) => 'fault' in each).map((each) => each.key)).toEqual([
      'rooms/a/b.json',
      'rooms/broken.json',
      'rooms/empty.json',
      'rooms/other.json',
      'rooms/readme.txt',
    ]);
  });

  it('are not taken for gone when the storage is away', async () => {
    storage.away = true;
    await expect(archive.write(room)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(readAll()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});
