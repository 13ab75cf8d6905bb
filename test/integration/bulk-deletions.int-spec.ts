import { SystemClock } from '../../src/kernel/clock.js';
import type { Actor } from '../../src/kernel/actor.js';
import { newBulkDeletionId } from '../../src/kernel/ids.js';
import type { BulkDeletion } from '../../src/bulk-deletions/domain/bulk-deletion.js';
import { RedisBulkDeletionNews } from '../../src/bulk-deletions/store/redis-bulk-deletion-news.js';
import { RedisBulkDeletionStore } from '../../src/bulk-deletions/store/redis-bulk-deletion.store.js';
import { FindBulkDeletions } from '../../src/bulk-deletions/use-cases/find-bulk-deletions.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { DataEpoch } from '../../src/redis/data-epoch.js';
import { aConfig } from '../support/a-config.js';
import { aRoomId } from '../support/builders.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

describe('bulk deletions in Redis', () => {
  let server: RedisServer;
  let connections: RedisConnections;
  let store: RedisBulkDeletionStore;
  let find: FindBulkDeletions;
  const clock = new SystemClock();
  const claim = { roomId: aRoomId() };

  beforeAll(async () => {
    server = await startRedisServer();
    connections = new RedisConnections(aConfig({ REDIS_URL: server.url }));
    store = new RedisBulkDeletionStore(connections, clock);
    find = new FindBulkDeletions(store, new RedisBulkDeletionNews(connections, clock), clock);
  });
  afterAll(async () => {
    connections.onApplicationShutdown();
    await server.close();
  });
  beforeEach(async () => {
    await connections.command.flushall();
    await new DataEpoch(connections).set();
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
    await store.create(bulk, ids);
    return bulk;
  };
  const failure = (recordingId: string) => ({
    recordingId,
    code: 'RECORDING_NOT_FOUND' as const,
    message: 'no',
    attempts: 1,
  });

  it('stores none while the mark that Redis is whole is missing', async () => {
    await connections.command.flushall();
    await expect(stored(['a'])).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect(await connections.command.keys('*')).toEqual([]);
  });

  it('gives what was named in its order, and what is to be tried again when its time has come', async () => {
    const { id } = await stored(['c', 'a', 'b']);
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
    const { id } = await stored(['a', 'b', 'c']);
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
    await store.finish(id);
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
    const { id } = await stored([], { scope: 'room', roomId: aRoomId(), expected: 5 });
    expect(await store.get(id)).toMatchObject({ status: 'QUEUED', total: 5, attempt: 0, collected: false });
    expect(await store.advance(id, { attempt: 1, found: ['a', 'b'], collectedTo: '"place"' })).toBe(2);
    expect(await store.get(id)).toMatchObject({ status: 'RUNNING', total: 5, collectedTo: '"place"' });
    expect(await store.advance(id, { found: ['b', 'c'], collectedTo: null })).toBe(1);
    await store.finish(id);
    expect(await store.get(id)).toMatchObject({
      status: 'RUNNING',
      total: 3,
      finishedAt: null,
      collected: true,
    });
    await store.advance(id, { deleted: ['a'], failed: [failure('b')], forgotten: ['c'] });
    expect(await store.advance(id, { found: ['b'] })).toBe(0);
    await store.finish(id);
    expect(await store.get(id)).toMatchObject({ status: 'COMPLETED_WITH_FAILURES', total: 2 });
  });

  it('keeps what has finished for days and no key for ever', async () => {
    const { id } = await stored(['a', 'b']);
    await store.advance(id, { attempt: 1, deleted: ['a'], failed: [failure('b')] });
    await store.finish(id);
    const own = (await connections.command.keys('*')).filter((key) => key.includes(id));
    expect(own.length).toBeGreaterThan(2);
    for (const key of own) expect(await connections.command.ttl(key)).toBeGreaterThan(6 * 86_400);
    expect(await store.abandoned(9)).toEqual([]);
  });

  it('finds those that nobody has touched for longer than they said, once', async () => {
    const { id } = await stored(['a'], { createdAt: clock.now() - 60_000 });
    expect(await store.abandoned(9)).toEqual([id]);
    expect(await store.abandoned(9)).toEqual([]);
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
      const { id } = await stored(['a'], fields);
      expect((await find.one(id, caller)) !== null).toBe(may);
    });
  });
});
