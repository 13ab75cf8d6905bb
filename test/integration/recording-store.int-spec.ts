import fc from 'fast-check';
import { SystemClock } from '../../src/kernel/clock.js';
import { SystemRandom } from '../../src/kernel/random.js';
import { newRecording } from '../../src/recordings/domain/new-recording.js';
import type { RecordingId } from '../../src/kernel/ids.js';
import { isFinal, RECORDING_STATUSES, type StoredRecording } from '../../src/recordings/domain/recording.js';
import { foldHistory } from '../../src/recordings/store/history.js';
import type { PageCursor, RecordingQuery } from '../../src/recordings/store/recording-query.js';
import { canonicalJson } from '../../src/recordings/store/recording-query.js';
import { MissingRowsQueue } from '../../src/recordings/store/missing-rows-queue.js';
import { RedisRecordingPages } from '../../src/recordings/store/redis-recording-pages.js';
import { RedisRecordingStore } from '../../src/recordings/store/redis-recording.store.js';
import { RecordingWriter } from '../../src/recordings/write/recording.writer.js';
import { keys } from '../../src/redis/keys.js';
import { DataEpoch } from '../../src/redis/data-epoch.js';
import { aRecording, aRecordingId, aRoomId, anEgress, T0 } from '../support/builders.js';
import { NoDispatch } from '../support/no-dispatch.js';
import { ownRedis } from '../support/own-redis.js';

describe('recordings in Redis', () => {
  const own = ownRedis();
  let store: RedisRecordingStore;
  let writer: RecordingWriter;
  let mark: DataEpoch;
  const redis = () => own.connections.command;

  beforeAll(async () => {
    store = new RedisRecordingStore(
      own.connections,
      new RedisRecordingPages(own.connections, new MissingRowsQueue(new SystemClock())),
      new SystemClock(),
    );
    writer = new RecordingWriter(store, new NoDispatch(), new SystemClock(), new SystemRandom());
    mark = new DataEpoch(own.connections);
  });
  beforeEach(async () => {
    await redis().flushall();
    await mark.set();
  });

  const create = async (recording: StoredRecording): Promise<void> => {
    const result = await writer.create(recording, [], 'test');
    if (result.kind !== 'done') throw new Error(result.kind);
  };

  it('gives a room to one of fifty starts at once', async () => {
    const results = await Promise.all(
      Array.from({ length: 50 }, () => writer.create(aRecording({ id: aRecordingId() }), [], 'test')),
    );
    const won = results.filter((result) => result.kind === 'done');
    expect(won).toHaveLength(1);
    expect(await store.countInRoom(aRoomId())).toBe(1);
    expect(results.filter((result) => result.kind === 'slot-taken')).toHaveLength(49);
  });

  it('gives fifty starts with one key the same recording', async () => {
    const results = await Promise.all(
      Array.from({ length: 50 }, () =>
        writer.create(aRecording({ id: aRecordingId() }), [], 'test', {
          caller: 'admin',
          key: 'k',
          input: '{}',
        }),
      ),
    );
    const ids = new Set(
      results.map((result) => (result.kind === 'key-used' ? result.use.recordingId : null)),
    );
    ids.delete(null);
    expect(ids.size).toBe(1);
    expect(await store.countInRoom(aRoomId())).toBe(1);
  });

  it('loses no fact of fifty told at once: every version has its event', async () => {
    const recording = aRecording();
    await create(recording);
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        writer.apply(
          recording.id,
          {
            kind: 'egress-seen',
            egress: anEgress(recording, { egressId: `EG_${String(i).padStart(12, '0')}` }),
            at: T0 + i,
          },
          'livekit',
        ),
      ),
    );
    const stored = await store.get(recording.id);
    expect(Object.keys(stored?.upkeep.egresses ?? {})).toHaveLength(50);
    const history = await store.history(recording.id);
    expect(history.map((entry) => entry.version)).toEqual(
      Array.from({ length: stored!.version }, (_, i) => i + 1),
    );
  });

  it('keeps a history that folds to the row', async () => {
    const recording = aRecording({ labels: { team: 'a' } });
    await create(recording);
    for (const status of ['STARTING', 'ACTIVE', 'ENDING', 'COMPLETE'] as const) {
      await writer.apply(
        recording.id,
        { kind: 'egress-seen', egress: anEgress(recording, { status }), at: T0 + 1_000 },
        'livekit',
      );
    }
    const { rev: _rev, upkeep: _upkeep, ...row } = (await store.get(recording.id))!;
    expect(foldHistory(await store.history(recording.id)).at(-1)?.recording).toEqual(row);
  });

  it('files the effects in the commit, and the log and the wake-up with them', async () => {
    const recording = aRecording();
    await writer.create(recording, [{ do: 'write-metadata' }, { do: 'reconcile', at: T0 + 20_000 }], 'test');
    const filed = await store.outbox(0, 10);
    expect(filed.map(({ effect }) => effect.do).sort()).toEqual(['reconcile', 'write-metadata']);
    await store.ack(filed.map(({ entry }) => entry));
    expect(await store.outbox(0, 10)).toEqual([]);
    expect(await redis().xlen(keys.events())).toBe(1);
  });

  it('refuses every write while the mark that Redis is whole is missing', async () => {
    await redis().del(keys.epoch());
    await expect(create(aRecording())).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await expect(store.page(aQuery())).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect(await redis().keys('*')).toEqual([]);
  });

  it('forgets a deleted recording whole: no key, no index entry names it', async () => {
    const recording = aRecording({ labels: { a: 1, b: { c: [true] } } });
    await create(recording);
    await writer.apply(
      recording.id,
      { kind: 'start-refused', why: 'no', credentials: false, at: T0 + 10 },
      'livekit',
    );
    await writer.apply(recording.id, { kind: 'deletion-requested', by: 'admin', at: T0 + 20 }, 'admin');
    await writer.apply(recording.id, { kind: 'deleted', at: T0 + 30 }, 'admin');
    expect(await store.get(recording.id)).toBeNull();
    const left = (await redis().keys('*')).filter(
      (key) => ![keys.events(), keys.outbox(), keys.epoch(), keys.deleted()].includes(key),
    );
    expect(left).toEqual([]);
    expect([await store.wasDeleted(recording.id), await store.wasDeleted(aRecordingId())]).toEqual([
      true,
      false,
    ]);
  });

  it('stores no start in a room that is gone by the time of the commit, and takes no slot for it', async () => {
    const start = (id = aRecordingId()) => writer.create(aRecording({ id }), [], 'test', undefined, true);
    expect(await start()).toEqual({ kind: 'room-gone' });
    expect([await store.slotHolder(aRoomId()), await store.countInRoom(aRoomId())]).toEqual([null, 0]);
    await redis().set(keys.room(aRoomId()), '{}');
    expect(await start()).toMatchObject({ kind: 'done' });
  });

  describe('lists', () => {
    const rooms = [aRoomId('r1'), aRoomId('r2'), aRoomId('r3')];
    let all: StoredRecording[] = [];

    // Scores repeat on purpose: the order among equals has to be that of the ids, on every page.
    const fill = async (count: number): Promise<void> => {
      all = [];
      for (let i = 0; i < count; i++) {
        const pick = <T>(items: readonly T[], step: number): T => items[Math.floor(i / step) % items.length]!;
        const status = pick(RECORDING_STATUSES, 2);
        // One that is in progress has no values yet.
        const valued = isFinal(status);
        const durationMs = valued ? pick([null, 1_000, 2_000, 2_000, null, 9], 1) : null;
        const recording: StoredRecording = {
          ...newRecording({
            id: aRecordingId(),
            roomId: pick(rooms, 1),
            roomName: pick(['Weekly standup', 'Élan vital', 'weekend-trip', 'Retro'], 2),
            layout: 'GRID',
            preset: 'H264_720P_30',
            audioOnly: false,
            crashProof: false,
            maxDurationMs: 1,
            labels: {
              ...(i % 2 === 0 && { team: 'a' }),
              ...(i % 3 === 0 && { kind: { deep: [i % 2] } }),
              n: i % 7,
            },
            requestedAt: T0 + Math.floor(i / 4),
            startLimitMs: 1,
          }),
          status,
          endReason: pick([null, 'STOP_REQUESTED', 'ROOM_ENDED'] as const, 3),
          egressId: i % 4 === 0 ? null : `EG_${i % 40}`,
          durationMs,
          sizeBytes: i % 5 === 0 || !valued ? null : (i * 37) % 11,
        };
        const unslotted = { ...recording, upkeep: { ...recording.upkeep, holdsSlot: false } };
        await create(unslotted);
        all.push(unslotted);
      }
    };

    const expected = (query: RecordingQuery): string[] => {
      const holds = Object.entries(query.labels);
      const sign = query.direction === 'ASC' ? 1 : -1;
      const valueOf = (r: StoredRecording): number | null =>
        query.field === 'REQUESTED_AT'
          ? r.requestedAt
          : query.field === 'DURATION'
            ? r.durationMs
            : r.sizeBytes;
      const byId = (a: StoredRecording, b: StoredRecording): number => (a.id < b.id ? -1 : 1) * sign;
      return all
        .filter((r) => query.rooms === null || query.rooms.includes(r.roomId))
        .filter((r) => query.statuses.includes(r.status))
        .filter((r) => query.requestedAfter === null || r.requestedAt > query.requestedAfter)
        .filter((r) => query.requestedBefore === null || r.requestedAt < query.requestedBefore)
        .filter((r) => query.egressId == null || r.egressId === query.egressId)
        .filter(
          (r) => query.endReasons == null || (r.endReason !== null && query.endReasons.includes(r.endReason)),
        )
        .filter((r) => (query.search ?? []).every((word) => foundBy(r).some((text) => text.startsWith(word))))
        .filter((r) =>
          holds.every(
            ([name, value]) =>
              r.labels[name] !== undefined && canonicalJson(r.labels[name]!) === canonicalJson(value),
          ),
        )
        .sort((a, b) => {
          const [x, y] = [valueOf(a), valueOf(b)];
          if (x === null && y === null) return (a.requestedAt - b.requestedAt) * sign || byId(a, b);
          if (x === null) return 1;
          if (y === null) return -1;
          return (x - y) * sign || byId(a, b);
        })
        .map((r) => r.id);
    };

    const readAll = async (
      query: RecordingQuery,
      pages: Pick<RedisRecordingStore, 'page'> = store,
    ): Promise<{ ids: string[]; totals: Set<number | null> }> => {
      const ids: string[] = [];
      const totals = new Set<number | null>();
      let after: PageCursor | null = null;
      for (;;) {
        const page = await pages.page({ ...query, after });
        ids.push(...page.items.map((item) => item.recording.id));
        totals.add(page.total);
        if (!page.hasNextPage) return { ids, totals };
        expect(page.items.length).toBeGreaterThan(0);
        after = page.endCursor;
      }
    };

    /** As large lists are read. */
    class SmallPages extends RedisRecordingPages {
      protected override readonly limits = {
        ...{ selected: 8, siftedAtOnce: 5, sifted: 1_000, counted: 1_000, streams: 4 },
      };
    }

    it('page like a naive list in every combination of room, status, time, labels, ends and sort', async () => {
      await fill(140);
      const small = new SmallPages(own.connections, new MissingRowsQueue(new SystemClock()));
      const large = { page: (query: RecordingQuery) => small.read(query) };
      const anyQuery = fc.record({
        rooms: fc.option(fc.subarray(rooms), { nil: null }),
        statuses: fc.subarray([...RECORDING_STATUSES], { minLength: 1 }),
        requestedAfter: fc.option(fc.integer({ min: T0 - 1, max: T0 + 36 }), { nil: null }),
        requestedBefore: fc.option(fc.integer({ min: T0, max: T0 + 37 }), { nil: null }),
        labels: fc.constantFrom<RecordingQuery['labels']>(
          {},
          {},
          { team: 'a' },
          { team: 'a', kind: { deep: [0] } },
          { n: 3 },
          { n: 3, team: 'b' },
        ),
        egressId: fc.constantFrom(null, null, null, null, 'EG_1', 'EG_7', 'EG_nobody'),
        endReasons: fc.option(fc.subarray(['STOP_REQUESTED', 'ROOM_ENDED', 'STALE'] as const), { nil: null }),
        search: fc.oneof(
          { weight: 2, arbitrary: fc.constant(null) },
          {
            weight: 3,
            arbitrary: fc.uniqueArray(
              fc
                .nat(12)
                .map(
                  (n) =>
                    ['w', 'week', 'weekly', 'stand', 'elan', 'trip', 'r', 'r2', 'a'][n] ?? idWord(all, n),
                ),
              { maxLength: 3 },
            ),
          },
        ),
        field: fc.constantFrom('REQUESTED_AT' as const, 'DURATION' as const, 'SIZE' as const),
        direction: fc.constantFrom('ASC' as const, 'DESC' as const),
        first: fc.integer({ min: 1, max: 50 }),
      });
      await fc.assert(
        fc.asyncProperty(anyQuery, async (random) => {
          const query: RecordingQuery = { ...random, after: null };
          const want = expected(query);
          const { ids, totals } = await readAll(query);
          expect(ids).toEqual(want);
          expect([...totals]).toEqual([want.length]);
          const refused = { code: 'BAD_USER_INPUT' };
          const sifted = await readAll(query, large).catch((error: unknown) => error);
          const inRange = query.requestedAfter !== null || query.requestedBefore !== null;
          if (sifted instanceof Error && inRange && query.field !== 'REQUESTED_AT')
            expect(sifted).toMatchObject(refused);
          else expect(sifted).toEqual({ ids: want, totals: new Set([want.length]) });
        }),
        { numRuns: 300 },
      );
    });

    it.each(['e', 'eg_1', 'w', 'we', 'r2', 'rec_0'])(
      'find what begins with %s also where that is many words of many recordings, or nearly all',
      async (word) => {
        await fill(140);
        const small = new SmallPages(own.connections, new MissingRowsQueue(new SystemClock()));
        for (const search of [[word], [word, 'r']])
          for (const direction of ['ASC', 'DESC'] as const) {
            const query = aQuery({ search, direction, first: 9 });
            const { ids } = await readAll(query, { page: (asked) => small.read(asked) });
            expect(ids).toEqual(expected(query));
          }
      },
    );

    it('go on where too many were passed over for one page, and say from where', async () => {
      await fill(140);
      class TinyPages extends RedisRecordingPages {
        protected override readonly limits = {
          selected: 1,
          siftedAtOnce: 2,
          sifted: 2,
          counted: 10,
          streams: 4,
        };
      }
      const pages = new TinyPages(own.connections, new MissingRowsQueue(new SystemClock()));
      const query = aQuery({ labels: { team: 'a', n: 3, kind: { deep: [0] } }, first: 1 });
      const ids: string[] = [];
      let empty = 0;
      let page = await pages.read(query);
      for (; page.hasNextPage; page = await pages.read({ ...query, after: page.endCursor })) {
        expect([page.total, page.endCursor]).toEqual([null, expect.anything()]);
        if (page.items.length === 0) empty += 1;
        ids.push(...page.items.map(({ recording }) => recording.id));
      }
      ids.push(...page.items.map(({ recording }) => recording.id));
      expect(empty).toBeGreaterThan(0);
      expect(ids).toEqual(expected(query));
    });

    it.each([{}, { labels: { team: 'a', n: 0 } }, { field: 'SIZE' as const }])(
      'pass over rows that are gone, count them not, and say which (%o)',
      async (more) => {
        await fill(60);
        const query = aQuery({ first: 100, ...more });
        const lost = expected(query).slice(0, 3) as RecordingId[];
        for (const id of lost) await redis().del(keys.recording(id));
        const reported = new Set<RecordingId>();
        const missing = {
          report: (ids: readonly RecordingId[]) => ids.forEach((id) => reported.add(id)),
          isAwaited: (id: RecordingId) => reported.has(id),
        };
        const pages = new RedisRecordingPages(own.connections, missing);
        const page = await pages.read(query);
        const left = expected(query).slice(3);
        expect(page).toMatchObject({ total: left.length, hasNextPage: false });
        expect(page.items.map(({ recording }) => recording.id)).toEqual(left);
        expect([...reported].sort()).toEqual([...lost].sort());
        const two = await pages.read({ ...query, first: 2 });
        expect(two.items.map(({ recording }) => recording.id)).toEqual(left.slice(0, 2));
        expect(two.hasNextPage).toBe(left.length > 2);
      },
    );

    it('are of the moment at which the first of several reads was made: what happens later is after it', async () => {
      await fill(60);
      const query = aQuery({ labels: { team: 'a', n: 0 }, first: 4 });
      await redis().del(keys.recording(expected(query)[0] as RecordingId));
      const [[before] = []] = await redis().xrevrange(keys.events(), '+', '-', 'COUNT', 1);
      let happened = 0;
      const missing = {
        // The first read has passed over the row that is gone, and the others are still to come.
        report: () => {
          happened += 1;
          void redis().xadd(keys.events(), '*', 'event', '{}');
        },
        isAwaited: () => false,
      };
      const page = await new SmallPages(own.connections, missing).read(query);
      expect(happened).toBe(1);
      expect(page.items.map(({ recording }) => recording.id)).toEqual(expected(query).slice(1, 5));
      expect(page.position.id).toBe(before);
    });

    it('go on after a recording that has left the list since', async () => {
      await fill(20);
      const query = aQuery({ first: 5, direction: 'ASC' });
      const first = await store.page(query);
      const last = first.items.at(-1)!;
      await redis().zrem(keys.index('all', `${last.recording.status}:requested`), last.recording.id);
      const second = await store.page({ ...query, after: last.cursor });
      expect(second.items.map((item) => item.recording.id)).toEqual(expected(query).slice(5, 10));
    });
  });
});

/** Beginnings of ids: of all, of some and of one recording, and of egresses. */
function idWord(all: readonly StoredRecording[], n: number): string {
  const { id } = all[n * 3]!;
  return [id.slice(0, 3), id.slice(0, -1), id, 'EG_2'][n % 4]!.toLowerCase();
}

/** What the fixtures' recordings are found by. */
function foundBy({ id, egressId, roomId, roomName, labels }: StoredRecording): string[] {
  const words = roomName.replace('É', 'E').split(/[ -]/);
  const { team, kind, n } = labels as { team?: string; kind?: { deep: number[] }; n: number };
  const values = [team ?? '', ...(kind?.deep ?? []).map(String), String(n)];
  return [id, egressId ?? '', roomId, roomName, ...words, ...values].map((text) => text.toLowerCase());
}

function aQuery(query: Partial<RecordingQuery> = {}): RecordingQuery {
  return {
    rooms: null,
    statuses: RECORDING_STATUSES,
    requestedAfter: null,
    requestedBefore: null,
    labels: {},
    field: 'REQUESTED_AT',
    direction: 'DESC',
    first: 20,
    after: null,
    ...query,
  };
}
