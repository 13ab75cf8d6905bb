import { SystemClock } from '../../src/kernel/clock.js';
import type { Actor } from '../../src/kernel/actor.js';
import { newBulkDeletionId } from '../../src/kernel/ids.js';
import {
  type BulkDeletion,
  LEFT_TO_THE_JOB,
  type Opening,
} from '../../src/bulk-deletions/domain/bulk-deletion.js';
import { BOUNDS } from '../../src/kernel/bounds.js';
import { keys } from '../../src/redis/keys.js';
import { RedisBulkDeletionNews } from '../../src/bulk-deletions/store/redis-bulk-deletion-news.js';
import { RedisBulkDeletionStore } from '../../src/bulk-deletions/store/redis-bulk-deletion.store.js';
import { FindBulkDeletions } from '../../src/bulk-deletions/use-cases/find-bulk-deletions.js';
import { DataEpoch } from '../../src/redis/data-epoch.js';
import { aRoomId } from '../support/builders.js';
import { ownRedis } from '../support/own-redis.js';

describe('bulk deletions in Redis', () => {
  const own = ownRedis();
  let store: RedisBulkDeletionStore;
  let find: FindBulkDeletions;
  const clock = new SystemClock();
  const claim = { roomId: aRoomId() };

  beforeAll(async () => {
    store = new RedisBulkDeletionStore(own.connections, clock);
    find = new FindBulkDeletions(store, new RedisBulkDeletionNews(own.connections, clock), clock);
  });
  beforeEach(async () => {
    await own.connections.command.flushall();
    await new DataEpoch(own.connections).set();
  });

  const aBulk = (fields: Partial<BulkDeletion> = {}): BulkDeletion => ({
    id: newBulkDeletionId(clock.now()),
    requestedBy: { name: 'alice', callerId: 'identity:alice' },
    visibleRooms: null,
    scope: 'ids',
    roomId: null,
    dryRun: false,
    createdAt: clock.now(),
    expected: 0,
    ...fields,
  });
  const stored = async (
    ids: readonly string[],
    fields: Partial<BulkDeletion> = {},
  ): Promise<BulkDeletion> => {
    const bulk = aBulk({ expected: ids.length, ...fields });
    expect(await store.create(bulk, { ...LEFT_TO_THE_JOB, pending: ids })).toBe(true);
    return bulk;
  };
  const failure = (recordingId: string) => ({
    recordingId,
    code: 'RECORDING_NOT_FOUND' as const,
    message: 'no',
    attempts: 1,
  });

  it('stores none while the mark that Redis is whole is missing', async () => {
    await own.connections.command.flushall();
    await expect(stored(['a'])).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect(await own.connections.command.keys('*')).toEqual([]);
  });

  it('gives what was named in its order, and what is to be tried again when its time has come', async () => {
    const bulk = await stored(['c', 'a', 'b']);
    const { id } = bulk;
    const now = clock.now();
    expect((await store.due(id, now, 2)).entries.map((one) => one.recordingId)).toEqual(['c', 'a']);
    await store.advance(id, {
      attempt: 1,
      later: [{ recordingId: 'c', work: { attempts: 1 }, dueAt: now + 5_000 }],
    });
    const left = await store.due(id, now, 9);
    expect(left.entries.map((one) => one.recordingId)).toEqual(['a', 'b']);
    await store.advance(id, { deleted: ['a', 'b'] });
    expect(await store.due(id, now, 9)).toEqual({ entries: [], nextAt: now + 5_000 });
    expect((await store.due(id, now + 5_000, 9)).entries).toEqual([
      { recordingId: 'c', work: { attempts: 1 } },
    ]);
  });

  it('settles each recording once, whatever a process that was held up says of it later', async () => {
    const bulk = await stored(['a', 'b', 'c']);
    const { id } = bulk;
    await store.advance(id, { attempt: 2, claimed: [{ recordingId: 'b', work: { attempts: 0, claim } }] });
    await store.advance(id, { deleted: ['a'] });
    await store.advance(id, {
      attempt: 1,
      deleted: ['a'],
      later: [{ recordingId: 'a', work: { attempts: 3 }, dueAt: 0 }],
      // Seen before another process claimed b, and gone because that one deleted it.
      failed: [failure('a'), { ...failure('b'), unlessClaimed: true }],
    });
    expect(await store.get(id)).toMatchObject({ attempt: 2, total: 3, deletedCount: 1, failedCount: 0 });
    await store.advance(id, { deleted: ['b'], failed: [failure('c')] });
    await store.finish(bulk);
    await store.advance(id, { attempt: 9, found: ['d'], deleted: ['c'] });
    expect(await store.get(id)).toMatchObject({
      status: 'COMPLETED_WITH_FAILURES',
      attempt: 2,
      total: 3,
      deletedCount: 2,
      failedCount: 1,
    });
    expect([await store.deletedIds(id, 9, 0), await store.failures(id, 9, 0)]).toEqual([
      ['a', 'b'],
      [failure('c')],
    ]);
  });

  it('does not finish while anything is left, and counts what a room turns out to have', async () => {
    const bulk = await stored([], { scope: 'room', roomId: aRoomId(), expected: 5 });
    const { id } = bulk;
    expect(await store.get(id)).toMatchObject({ status: 'QUEUED', total: 5, attempt: 0, collected: false });
    expect(await store.advance(id, { attempt: 1, found: ['a', 'b'], collectedTo: '"place"' })).toBe(2);
    expect(await store.get(id)).toMatchObject({ status: 'RUNNING', total: 5, collectedTo: '"place"' });
    expect(await store.advance(id, { found: ['b', 'c'], collectedTo: null })).toBe(1);
    await store.finish(bulk);
    expect(await store.get(id)).toMatchObject({
      status: 'RUNNING',
      total: 3,
      finishedAt: null,
      collected: true,
    });
    await store.advance(id, { deleted: ['a'], failed: [failure('b')], forgotten: ['c'] });
    expect(await store.advance(id, { found: ['b'] })).toBe(0);
    await store.finish(bulk);
    expect(await store.get(id)).toMatchObject({ status: 'COMPLETED_WITH_FAILURES', total: 2 });
  });

  it('keeps what has finished for days and no key for ever', async () => {
    const bulk = await stored(['a', 'b']);
    const { id } = bulk;
    await store.advance(id, { attempt: 1, deleted: ['a'], failed: [failure('b')] });
    await store.finish(bulk);
    const owned = (await own.connections.command.keys('*')).filter((key) => key.includes(id));
    expect(owned.length).toBeGreaterThan(2);
    for (const key of owned) expect(await own.connections.command.ttl(key)).toBeGreaterThan(6 * 86_400);
    expect(await store.abandoned(9)).toEqual([]);
  });

  it('finds those that nobody has touched for longer than they said, once', async () => {
    const bulk = await stored(['a'], { createdAt: clock.now() - 60_000 });
    const { id } = bulk;
    expect(await store.abandoned(9)).toEqual([id]);
    expect(await store.abandoned(9)).toEqual([]);
  });

  describe('of which everything is known when they are asked for', () => {
    const unseen = ['rec_1', 'rec_2', 'rec_3'];
    const settled = async (opening: Partial<Opening>, fields: Partial<BulkDeletion> = {}) => {
      const bulk = aBulk(fields);
      await store.create(bulk, { ...LEFT_TO_THE_JOB, ...opening });
      return bulk;
    };

    it('have finished, are nobody’s work, and are kept for minutes', async () => {
      const { id } = await settled({ unseen });
      expect(await store.get(id)).toMatchObject({
        ...{ status: 'COMPLETED_WITH_FAILURES', total: 3, deletedCount: 0, failedCount: 3, attempt: 1 },
        finishedAt: expect.any(Number),
      });
      expect(await store.abandoned(9)).toEqual([]);
      const owned = (await own.connections.command.keys('*')).filter((key) => key.includes(id));
      for (const key of owned) expect(await own.connections.command.ttl(key)).toBeLessThanOrEqual(600);
    });

    it('show what was refused and what was not seen as one list', async () => {
      const { id } = await settled(
        { unseen, failed: [failure('a'), failure('b')], deleted: ['c'] },
        { dryRun: true },
      );
      const all = (await store.failures(id, 9, 0)).map(({ recordingId }) => recordingId);
      expect(all).toEqual(['a', 'b', ...unseen]);
      const paged = await Promise.all([0, 2, 4].map((offset) => store.failures(id, 2, offset)));
      expect(paged.flat().map(({ recordingId }) => recordingId)).toEqual(all);
      expect(await store.deletedIds(id, 9, 0)).toEqual(['c']);
    });

    it('are kept for so many of one caller, and none of another is lost for them', async () => {
      const others = await settled({ unseen }, { requestedBy: { name: 'bob', callerId: 'bob' } });
      const first = await settled({ unseen }, { createdAt: 1 });
      for (let i = 0; i < BOUNDS.bulkDeletionsKept; i += 1) await settled({ unseen });
      expect([await store.get(first.id), (await store.get(others.id))?.failedCount]).toEqual([null, 3]);
    });
  });

  it('are refused to who has as many under way as it may, until one has finished', async () => {
    const open: BulkDeletion[] = [];
    for (let i = 0; i < BOUNDS.bulkDeletionsPerCaller; i += 1) open.push(await stored(['a']));
    const [before, more] = [await own.connections.command.dbsize(), aBulk()];
    expect(await store.create(more, { ...LEFT_TO_THE_JOB, pending: ['a'] })).toBe(false);
    expect([await store.get(more.id), await own.connections.command.dbsize()]).toEqual([null, before]);
    // Others, dry runs and what has finished at once have places of their own, or none.
    await stored(['a'], { requestedBy: { name: 'bob', callerId: 'bob' } });
    await stored([], { scope: 'room', roomId: aRoomId(), dryRun: true });
    await stored([]);
    const [first] = open as [BulkDeletion];
    await store.advance(first.id, { attempt: 1, deleted: ['a'] });
    await store.finish(first);
    await stored(['a']);
    expect(await own.connections.command.zcard(keys.bulkDeletionsOf('identity:alice', 'under-way'))).toBe(
      BOUNDS.bulkDeletionsPerCaller,
    );
  });

  describe('are read by', () => {
    const actor = (fields: Partial<Actor>): Actor => ({
      name: 'someone',
      callerId: 'identity:someone',
      role: 'RECORDER',
      rooms: null,
      mayDelete: true,
      ...fields,
    });
    const room = aRoomId();
    const other = aRoomId('other');

    it.each([
      ['who asked for it', actor({ callerId: 'identity:alice' }), {}, true],
      ['an ADMIN', actor({ role: 'ADMIN' }), {}, true],
      ['nobody else', actor({}), {}, false],
      [
        'an ADMIN of its room',
        actor({ role: 'ADMIN', rooms: [room] }),
        { scope: 'room', roomId: room },
        true,
      ],
      [
        'no ADMIN of another room',
        actor({ role: 'ADMIN', rooms: [other] }),
        { scope: 'room', roomId: room },
        false,
      ],
      ['no ADMIN of one room where it was about all', actor({ role: 'ADMIN', rooms: [room] }), {}, false],
      [
        'none of the same name with another room',
        actor({ callerId: 'identity:alice', rooms: [other] }),
        { visibleRooms: [room] },
        false,
      ],
    ] as const)('%s', async (_who, caller, fields, may) => {
      const bulk = await stored(['a'], fields);
      const { id } = bulk;
      expect((await find.one(id, caller)) !== null).toBe(may);
    });
  });
});
