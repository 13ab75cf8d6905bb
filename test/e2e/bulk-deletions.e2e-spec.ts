import fc from 'fast-check';
import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { API_KEY, API_SECRET, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { askToDelete, type BulkSeen, finished, readBulk } from '../support/bulk-deletions.js';
import { aRecordingId } from '../support/builders.js';
import { eventually } from '../support/eventually.js';
import { createRoom, startIn } from '../support/operations.js';
import { plantRecordings } from '../support/planted-recordings.js';
import { S3Server } from '../support/s3-server.js';

describe('a bulk deletion', () => {
  let s3: S3Server;
  let stack: TestStack;
  let instance: TestInstance;

  beforeAll(async () => {
    s3 = await S3Server.start();
    stack = await startStack({
      ...s3.env(),
      BULK_DELETE_ATTEMPTS: '3',
      BULK_DELETE_BACKOFF: '100ms',
    });
    instance = await stack.start();
  });
  afterAll(async () => {
    await stack.close();
    await s3.stop();
  });
  beforeEach(() => {
    s3.faults.length = 0;
  });

  const plant = (count: number, fields = {}) =>
    plantRecordings(stack.redis.url, count, (key, body) => s3.plant(`recs/${key}`, body), fields);
  const objectsOf = (id: string): string[] =>
    [...s3.objects.keys()].filter((key) => key.includes(id)).toSorted();
  const isThere = async (id: string): Promise<boolean> =>
    (await instance.graphql(`{ recording(id: "${id}") { id } }`)).code === null;

  it('deletes what was named, once each, in that order, and tells of each other one why not', async () => {
    const [a, b, c] = (await plant(3)).map(({ id }) => id);
    const [elsewhere] = await plant(1, { roomId: 'room-2' });
    const unknown = aRecordingId();
    const asked = await askToDelete(instance, {
      ids: [b!, a!, b!, unknown, 'no-id', elsewhere!.id, c!],
      roomId: 'room-1',
    });
    expect(asked).toMatchObject({ total: 6, dryRun: false, roomId: 'room-1' });
    const bulk = await finished(instance, asked.id);
    expect(bulk).toMatchObject({
      status: 'COMPLETED_WITH_FAILURES',
      total: 6,
      deletedCount: 3,
      failedCount: 3,
      attempt: 1,
      deletedIds: [b, a, c],
    });
    expect(new Map(bulk.failures.map(({ recordingId, code }) => [recordingId, code]))).toEqual(
      new Map([
        [unknown, 'RECORDING_NOT_FOUND'],
        ['no-id', 'RECORDING_NOT_FOUND'],
        [elsewhere!.id, 'RECORDING_NOT_IN_ROOM'],
      ]),
    );
    for (const id of [a!, b!, c!]) expect([await isThere(id), objectsOf(id)]).toEqual([false, []]);
    expect(objectsOf(elsewhere!.id)).toHaveLength(2);
  });

  it('deletes a thousand with a few requests, and pages what it deleted', async () => {
    const ids = (await plant(1_000)).map(({ id }) => id);
    const before = s3.count('DeleteObjects');
    const asked = await askToDelete(instance, { ids });
    const bulk = await finished(instance, asked.id);
    expect(bulk).toMatchObject({ status: 'COMPLETED', deletedCount: 1_000, failedCount: 0 });
    expect(bulk.deletedIds).toEqual(ids);
    // Two for all of them, and two after each group of rows; what is filed for the room counts too.
    expect(s3.count('DeleteObjects') - before).toBeLessThan(60);
    const page = await instance.graphql<{ bulkDeletion: { deletedIds: string[] } }>(
      `{ bulkDeletion(id: "${asked.id}") { deletedIds(first: 10, offset: 990) } }`,
    );
    expect(page.data.bulkDeletion.deletedIds).toEqual(ids.slice(990));
  });

  it('believes the storage key by key: what is refused stays whole, is tried again, and is told at last', async () => {
    const [kept, gone] = (await plant(2)).map(({ id }) => id);
    const media = `recs/recordings/room-1/${kept}.mp4`;
    s3.faults.push({ kind: 'refuse-keys', operation: 'DeleteObjects', keys: [media], code: 'AccessDenied' });
    const asked = await askToDelete(instance, { ids: [kept!, gone!] });
    const bulk = await finished(instance, asked.id);
    expect(bulk).toMatchObject({ deletedIds: [gone], failedCount: 1, attempt: 3 });
    expect(bulk.failures).toEqual([
      {
        recordingId: kept,
        code: 'STORAGE_UNAVAILABLE',
        message: expect.stringContaining('AccessDenied'),
        attempts: 3,
      },
    ]);
    expect([await isThere(kept!), objectsOf(kept!).length]).toEqual([true, 2]);
    s3.faults.length = 0;
    const again = await finished(instance, (await askToDelete(instance, { ids: [kept!] })).id);
    expect([again.status, objectsOf(kept!)]).toEqual(['COMPLETED', []]);
  });

  it('takes a key of which the storage says nothing for not deleted, until it says so', async () => {
    const [one] = (await plant(1)).map(({ id }) => id);
    const media = `recs/recordings/room-1/${one}.mp4`;
    s3.faults.push({ kind: 'unmentioned', operation: 'DeleteObjects', keys: [media], times: 1 });
    const bulk = await finished(instance, (await askToDelete(instance, { ids: [one!] })).id);
    expect(bulk).toMatchObject({ status: 'COMPLETED', deletedIds: [one], attempt: 2 });
  });

  it('outlasts a storage that is away for less than its tries take', async () => {
    const ids = (await plant(3)).map(({ id }) => id);
    s3.faults.push({
      kind: 'refuse',
      operation: 'DeleteObjects',
      status: 403,
      code: 'AccessDenied',
      times: 1,
    });
    const bulk = await finished(instance, (await askToDelete(instance, { ids })).id);
    expect(bulk).toMatchObject({ status: 'COMPLETED', deletedCount: 3 });
  });

  it('whose record could not be removed after its media was says so, and the deletion is carried through all the same', async () => {
    const [one] = (await plant(1)).map(({ id }) => id);
    const record = `recs/recordings/.metadata/room-1/${one}.json`;
    s3.faults.push({ kind: 'refuse-keys', operation: 'DeleteObjects', keys: [record], code: 'SlowDown' });
    const bulk = await finished(instance, (await askToDelete(instance, { ids: [one!] })).id);
    expect(bulk).toMatchObject({ status: 'COMPLETED_WITH_FAILURES', deletedCount: 0 });
    s3.faults.length = 0;
    await eventually(async () => !(await isThere(one!)) || 'it is still there');
    expect(objectsOf(one!)).toEqual([]);
  });

  it('shows in a dry run exactly what the real run then does, and changes nothing', async () => {
    const anyCase = fc.array(
      fc.record({
        status: fc.constantFrom('COMPLETE', 'FAILED', 'ABORTED', 'ACTIVE', 'ENDING'),
        roomId: fc.constantFrom('dry-1', 'dry-2'),
        known: fc.boolean(),
      }),
      { minLength: 1, maxLength: 6 },
    );
    const shown = ({ status, total, deletedIds, failures }: BulkSeen) => ({
      ...{ status, total, deletedIds },
      failures: failures.toSorted((a, b) => (a.recordingId < b.recordingId ? -1 : 1)),
    });
    await fc.assert(
      fc.asyncProperty(anyCase, fc.option(fc.constantFrom('dry-1', 'dry-2')), async (cases, roomId) => {
        const ids: string[] = [];
        for (const { known, ...fields } of cases)
          ids.push(known ? (await plant(1, fields))[0]!.id : aRecordingId());
        const variables = { ids: [...ids, ids[0]!], ...(roomId !== null && { roomId }) };
        const objects = [...s3.objects.keys()].toSorted();
        const dry = await finished(
          instance,
          (await askToDelete(instance, { ...variables, dryRun: true })).id,
        );
        expect([...s3.objects.keys()].toSorted()).toEqual(objects);
        for (const id of dry.deletedIds) expect(await isThere(id)).toBe(true);
        const real = await finished(instance, (await askToDelete(instance, variables)).id);
        expect(shown(dry)).toEqual(shown(real));
        for (const id of real.deletedIds) expect([await isThere(id), objectsOf(id)]).toEqual([false, []]);
      }),
      { numRuns: 12 },
    );
  });

  it('does not touch a recording in progress that was named', async () => {
    await createRoom(instance, 'busy');
    stack.simulator.openRoom('busy');
    const { recording } = await startIn(instance, 'busy');
    const bulk = await finished(instance, (await askToDelete(instance, { ids: [recording!.id] })).id);
    expect(bulk.failures).toMatchObject([{ code: 'RECORDING_NOT_STOPPED', attempts: 1 }]);
    expect(await isThere(recording!.id)).toBe(true);
    stack.simulator.endEgress(recording!.egressId!, 'source-closed');
  });

  it('is shown as it goes on to who subscribes, on another instance, and completes', async () => {
    const other = await stack.start();
    const ids = (await plant(250)).map(({ id }) => id);
    const asked = await askToDelete(instance, { ids });
    const seen: BulkSeen[] = [];
    const subscription = other.subscriber().iterate<{ bulkDeletionProgress: BulkSeen }>({
      query: `subscription { bulkDeletionProgress(id: "${asked.id}") { id status total deletedCount failedCount } }`,
    });
    for await (const { data } of subscription) seen.push(data!.bulkDeletionProgress);
    const counts = seen.map(({ deletedCount }) => deletedCount);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({ status: 'COMPLETED', deletedCount: 250, total: 250 });
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(seen.length);
    const late = other
      .subscriber()
      .iterate({ query: `subscription { bulkDeletionProgress(id: "${asked.id}") { status } }` });
    const all = [];
    for await (const { data } of late) all.push(data);
    expect(all).toEqual([{ bulkDeletionProgress: { status: 'COMPLETED' } }]);
    await other.close();
  });

  it('survives that Redis is restarted in the middle', async () => {
    const ids = (await plant(400)).map(({ id }) => id);
    const asked = await askToDelete(instance, { ids });
    await eventually(
      async () => (await readBulk(instance, asked.id))!.deletedCount > 0 || 'nothing is deleted yet',
    );
    await stack.redis.kill();
    await stack.redis.restart();
    const bulk = await finished(instance, asked.id);
    expect(bulk).toMatchObject({ status: 'COMPLETED', deletedCount: 400, failedCount: 0 });
    // In the order in which they were deleted: what the restart cut off was done again, after others.
    expect([...bulk.deletedIds].sort()).toEqual([...ids].sort());
    for (const id of ids) expect(objectsOf(id)).toEqual([]);
  });

  it('is for who may delete, and finds no more than the caller sees', async () => {
    const token = async (grant: VideoGrant): Promise<string> => {
      const made = new AccessToken(API_KEY, API_SECRET, { identity: 'ann' });
      made.addGrant(grant);
      return made.toJwt();
    };
    const [own] = await plant(1, { roomId: 'ann-1' });
    const [hidden] = await plant(1, { roomId: 'bob-1' });
    const ids = [own!.id, hidden!.id];
    const admin = await token({ roomAdmin: true, room: 'ann-1' });
    const guest = await token({ roomJoin: true, room: 'ann-1' });
    await expect(askToDelete(instance, { ids }, guest)).rejects.toThrow('FORBIDDEN');
    await expect(askToDelete(instance, { ids, roomId: 'bob-1' }, admin)).rejects.toThrow('ROOM_NOT_FOUND');
    const bulk = await finished(instance, (await askToDelete(instance, { ids }, admin)).id);
    expect(bulk).toMatchObject({
      deletedIds: [own!.id],
      failures: [{ recordingId: hidden!.id, code: 'RECORDING_NOT_FOUND' }],
    });
    expect(await readBulk(instance, bulk.id, admin)).toEqual(bulk);
    expect(await readBulk(instance, bulk.id, await token({ roomAdmin: true, room: 'bob-1' }))).toBeNull();
    expect(objectsOf(hidden!.id)).toHaveLength(2);
  });

  it('is refused for no ids, for too many, and read by nobody where there is none', async () => {
    await expect(askToDelete(instance, { ids: [] })).rejects.toThrow('BAD_USER_INPUT');
    await expect(
      askToDelete(instance, { ids: Array.from({ length: 1_001 }, (_, i) => `x${i}`) }),
    ).rejects.toThrow('BAD_USER_INPUT');
    expect(await readBulk(instance, 'del_01JD9000000000000000000000')).toBeNull();
    expect(await readBulk(instance, 'nonsense')).toBeNull();
  });
});
