import { startStack, type TestStack } from '../support/app.js';
import { askToDelete, finished, readBulk } from '../support/bulk-deletions.js';
import { startChild } from '../support/child-instance.js';
import { eventually } from '../support/eventually.js';
import { plantRecordings } from '../support/planted-recordings.js';
import { S3Server } from '../support/s3-server.js';

describe('a bulk deletion whose process is killed', () => {
  let s3: S3Server;
  let stack: TestStack;

  beforeAll(async () => {
    s3 = await S3Server.start();
    stack = await startStack(s3.env());
  });
  afterAll(async () => {
    await stack.close();
    await s3.stop();
  });

  const plant = (count: number) =>
    plantRecordings(stack.redis.url, count, (key, body) => s3.plant(`recs/${key}`, body));

  it('in the middle of its rows is gone on with elsewhere within ten seconds, and nothing is told twice or wrong', async () => {
    const worker = await startChild({ ...stack.env, ROLE: 'worker' });
    const api = await stack.start({ ROLE: 'api' });
    const ids = (await plant(300)).map(({ id }) => id);
    const asked = await askToDelete(api, { ids });
    await eventually(
      async () => (await readBulk(api, asked.id))!.deletedCount > 0 || 'nothing is deleted yet',
      {
        withinMs: 10_000,
        everyMs: 5,
      },
    );
    await worker.kill();
    const left = (await readBulk(api, asked.id))!;
    expect(left.deletedCount).toBeLessThan(300);
    const other = await stack.start({ ROLE: 'worker' });
    await eventually(
      async () =>
        (await readBulk(api, asked.id))!.deletedCount > left.deletedCount || 'nobody goes on with it',
    );
    const bulk = await finished(api, asked.id);
    expect(bulk).toMatchObject({ status: 'COMPLETED', total: 300, deletedCount: 300, failedCount: 0 });
    // In the order in which they were deleted: what the kill cut off was done again, after others.
    expect([...bulk.deletedIds].sort()).toEqual([...ids].sort());
    expect([...s3.objects.keys()].filter((key) => ids.some((id) => key.includes(id)))).toEqual([]);
    expect(await stack.redisClient.zcard('{tl}:index:all:COMPLETE:requested')).toBe(0);
    await other.close();
  }, 90_000);

  it('while the storage has not answered yet tells what the storage then confirms', async () => {
    const worker = await startChild({ ...stack.env, ROLE: 'worker' });
    const api = await stack.start({ ROLE: 'api' });
    const ids = (await plant(20)).map(({ id }) => id);
    s3.faults.push({ kind: 'silent', operation: 'DeleteObjects', times: 1 });
    const before = s3.count('DeleteObjects');
    const asked = await askToDelete(api, { ids });
    await eventually(() => s3.count('DeleteObjects') > before || 'nothing is asked of the storage yet', {
      everyMs: 5,
    });
    await worker.kill();
    const other = await stack.start({ ROLE: 'worker' });
    const bulk = await finished(api, asked.id);
    expect(bulk).toMatchObject({ status: 'COMPLETED', deletedIds: ids, failedCount: 0 });
    await other.close();
  });
});
