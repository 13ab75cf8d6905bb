import * as fc from 'fast-check';
import { newToken, type RoomId } from '../../src/kernel/ids.js';
import { keys } from '../../src/redis/keys.js';
import { RoomArchive } from '../../src/rooms/store/room-archive.js';
import { RoomNames } from '../../src/rooms/store/room-names.js';
import type { RoomPage, RoomQuery } from '../../src/rooms/store/room.store.js';
import { eventually } from '../support/eventually.js';
import { MemoryObjectStorage } from '../support/memory-object-storage.js';
import '../support/quiet-logs.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { aRoom, aRoomProcess, aRoomQuery, idsOf, type RoomProcess, toId } from '../support/room-process.js';

describe('lists of rooms', () => {
  let server: RedisServer;
  let one: RoomProcess;
  let two: RoomProcess;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  beforeEach(async () => {
    const archive = new RoomArchive(new MemoryObjectStorage());
    one = aRoomProcess(server.url, archive);
    two = aRoomProcess(server.url, archive);
    await one.redis.flushall();
    await one.redis.set(keys.epoch(), 'an-epoch');
  });
  afterEach(() => {
    for (const each of [one, two]) each.end();
  });
  afterAll(() => server.close());

  const readAll = async (query: Partial<RoomQuery>, between = async () => undefined as unknown) => {
    const seen: string[] = [];
    for (let after: RoomId | null = null; ;) {
      const page: RoomPage = await one.store.page(aRoomQuery({ ...query, after }));
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
        const known = (await two.store.get(toId(names[(turn * 7) % 50]!)))!;
        await two.store.replace(known, { ...known, name: `renamed room ${turn}` });
        const passing = await two.store.create(aRoom(`room-${turn}-passing`));
        if (passing !== 'exists') await two.store.remove(passing, {});
      });
      expect(seen).toEqual(seen.toSorted());
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((each) => names.includes(each))).toEqual(names);
    }
  });

  it('a caller limited to rooms gets those of them that exist, and counts no other', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await one.store.create(aRoom(name, `Room ${name}`));
    const within = ['d', 'b', 'nowhere', 'b'].map(toId);
    const page = await one.store.page(aRoomQuery({ within, first: 1 }));
    expect(page).toMatchObject({ totalCount: 2, hasNextPage: true, hasPreviousPage: false });
    expect(idsOf(page)).toEqual(['b']);
    const next = await one.store.page(aRoomQuery({ within, first: 1, after: toId('b') }));
    expect(next).toMatchObject({ totalCount: 2, hasNextPage: false, hasPreviousPage: true });
    expect(idsOf(next)).toEqual(['d']);
    const found = await one.store.page(aRoomQuery({ within, nameContains: 'room D' }));
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
        await one.redis.set(keys.epoch(), newToken());
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
              aRoomQuery({
                nameContains: each.part,
                first: each.first,
                after: each.after && toId(each.after),
              }),
            );
            expect(idsOf(page)).toEqual(rest.slice(0, each.first));
            expect(page.totalCount).toBe(matching.length);
            expect(page.hasNextPage).toBe(rest.length > each.first);
            expect(page.hasPreviousPage).toBe(rest.length < matching.length);
            continue;
          }
          const current = await store.get(toId(each.roomId));
          if (each.kind === 'remove') {
            if (current) await store.remove(current, {});
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
    await one.store.page(aRoomQuery({ nameContains: 'x' }));
    await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        await (i % 2 ? one : two).store.create(aRoom(`r-${i}`, `needle ${i}.`));
        const page = await (i % 3 ? one : two).store.page(aRoomQuery({ nameContains: `NEEDLE ${i}.` }));
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
    const names = new RoomNames(one.connections);
    await names.search('an-epoch', 'needle', 10, null);
    Object.assign(late, {
      xrange: async (...args: unknown[]) => {
        const answer = await xrange(...args);
        if (!held) await new Promise<void>((resolve) => ((held = true), (release = resolve)));
        return answer;
      },
    });
    const early = names.search('an-epoch', 'needle', 10, null);
    await eventually(() => held || 'the first search has not read yet');
    await two.store.create(aRoom('second', 'needle'));
    const later = names.search('an-epoch', 'needle', 10, null);
    release();
    expect((await early).ids).toEqual(['first']);
    expect((await later).ids).toEqual(['first', 'second']);
  });

  it('a search is exact also where more changed since the last one than the log of changes holds', async () => {
    await one.store.create(aRoom('first', 'needle'));
    expect((await one.store.page(aRoomQuery({ nameContains: 'needle' }))).totalCount).toBe(1);
    await two.redis.xtrim(keys.roomChanges(), 'MAXLEN', 0);
    const first = (await two.store.get(toId('first')))!;
    await two.store.replace(first, { ...first, name: 'other' });
    await two.store.create(aRoom('second', 'needle'));
    await two.redis.xtrim(keys.roomChanges(), 'MAXLEN', 1);
    expect(idsOf(await one.store.page(aRoomQuery({ nameContains: 'needle' })))).toEqual(['second']);
  });
});
