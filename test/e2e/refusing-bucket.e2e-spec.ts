import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { STOP } from '../support/operations.js';
import { becomes, livekitToken, openRoom, started } from '../support/recording-life.js';
import { S3Server } from '../support/s3-server.js';

const CREATE = `mutation($input: CreateShareLinkInput!) { createShareLink(input: $input) { url } }`;

describe('a bucket that does not let us delete, and sends media by itself', () => {
  let s3: S3Server;
  let stack: TestStack;
  let instance: TestInstance;

  beforeAll(async () => {
    s3 = await S3Server.start('meetings');
    s3.faults.push({ kind: 'refuse', operation: 'DeleteObjects', status: 403, code: 'AccessDenied' });
    stack = await startStack({
      ...s3.env(),
      MEDIA_DELIVERY: 'redirect',
    });
    instance = await stack.start();
  });
  afterAll(async () => {
    await stack.close();
    await s3.stop();
  });

  const ready = async (key?: string): Promise<string> => {
    const authorization = key === undefined ? '' : `Bearer ${key}`;
    const answer = await fetch(`${instance.url}/health/ready`, { headers: { authorization } });
    expect(answer.status).toBe(200);
    return answer.text();
  };

  it('is told with host, bucket and permission to an ADMIN, and plainly to everybody else', async () => {
    const detail = /127\.0\.0\.1:\d+.*bucket meetings.*403 AccessDenied.*s3:DeleteObject/;
    // Its first sweeps are over by then.
    const isTold = (said: string): boolean =>
      detail.test(said) && (JSON.parse(said) as { degraded: unknown[] }).degraded.length === 1;
    await eventually(async () => isTold(await ready(ADMIN_KEY)) || `it says ${await ready(ADMIN_KEY)}`, {
      withinMs: 15_000,
    });
    const viewer = await livekitToken({ roomJoin: true, room: 'a' });
    for (const key of [undefined, viewer]) {
      const told = JSON.parse(await ready(key)) as { checks: { storage: { problem: string } } };
      expect(told).toMatchObject({ status: 'degraded', degraded: ['storage'] });
      expect(told.checks.storage.problem).toMatch(/refuses access/);
      expect(told.checks.storage.problem).not.toMatch(/meetings|127\.0\.0\.1|s3:|probe-/);
    }
    const checks = async (): Promise<string> =>
      JSON.stringify((await instance.graphql('{ system { checks { name detail } } }')).data);
    await eventually(async () => detail.test(await checks()) || `it says ${await checks()}`, {
      withinMs: 15_000,
    });
  });

  it('plays to the holder of a share link from here, as that can be revoked, and to others from there', async () => {
    await openRoom(stack, instance, 'shared');
    const { id } = await started(instance, 'shared');
    await instance.graphql(STOP, { id });
    await becomes(instance, id, { status: 'COMPLETE' });
    const { data } = await instance.graphql<{ createShareLink: { url: string } }>(CREATE, {
      input: { recordingId: id },
    });
    const { pathname } = new URL(data.createShareLink.url);
    const shared = await fetch(`${instance.url}${pathname}/media`, { redirect: 'manual' });
    expect(shared.status).toBe(200);
    const bytes = Buffer.from(await shared.arrayBuffer());
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const own = await fetch(`${instance.url}/recordings/${id}/media`, { headers });
    expect([own.status, own.redirected, new URL(own.url).origin]).toEqual([200, true, s3.endpoint]);
    expect(Buffer.from(await own.arrayBuffer()).equals(bytes)).toBe(true);
  });
});
