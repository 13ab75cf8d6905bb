import fc from 'fast-check';
import { Logger } from '@nestjs/common';
import { SystemClock } from '../../src/kernel/clock.js';
import { parseRoomId, type RoomId } from '../../src/kernel/ids.js';
import { SystemRandom } from '../../src/kernel/random.js';
import { keys } from '../../src/redis/keys.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { changeRoom, newRoom, type Room } from '../../src/rooms/domain/room.js';
import { RedisRoomStore } from '../../src/rooms/store/redis-room.store.js';
import { RoomNames } from '../../src/rooms/store/room-names.js';
import { RoomArchive } from '../../src/rooms/store/room-archive.js';
import type { RoomPage, RoomQuery } from '../../src/rooms/store/room.store.js';
import { RoomSaver } from '../../src/rooms/write/room-saver.js';
import { RoomWriter } from '../../src/rooms/write/room.writer.js';
import { UnsavedRoomsRunner } from '../../src/rooms/write/unsaved-rooms.runner.js';
import { aConfig } from '../support/a-config.js';
import { eventually } from '../support/eventually.js';
import { MemoryObjectStorage } from '../support/memory-object-storage.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

const id = (text: string): RoomId => {
  const parsed = parseRoomId(text);
  if (parsed === null) throw new Error(`${text} is no room id`);
  return parsed;
};
const aRoom = (roomId: string, name = roomId, at = 1_700_000_000_000): Room =>
  newRoom(id(roomId), { name }, at);
const aQuery = (query: Partial<RoomQuery> = {}): RoomQuery => ({
  nameContains: null,
  within: null,
  first: 20,
  after: null,
  ...query,
});
const idsOf = (page: RoomPage): string[] => page.rooms.map((room) => room.id);

describe('rooms', () => {
  const clock = new SystemClock();
  let server: RedisServer;
  let storage: MemoryObjectStorage;
  let archive: RoomArchive;
  const opened: RedisConnections[] = [];

  /** What one process of the product has; all share the storage. */
  const aProcess = () => {
    const config = aConfig({ REDIS_URL: server.url });
    const connections = new RedisConnections(config);
    opened.push(connections);
    const store = new RedisRoomStore(connections);
    const saver = new RoomSaver(store, archive);
    const writer = new RoomWriter(store, saver, clock, new SystemRandom());
    const repair = new UnsavedRoomsRunner(store, saver, clock, config);
    return { redis: connections.command, store, saver, writer, repair };
  };
  let one: ReturnType<typeof aProcess>;
  let two: ReturnType<typeof aProcess>;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    server = await startRedisServer();
  });
  beforeEach(async () => {
    storage = new MemoryObjectStorage();
    archive = new RoomArchive(storage);
    one = aProcess();
    two = aProcess();
    await one.redis.flushall();
    await one.redis.set(keys.epoch(), 'an-epoch');
  });
  afterEach(() => {
    for (const each of opened.splice(0)) each.onApplicationShutdown();
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
      const stored = await one.store.get(id('a'));
      expect(stored).toEqual(made[0]!.value);
      expect((await archived()).get('a')).toEqual(withoutRev(stored!));
      expect(await unsavedCount()).toBe(0);
    });

    it('changes of different settings at once all stand, in Redis and in the bucket', async () => {
      await one.writer.create(aRoom('a'));
      const steps = Array.from({ length: 30 }, (_, i) => i);
      await Promise.all(
        steps.map((i) =>
          (i % 2 ? one : two).writer.update(id('a'), (room) => ({ ...room, name: `${room.name},${i}` })),
        ),
      );
      const stored = (await one.store.get(id('a')))!;
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
      const slow = one.writer.update(id('a'), rename('second'));
      await eventually(() => puts === 1 || 'the slow write has not begun');
      await two.writer.update(id('a'), rename('third'));
      expect((await archived()).get('a')!.name).toBe('third');
      release();
      await slow;
      expect((await archived()).get('a')!.name).toBe('third');
      expect(await unsavedCount()).toBe(0);
    });

    it('a stale revision can neither replace nor remove a room', async () => {
      await one.writer.create(aRoom('a'));
      const stale = (await one.store.get(id('a')))!;
      await two.writer.update(id('a'), rename('new'));
      expect(await one.store.replace(stale, aRoom('a', 'old'))).toBe('moved-on');
      expect(await one.store.remove(stale)).toBe('moved-on');
      expect((await one.store.get(id('a')))!.name).toBe('new');
    });
  });

  describe('when the storage is away', () => {
    it('a creation is refused and leaves no room; tried again it succeeds', async () => {
      storage.away = true;
      await expect(one.writer.create(aRoom('a'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      expect(await one.store.get(id('a'))).toBeNull();
      expect((await one.store.page(aQuery())).totalCount).toBe(0);
      expect((await one.store.page(aQuery({ nameContains: 'a' }))).totalCount).toBe(0);
      storage.away = false;
      await one.writer.create(aRoom('a', 'again'));
      await two.repair.saveAbandoned(0);
      expect((await archived()).get('a')!.name).toBe('again');
      expect(await unsavedCount()).toBe(0);
    });

    it('a change is refused and the room is as it was', async () => {
      await one.writer.create(aRoom('a', 'before'));
      storage.away = true;
      await expect(one.writer.update(id('a'), rename('after'))).rejects.toMatchObject({
        code: 'STORAGE_UNAVAILABLE',
      });
      expect((await one.store.get(id('a')))!.name).toBe('before');
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
    await eventually(async () => (await archived()).size === 2 || 'not yet saved', { withinMs: 10_000 });
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
      const notWhole = { code: 'REDIS_UNAVAILABLE' };
      await expect(one.store.get(id('a'))).rejects.toMatchObject(notWhole);
      await expect(one.store.page(aQuery())).rejects.toMatchObject(notWhole);
      await expect(one.store.page(aQuery({ nameContains: 'k' }))).rejects.toMatchObject(notWhole);
      await expect(one.writer.create(aRoom('b'))).rejects.toMatchObject(notWhole);
      for (const room of (await archived()).values()) {
        expect(await two.store.restore(room)).toBe('restored');
        expect(await one.store.restore(room)).toBe('exists');
      }
      await one.redis.set(keys.epoch(), 'another-epoch');
      expect((await one.store.get(id('a')))!.name).toBe('kept');
      expect(idsOf(await one.store.page(aQuery({ nameContains: 'KEP' })))).toEqual(['a']);
      expect(await unsavedCount()).toBe(0);
    });

    it('a Redis that is away is an error, never an empty list', async () => {
      await server.kill();
      const away = { code: 'REDIS_UNAVAILABLE' };
      await expect(one.store.get(id('a'))).rejects.toMatchObject(away);
      await expect(one.store.page(aQuery())).rejects.toMatchObject(away);
      await expect(one.store.page(aQuery({ nameContains: 'x' }))).rejects.toMatchObject(away);
      await server.restart();
      for (const { redis } of [one, two]) {
        await eventually(async () => (await redis.ping()) === 'PONG' || 'not connected again');
      }
    });
  });

  describe('in lists', () => {
    const readAll = async (query: Partial<RoomQuery>, between = async () => undefined as unknown) => {
      const seen: string[] = [];
      for (let after: RoomId | null = null; ;) {
        const page: RoomPage = await one.store.page(aQuery({ ...query, after }));
        seen.push(...idsOf(page));
        expect(page.hasPreviousPage).toBe(after !== null && seen.length > page.rooms.length);
        if (!page.hasNextPage) return seen;
        after = page.rooms.at(-1)!.id;
        await between();
      }
    };

    it('each room that was there all along is seen exactly once while others come, go and are renamed', async () => {
      const names = Array.from({ length: 50 }, (_, i) => `room-${String(i * 10).padStart(3, '0')}`);
      for (const name of names) await one.store.create(aRoom(name));
      let turn = 0;
      for (const nameContains of [null, 'room']) {
        const seen = await readAll({ first: 7, nameContains }, async () => {
          turn += 1;
          await two.store.create(aRoom(`room-${String((turn * 37) % 500).padStart(3, '0')}-x`));
          const known = (await two.store.get(id(names[(turn * 7) % 50]!)))!;
          await two.store.replace(known, { ...known, name: `renamed room ${turn}` });
          const passing = await two.store.create(aRoom(`room-${turn}-passing`));
          if (passing !== 'exists') await two.store.remove(passing);
        });
        expect(seen).toEqual(seen.toSorted());
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.filter((each) => names.includes(each))).toEqual(names);
      }
    });

    it('a caller limited to rooms gets those of them that exist, and counts no other', async () => {
      for (const name of ['a', 'b', 'c', 'd']) await one.store.create(aRoom(name, `Room ${name}`));
      const within = ['d', 'b', 'nowhere', 'b'].map(id);
      const page = await one.store.page(aQuery({ within, first: 1 }));
      expect(page).toMatchObject({ totalCount: 2, hasNextPage: true, hasPreviousPage: false });
      expect(idsOf(page)).toEqual(['b']);
      const next = await one.store.page(aQuery({ within, first: 1, after: id('b') }));
      expect(next).toMatchObject({ totalCount: 2, hasNextPage: false, hasPreviousPage: true });
      expect(idsOf(next)).toEqual(['d']);
      const found = await one.store.page(aQuery({ within, nameContains: 'room D' }));
      expect([idsOf(found), found.totalCount]).toEqual([['d'], 1]);
    });

    it('a search finds exactly what a look at every name finds, after any changes by any process', async () => {
      const roomName = fc.string({
        unit: fc.constantFrom('a', 'b', 'A', 'É', 'é', ' ', '🎥'),
        minLength: 1,
        maxLength: 6,
      });
      const roomId = fc.constantFrom('a', 'b', 'c', 'B', 'a-b', 'a.b', 'zz', '0', '_');
      const step = fc.oneof(
        fc.record({ kind: fc.constant('put' as const), roomId, roomName, by: fc.boolean() }),
        fc.record({ kind: fc.constant('remove' as const), roomId, by: fc.boolean() }),
        fc.record({
          kind: fc.constant('search' as const),
          part: fc.string({ unit: fc.constantFrom('a', 'b', 'é', ' ', '🎥'), minLength: 1, maxLength: 3 }),
          first: fc.integer({ min: 1, max: 4 }),
          after: fc.option(roomId),
          by: fc.boolean(),
        }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          await one.redis.flushall();
          await one.redis.set(keys.epoch(), 'an-epoch');
          const model = new Map<string, string>();
          for (const each of steps) {
            const { store } = each.by ? one : two;
            if (each.kind === 'search') {
              const matching = [...model.entries()]
                .filter(([, name]) => name.toLowerCase().includes(each.part.toLowerCase()))
                .map(([key]) => key)
                .toSorted();
              const rest = matching.filter((key) => each.after === null || key > each.after);
              const page = await store.page(
                aQuery({ nameContains: each.part, first: each.first, after: each.after && id(each.after) }),
              );
              expect(idsOf(page)).toEqual(rest.slice(0, each.first));
              expect(page.totalCount).toBe(matching.length);
              expect(page.hasNextPage).toBe(rest.length > each.first);
              expect(page.hasPreviousPage).toBe(rest.length < matching.length);
              continue;
            }
            const current = await store.get(id(each.roomId));
            if (each.kind === 'remove') {
              if (current) await store.remove(current);
              model.delete(each.roomId);
            } else {
              const next = aRoom(each.roomId, each.roomName);
              await (current ? store.replace(current, next) : store.create(next));
              model.set(each.roomId, each.roomName);
            }
          }
        }),
        { numRuns: 60 },
      );
    });

    it('a search sees what was acknowledged before it, among many writes and searches at once', async () => {
      await one.store.page(aQuery({ nameContains: 'x' }));
      await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          await (i % 2 ? one : two).store.create(aRoom(`r-${i}`, `needle ${i}.`));
          const page = await (i % 3 ? one : two).store.page(aQuery({ nameContains: `NEEDLE ${i}.` }));
          expect(idsOf(page)).toEqual([`r-${i}`]);
        }),
      );
    });

    it('a search that comes while another reads the changes does not take that reading for its own', async () => {
      await one.store.create(aRoom('first', 'needle'));
      const late = one.redis;
      const xrange = late.xrange.bind(late) as (...args: unknown[]) => Promise<unknown>;
      let held = false;
      let release = (): void => undefined;
      const names = new RoomNames(late);
      await names.search('needle', 10, null);
      Object.assign(late, {
        xrange: async (...args: unknown[]) => {
          const answer = await xrange(...args);
          if (!held) await new Promise<void>((resolve) => ((held = true), (release = resolve)));
          return answer;
        },
      });
      const early = names.search('needle', 10, null);
      await eventually(() => held || 'the first search has not read yet');
      await two.store.create(aRoom('second', 'needle'));
      const later = names.search('needle', 10, null);
      release();
      expect((await early).ids).toEqual(['first']);
      expect((await later).ids).toEqual(['first', 'second']);
    });

    it('a search is exact also where more changed since the last one than the log of changes holds', async () => {
      await one.store.create(aRoom('first', 'needle'));
      expect((await one.store.page(aQuery({ nameContains: 'needle' }))).totalCount).toBe(1);
      await two.redis.xtrim(keys.roomChanges(), 'MAXLEN', 0);
      const first = (await two.store.get(id('first')))!;
      await two.store.replace(first, { ...first, name: 'other' });
      await two.store.create(aRoom('second', 'needle'));
      await two.redis.xtrim(keys.roomChanges(), 'MAXLEN', 1);
      expect(idsOf(await one.store.page(aQuery({ nameContains: 'needle' })))).toEqual(['second']);
    });
  });
});
