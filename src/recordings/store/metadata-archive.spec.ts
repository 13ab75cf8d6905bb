import { aRecording } from '../../../test/support/builders.js';
import { MemoryObjectStorage } from '../../../test/support/memory-object-storage.js';
import { newRoom } from '../../rooms/domain/room.js';
import type { RoomStore } from '../../rooms/store/room.store.js';
import { metadataKey, roomMetadataKey } from '../../storage/object-keys.js';
import type { StoredRecording } from '../domain/recording.js';
import { MetadataArchive } from './metadata-archive.js';
import type { RecordingStore } from './recording.store.js';

describe('what the bucket keeps of a recording', () => {
  let row: StoredRecording | null;
  let wasDeleted: boolean;
  let storage: MemoryObjectStorage;
  let archive: MetadataArchive;

  beforeEach(() => {
    row = aRecording();
    wasDeleted = true;
    storage = new MemoryObjectStorage();
    const store = {
      withHistory: async () => row && { recording: row, history: [] },
      wasDeleted: async () => wasDeleted,
      countInRoom: async () => (row === null ? 0 : 1),
    };
    const room = newRoom(aRecording().roomId, { name: 'Room one' }, 0);
    const rooms = { get: async () => ({ ...room, rev: '1' }) };
    archive = new MetadataArchive(store as unknown as RecordingStore, rooms as unknown as RoomStore, storage);
  });

  const isRoomKept = async (): Promise<boolean> =>
    (await storage.head(roomMetadataKey(aRecording().roomId))) !== null;

  it('is its record and its room', async () => {
    const recording = aRecording();
    row = recording;
    await archive.write(recording.id);
    expect(await storage.head(metadataKey(recording))).not.toBeNull();
    expect(await isRoomKept()).toBe(true);
  });

  it('is its room also when the first version had passed before it could be written', async () => {
    const recording = aRecording({ version: 2, rev: 3 });
    row = recording;
    await archive.write(recording.id);
    expect(await isRoomKept()).toBe(true);
  });

  it('is its room again when a Redis that was set back brings a recording back whose room was dropped with it', async () => {
    const recording = aRecording({ status: 'ACTIVE' });
    row = recording;
    await archive.write(recording.id);
    await storage.deleteMany([roomMetadataKey(recording.roomId)]);
    row = { ...recording, status: 'COMPLETE', version: 2 };
    await archive.write(recording.id);
    expect(await isRoomKept()).toBe(true);
  });

  it('is its room no longer once the last recording is gone', async () => {
    const recording = aRecording();
    row = recording;
    await archive.write(recording.id);
    row = null;
    await storage.deleteMany([metadataKey(recording)]);
    await archive.dropRoom(aRecording().roomId);
    expect(await isRoomKept()).toBe(false);
  });

  it('is its room still while the bucket has the record of a recording that Redis has forgotten', async () => {
    await archive.write(aRecording().id);
    row = null;
    await archive.dropRoom(aRecording().roomId);
    expect(await isRoomKept()).toBe(true);
  });

  it('is its room again when whoever dropped it died before he could look whether a recording had been started', async () => {
    await archive.write(aRecording().id);
    await storage.deleteMany([roomMetadataKey(aRecording().roomId)]);
    await archive.dropRoom(aRecording().roomId);
    expect(await isRoomKept()).toBe(true);
  });

  it('is nothing of a recording that is deleted while it is written, and nothing of its room', async () => {
    const recording = aRecording();
    row = recording;
    storage.beforePut = async (key) => {
      if (key === metadataKey(recording)) row = null;
    };
    await archive.write(recording.id);
    expect(await storage.head(metadataKey(recording))).toBeNull();
    expect(await isRoomKept()).toBe(false);
  });

  it('stays when its row was lost, and not deleted, while it was written', async () => {
    const recording = aRecording();
    row = recording;
    wasDeleted = false;
    storage.beforePut = async (key) => {
      if (key === metadataKey(recording)) row = null;
    };
    await archive.write(recording.id);
    expect(await storage.head(metadataKey(recording))).not.toBeNull();
  });
});
