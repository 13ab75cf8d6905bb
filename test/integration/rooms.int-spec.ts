import { SystemClock } from '../../src/kernel/clock.js';
import { keys } from '../../src/redis/keys.js';
import { changeRoom, type Room } from '../../src/rooms/domain/room.js';
import { RoomArchive } from '../../src/rooms/store/room-archive.js';
import { eventually } from '../support/eventually.js';
import { MemoryObjectStorage } from '../support/memory-object-storage.js';
import '../support/quiet-logs.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { aRoom, aRoomProcess, aRoomQuery, idsOf, type RoomProcess, toId } from '../support/room-process.js';

describe('rooms', () => {
  const clock = new SystemClock();
  let server: RedisServer;
  let storage: MemoryObjectStorage;
  let archive: RoomArchive;

  let one: RoomProcess;
  let two: RoomProcess;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  beforeEach(async () => {
    storage = new MemoryObjectStorage();
    archive = new RoomArchive(storage);
    one = aRoomProcess(server.url, archive);
    two = aRoomProcess(server.url, archive);
    await one.redis.flushall();
    await one.redis.set(keys.epoch(), 'an-epoch');
  });
  afterEach(() => {
    for (const each of [one, two]) each.end();
  });
  afterAll(() => server.close());

  const archived = async (): Promise<Map<string, Room>> => {
    const found = new Map<string, Room>();
    for await (const each of archive.readAll()) {
      if ('fault' in each) throw new Error(`${each.key}: ${each.fault}`);
      found.set(each.room.id, each.room);
    }
    return found;
  };
  const rename = (name: string) => (room: Room) => changeRoom(room, { name }, clock.now());
  const withoutRev = (room: Room): Room => {
    const { id: roomId, name, recordingSettings, createdAt, updatedAt } = room;
    return { id: roomId, name, recordingSettings, createdAt, updatedAt };
  };
  const unsavedCount = () => one.redis.zcard(keys.unsavedRooms());

  describe('when many write', () => {
    it('fifty creations of one room over two processes make one room, and the others are told that it exists', async () => {
      const answers = await Promise.allSettled(
        Array.from({ length: 50 }, (_, i) => (i % 2 ? one : two).writer.create(aRoom('a', `by ${i}`))),
      );
      const made = answers.filter((answer) => answer.status === 'fulfilled');
      const refused = answers.filter((answer) => answer.status === 'rejected');
      expect(made).toHaveLength(1);
      expect(refused.every(({ reason }) => reason.code === 'ROOM_ALREADY_EXISTS')).toBe(true);
      expect(refused[0]!.reason.subject).toEqual({ roomId: 'a' });
      const stored = await one.store.get(toId('a'));
      expect(stored).toEqual(made[0]!.value);
      expect((await archived()).get('a')).toEqual(withoutRev(stored!));
      expect(await unsavedCount()).toBe(0);
    });

    it('changes of different settings at once all stand, in Redis and in the bucket', async () => {
      await one.writer.create(aRoom('a'));
      const steps = Array.from({ length: 30 }, (_, i) => i);
      await Promise.all(
        steps.map((i) =>
          (i % 2 ? one : two).writer.update(toId('a'), (room) => ({ ...room, name: `${room.name},${i}` })),
        ),
      );
      const stored = (await one.store.get(toId('a')))!;
      expect(
        stored.name
          .split(',')
          .slice(1)
          .map(Number)
          .toSorted((a, b) => a - b),
      ).toEqual(steps);
      expect((await archived()).get('a')).toEqual(withoutRev(stored));
      expect(await unsavedCount()).toBe(0);
    });

    it('a slow write to the bucket that overtakes a newer one is put right before its writer answers', async () => {
      await one.writer.create(aRoom('a', 'first'));
      let puts = 0;
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      storage.beforePut = async () => {
        puts += 1;
        if (puts === 1) await held;
      };
      const slow = one.writer.update(toId('a'), rename('second'));
      await eventually(() => puts === 1 || 'the slow write has not begun');
      await two.writer.update(toId('a'), rename('third'));
      expect((await archived()).get('a')!.name).toBe('third');
      release();
      await slow;
      expect((await archived()).get('a')!.name).toBe('third');
      expect(await unsavedCount()).toBe(0);
    });

    it('a stale revision can neither replace nor remove a room', async () => {
      await one.writer.create(aRoom('a'));
      const stale = (await one.store.get(toId('a')))!;
      await two.writer.update(toId('a'), rename('new'));
      expect(await one.store.replace(stale, aRoom('a', 'old'))).toBe('moved-on');
      expect(await one.store.remove(stale, {})).toBe('moved-on');
      expect((await one.store.get(toId('a')))!.name).toBe('new');
    });
  });

  describe('when the storage is away', () => {
    it('a creation is refused and leaves no room; tried again it succeeds', async () => {
      storage.away = true;
      await expect(one.writer.create(aRoom('a'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      expect(await one.store.get(toId('a'))).toBeNull();
      expect((await one.store.page(aRoomQuery())).totalCount).toBe(0);
      expect((await one.store.page(aRoomQuery({ nameContains: 'a' }))).totalCount).toBe(0);
      storage.away = false;
      await one.writer.create(aRoom('a', 'again'));
      await two.repair.saveAbandoned(0);
      expect((await archived()).get('a')!.name).toBe('again');
      expect(await unsavedCount()).toBe(0);
    });

    it('a creation that fails leaves the room to a recording that began in it meanwhile', async () => {
      storage.away = true;
      const put = storage.put.bind(storage);
      storage.put = async (...args) => {
        await one.redis.hset(keys.slot(toId('a')), 'recording', 'rec_1');
        return put(...args);
      };
      await expect(one.writer.create(aRoom('a'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      expect(await one.store.get(toId('a'))).not.toBeNull();
      storage.away = false;
      await two.repair.saveAbandoned(0);
      expect([...(await archived()).keys()]).toEqual(['a']);
    });

    it('a change is refused and the room is as it was', async () => {
      await one.writer.create(aRoom('a', 'before'));
      storage.away = true;
      await expect(one.writer.update(toId('a'), rename('after'))).rejects.toMatchObject({
        code: 'STORAGE_UNAVAILABLE',
      });
      expect((await one.store.get(toId('a')))!.name).toBe('before');
      storage.away = false;
      await two.repair.saveAbandoned(0);
      expect((await archived()).get('a')!.name).toBe('before');
    });

    it('a put that reached the bucket although it failed is taken back there too', async () => {
      const put = storage.put.bind(storage);
      storage.put = async (...args) => {
        await put(...args);
        storage.away = true;
        await storage.check();
      };
      await expect(one.writer.create(aRoom('a'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      storage.away = false;
      expect((await archived()).has('a')).toBe(true);
      await two.repair.saveAbandoned(0);
      expect((await archived()).has('a')).toBe(false);
    });
  });

  it('what a killed writer left unsaved is saved by another process within ten seconds', async () => {
    await one.store.create(aRoom('a'));
    await one.store.create(aRoom('b'));
    expect((await archived()).size).toBe(0);
    two.repair.onApplicationBootstrap();
    await eventually(async () => (await archived()).size === 2 || 'not yet saved');
    await eventually(async () => (await unsavedCount()) === 0 || 'still marked as unsaved');
    await two.repair.onApplicationShutdown();
  });

  it('a young unsaved write is left to its writer', async () => {
    await one.store.create(aRoom('a'));
    expect(await two.repair.saveAbandoned()).toBe(0);
    expect(await unsavedCount()).toBe(1);
  });

  describe('when Redis is not whole', () => {
    it('nothing is answered and nothing is written, but rooms can be restored from the bucket', async () => {
      await one.writer.create(aRoom('a', 'kept'));
      await one.redis.flushall();
      const redisWasReset = { code: 'REDIS_UNAVAILABLE' };
      await expect(one.store.get(toId('a'))).rejects.toMatchObject(redisWasReset);
      await expect(one.store.page(aRoomQuery())).rejects.toMatchObject(redisWasReset);
      await expect(one.store.page(aRoomQuery({ nameContains: 'k' }))).rejects.toMatchObject(redisWasReset);
      await expect(one.writer.create(aRoom('b'))).rejects.toMatchObject(redisWasReset);
      for (const room of (await archived()).values()) {
        expect(await two.store.restore(room)).toBe('restored');
        expect(await one.store.restore(room)).toBe('exists');
      }
      await one.redis.set(keys.epoch(), 'another-epoch');
      expect((await one.store.get(toId('a')))!.name).toBe('kept');
      expect(idsOf(await one.store.page(aRoomQuery({ nameContains: 'KEP' })))).toEqual(['a']);
      expect(await unsavedCount()).toBe(0);
    });

    it('a Redis that is away is an error, never an empty list', async () => {
      await server.kill();
      const away = { code: 'REDIS_UNAVAILABLE' };
      await expect(one.store.get(toId('a'))).rejects.toMatchObject(away);
      await expect(one.store.page(aRoomQuery())).rejects.toMatchObject(away);
      await expect(one.store.page(aRoomQuery({ nameContains: 'x' }))).rejects.toMatchObject(away);
      await server.restart();
      for (const { redis } of [one, two]) {
        await eventually(async () => (await redis.ping()) === 'PONG' || 'not connected again');
      }
    });
  });
});
