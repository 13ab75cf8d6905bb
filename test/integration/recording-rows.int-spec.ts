import { SystemClock } from '../../src/kernel/clock.js';
import { SystemRandom } from '../../src/kernel/random.js';
import type { RecordingId } from '../../src/kernel/ids.js';
import { RECORDING_STATUSES, type StoredRecording } from '../../src/recordings/domain/recording.js';
import { foundBy, indexKeys } from '../../src/recordings/store/index-entries.js';
import { MissingRowsQueue } from '../../src/recordings/store/missing-rows-queue.js';
import type { RecordingQuery } from '../../src/recordings/store/recording-query.js';
import { RedisRecordingPages } from '../../src/recordings/store/redis-recording-pages.js';
import { RedisRecordingRestorer } from '../../src/recordings/store/redis-recording-restorer.js';
import { RedisRecordingStore } from '../../src/recordings/store/redis-recording.store.js';
import { RedisRoomSlots } from '../../src/recordings/store/redis-room-slots.js';
import { RecordingWriter } from '../../src/recordings/write/recording.writer.js';
import { keys } from '../../src/redis/keys.js';
import { DataEpoch } from '../../src/redis/data-epoch.js';
import { aRecording, aRecordingId, aRoomId, anEgress, T0 } from '../support/builders.js';
import { NoDispatch } from '../support/no-dispatch.js';
import { ownRedis } from '../support/own-redis.js';
import { seededRandom } from '../support/seeded-random.js';

describe('rows of recordings', () => {
  const own = ownRedis();
  let store: RedisRecordingStore;
  let writer: RecordingWriter;
  const redis = () => own.connections.command;

  beforeAll(async () => {
    const clock = new SystemClock();
    const pages = new RedisRecordingPages(own.connections, new MissingRowsQueue(clock));
    store = new RedisRecordingStore(own.connections, pages, clock);
    writer = new RecordingWriter(store, new NoDispatch(), clock, new SystemRandom());
  });
  beforeEach(async () => {
    await redis().flushall();
    await new DataEpoch(own.connections).set();
  });

  const create = async (recording: StoredRecording): Promise<void> => {
    const result = await writer.create(recording, [], 'test');
    if (result.kind !== 'done') throw new Error(result.kind);
  };

  describe('that an earlier version wrote as hashes', () => {
    /** The row in the place of ours; the indexes are the same. */
    const asBefore = async (recording: StoredRecording): Promise<void> => {
      const key = keys.recording(recording.id);
      const [{ position, ...entry } = undefined!] = await store.history(recording.id);
      await redis().del(key);
      await redis().hset(key, {
        ...{ rev: String(recording.rev), doc: JSON.stringify(recording), found: foundBy(recording) },
        ...{ token: 'token-0', created: 'token-0', position: position.id },
        history: `${position.epoch}/${position.id} ${JSON.stringify(entry)}`,
      });
    };
    let recording: StoredRecording;
    beforeEach(async () => {
      recording = aRecording({ roomName: 'Weekly board' });
      await create(recording);
      await asBefore(recording);
    });

    it('are read by id, with their history', async () => {
      const found = await store.withHistory(recording.id);
      expect(found?.recording).toEqual(recording);
      expect(found?.history).toMatchObject([
        { version: 1, type: 'REQUESTED', changes: { id: recording.id } },
      ]);
      expect(await store.get(aRecordingId())).toBeNull();
    });

    it('are listed and found, and from then on stored as this version stores them', async () => {
      for (const more of [{}, { search: ['board'] }, { labels: {}, field: 'SIZE' as const }]) {
        await asBeforeAgain();
        const { items, total } = await store.page(aQuery(more));
        expect([items.map((item) => item.recording), total]).toEqual([[recording], 1]);
        expect(await redis().type(keys.recording(recording.id))).toBe('string');
      }
    });
    const asBeforeAgain = async (): Promise<void> => {
      if ((await redis().type(keys.recording(recording.id))) === 'string') await asBefore(recording);
    };

    it('go on with what happens to them, and know a commit that is sent again', async () => {
      const first = (await store.history(recording.id))[0]!.position;
      await asBeforeAgain();
      const step = { token: 'token-0', before: null, next: recording, cause: 'test', effects: [], at: T0 };
      const event = { type: 'REQUESTED', previousStatus: null } as const;
      expect(await store.commit({ ...step, event })).toEqual({ kind: 'done', position: first });
      await asBeforeAgain();
      const egress = anEgress(recording, { status: 'ACTIVE' });
      await writer.apply(recording.id, { kind: 'egress-seen', egress, at: T0 + 1 }, 'livekit');
      expect((await store.get(recording.id))?.status).toBe('ACTIVE');
      const history = await store.history(recording.id);
      expect(history.map(({ version }) => version)).toEqual([1, 2]);
      // A row that has gone on says where its creation was.
      expect(await store.commit({ ...step, event })).toEqual({ kind: 'done', position: first });
    });

    it('hold and free their rooms', async () => {
      const { id, roomId, rev } = recording;
      const slots = new RedisRoomSlots(own.connections, new SystemClock());
      expect(await slots.free({ roomId, recordingId: id, since: T0 }, rev)).toBe(true);
      await asBeforeAgain();
      expect(await slots.take({ id, roomId, rev })).toBe(true);
    });

    it('are read, and stay as they are, while Redis takes no writes', async () => {
      await redis().config('SET', 'maxmemory', '1');
      try {
        expect((await store.page(aQuery())).items).toHaveLength(1);
        expect((await store.get(recording.id))?.id).toBe(recording.id);
      } finally {
        await redis().config('SET', 'maxmemory', '0');
      }
      expect(await redis().type(keys.recording(recording.id))).toBe('hash');
    });
  });

  it('of a later version are neither read nor written over', async () => {
    const recording = aRecording();
    await create(recording);
    const key = keys.recording(recording.id);
    await redis().set(key, '3 something else\n\n');
    const unread = { message: expect.stringContaining('a format that this version does not read') };
    await expect(store.get(recording.id)).rejects.toMatchObject(unread);
    await expect(store.page(aQuery())).rejects.toMatchObject(unread);
    const egress = anEgress(recording, { status: 'ACTIVE' });
    const fact = { kind: 'egress-seen', egress, at: T0 + 1 } as const;
    await expect(writer.apply(recording.id, fact, 'livekit', undefined, recording)).rejects.toMatchObject(
      unread,
    );
    const back = { recording: { ...recording, rev: 9 }, history: [], effects: [] };
    const restorer = new RedisRecordingRestorer(own.connections, new SystemClock());
    await expect(restorer.restore([back], null)).rejects.toMatchObject(unread);
    expect(await redis().get(key)).toBe('3 something else\n\n');
  });

  describe('by the words that they are found by', () => {
    const WORDS = ['board', 'review', 'lesson'];
    const found = async (search: string, direction: 'ASC' | 'DESC', first: number): Promise<string[]> => {
      const ids: string[] = [];
      const query = aQuery({ search: [search], direction, first });
      for (let after: RecordingQuery['after'] = null; ;) {
        const page = await store.page({ ...query, after });
        ids.push(...page.items.map(({ recording }) => recording.id));
        if (!page.hasNextPage) return ids;
        after = page.endCursor;
      }
    };
    const over = (i: number, words: readonly string[], egressId: string): StoredRecording => {
      const made = aRecording({
        ...{ id: `rec_01JE${String(i).padStart(22, '0')}` as RecordingId, requestedAt: T0 + i, egressId },
        ...{ roomName: words.join(' '), roomId: aRoomId(`r${i % 3}`), status: 'COMPLETE' as const },
      });
      return { ...made, upkeep: { ...made.upkeep, holdsSlot: false } };
    };
    const remove = async (recording: StoredRecording): Promise<void> => {
      const upkeep = { ...recording.upkeep, deleted: true };
      const next = { ...recording, rev: recording.rev + 1, version: recording.version + 1, upkeep };
      const event = { type: 'DELETED', previousStatus: 'COMPLETE' } as const;
      const step = {
        token: recording.id,
        before: recording,
        next,
        event,
        cause: 'test',
        effects: [],
        at: T0,
      };
      expect((await store.commit(step)).kind).toBe('done');
      // An id comes back here, which one that was made by us never does.
      await redis().zrem(keys.deleted(), recording.id);
    };

    it('are found in order, whatever the order in which they came and went', async () => {
      for (const seed of [1, 2, 3, 4]) {
        const draw = seededRandom(seed);
        const next = (below: number): number => Math.floor(draw() * below);
        await redis().flushall();
        await new DataEpoch(own.connections).set();
        const alive = new Map<number, StoredRecording>();
        for (let step = 0; step < 500; step += 1) {
          // Mostly later than all before, as they come; now and then from anywhere, as they are restored.
          const i = next(2) === 0 ? next(400) : 400 + step;
          const had = alive.get(i);
          if (had !== undefined || (alive.size > 0 && next(8) === 0)) {
            const [one, gone] = had ? [i, had] : [...alive][next(alive.size)]!;
            await remove(gone);
            alive.delete(one);
          } else {
            const made = over(i, WORDS.slice(0, 1 + next(3)), `EG_${i}`);
            await create(made);
            alive.set(i, made);
          }
        }
        const all = [...alive.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
        for (const word of [...WORDS, 'r', 'les', 'r1']) {
          const want = all
            .filter(({ roomName, roomId }) =>
              [...roomName.split(' '), roomId].some((text) => text.startsWith(word)),
            )
            .map(({ id }) => id as string);
          expect(await found(word, 'ASC', 7)).toEqual(want);
          expect(await found(word, 'DESC', 100)).toEqual(want.toReversed());
          expect((await store.page(aQuery({ search: [word] }))).total).toBe(want.length);
        }
        for (const { egressId } of all.slice(0, 5))
          expect((await store.page(aQuery({ egressId }))).total).toBe(1);
        for (const recording of all) await remove(recording);
        expect(await redis().keys('{tl}:index:*')).toEqual([]);
      }
    });

    it('take a small part of what they took one by one', async () => {
      for (let i = 0; i < 1_000; i += 1) await create(over(i, WORDS, `EG_${i}`));
      const [words, chunks] = await Promise.all(
        [keys.words(), keys.postings()].map((key) => redis().memory('USAGE', key, 'SAMPLES', 0)),
      );
      // Three words and a room's id of each in chunks, and an egress' id that no other has.
      expect((words! + chunks!) / 1_000).toBeLessThan(4 * 45 + 150);
    });

    it('are found where an earlier version put the words, beside those of this one, and forgotten there', async () => {
      const [before, after] = [over(1, ['board'], 'EG_old'), over(2, ['board', 'review'], 'EG_new')];
      await create(before);
      await redis().del(keys.words(), keys.postings());
      const earlier = ['board', 'eg_old', 'r1'].flatMap((word) => [0, `${word}\0${before.id}`]);
      await redis().zadd(keys.earlierWords(), ...earlier);
      await redis().zadd(indexKeys.egress('EG_old'), T0, before.id);
      await create(after);
      for (const direction of ['ASC', 'DESC'] as const)
        expect((await found('board', direction, 1)).toSorted()).toEqual([before.id, after.id]);
      expect((await store.page(aQuery({ search: ['board'] }))).total).toBe(2);
      expect((await store.page(aQuery({ egressId: 'EG_old' }))).total).toBe(1);
      for (const recording of [before, after]) await remove(recording);
      expect(await redis().keys('{tl}:index:*')).toEqual([]);
    });
  });

  describe('on a page', () => {
    const ROOM = aRoomId('one');
    const COUNT = 260;
    beforeEach(async () => {
      for (let i = 0; i < COUNT; i += 1) {
        const status = (['COMPLETE', 'FAILED', 'ABORTED', 'ACTIVE'] as const)[i % 4]!;
        const over = aRecording({
          ...{ status, roomName: `Board ${i}`, roomId: i % 2 === 0 ? ROOM : aRoomId('two') },
          ...{ labels: { team: 'a', n: i % 5 }, requestedAt: T0 + i, endReason: 'STOP_REQUESTED' as const },
          ...(status !== 'ACTIVE' && { durationMs: (i * 7) % 50, sizeBytes: i }),
        });
        await create({ ...over, upkeep: { ...over.upkeep, holdsSlot: false } });
      }
    });
    /** What Redis carried out for it, those inside scripts too. */
    const commandsOf = async (work: () => Promise<unknown>): Promise<number> => {
      await work();
      await redis().config('RESETSTAT');
      await work();
      const info = await redis().info('commandstats');
      const calls = [...info.matchAll(/^cmdstat_(\S+):calls=(\d+)/gm)];
      return calls.reduce((sum, [, name, n]) => (name === 'config|resetstat' ? sum : sum + Number(n)), 0);
    };

    it.each<readonly [string, Partial<RecordingQuery>]>([
      ['of all', {}],
      ['of one room', { rooms: [ROOM] }],
      ['of one status', { statuses: ['COMPLETE'] }],
      ['of a label', { labels: { team: 'a' } }],
      ['of an end', { endReasons: ['STOP_REQUESTED'] }],
      ['in a time', { requestedAfter: T0 + 3, requestedBefore: T0 + 250 }],
      ['by size', { field: 'SIZE' }],
      ['of two labels, in two statuses', { labels: { team: 'a', n: 1 }, statuses: ['COMPLETE', 'FAILED'] }],
      ['by duration, which many share', { field: 'DURATION', direction: 'ASC' }],
    ])(
      'of a hundred, %s, takes no command for each, from the beginning and further on',
      async (_what, more) => {
        const first = await store.page(aQuery({ first: 20, ...more }));
        expect(first.items).toHaveLength(20);
        for (const after of [null, first.endCursor]) {
          const query = aQuery({ first: 100, after, ...more });
          expect(await commandsOf(() => store.page(query))).toBeLessThanOrEqual(15);
        }
      },
    );

    it.each<readonly [string, Partial<RecordingQuery>]>([
      ['two labels', { labels: { team: 'a', n: 1 } }],
      ['two labels by size', { labels: { team: 'a', n: 1 }, field: 'SIZE' }],
      ['a word', { search: ['board'] }],
      ['two words', { search: ['board', 'a'] }],
      ['a word and the beginning of many', { search: ['board', '1'] }],
      ['a word by size, in one room', { search: ['board'], rooms: [ROOM], field: 'SIZE' }],
      ['a word, with a label', { search: ['boa'], labels: { n: 1 } }],
    ])('that asks for %s takes no command for each that is looked at', async (_what, more) => {
      const query = aQuery({ first: 100, ...more });
      expect((await store.page(query)).items.length).toBeGreaterThan(20);
      expect(await commandsOf(() => store.page(query))).toBeLessThanOrEqual(55);
    });

    it('is read where some rows are gone, without asking twice for those that are there', async () => {
      const query = aQuery({ first: 100 });
      const before = (await store.page(query)).items.map(({ recording }) => recording.id);
      const gone = before.slice(10, 13) as RecordingId[];
      for (const id of gone) await redis().del(keys.recording(id));
      const { items } = await store.page(query);
      expect(items).toHaveLength(100);
      expect(items.slice(0, 97).map(({ recording }) => recording.id)).toEqual(
        before.filter((id) => !gone.includes(id)),
      );
    });
  });
});

function aQuery(query: Partial<RecordingQuery> = {}): RecordingQuery {
  return {
    ...{ rooms: null, statuses: RECORDING_STATUSES, requestedAfter: null, requestedBefore: null, labels: {} },
    ...{ field: 'REQUESTED_AT', direction: 'DESC', first: 20, after: null },
    ...query,
  };
}
