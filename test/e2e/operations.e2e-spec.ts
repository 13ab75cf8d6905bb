import { rename } from 'node:fs/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/app.js';
import { aConfig } from '../support/a-config.js';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { startRedisServer } from '../support/redis-server.js';

describe('whoever runs it', () => {
  let stack: TestStack;
  let instance: TestInstance;
  beforeAll(async () => {
    stack = await startStack();
    instance = await stack.start();
  });
  afterAll(() => stack.close());

  interface Readiness {
    readonly status: string;
    readonly degraded: readonly string[];
    readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly problem?: string }>>;
  }
  const ready = async (url = instance.url): Promise<Readiness> =>
    (await (await fetch(`${url}/health/ready`)).json()) as Readiness;

  it('sees that everything is ready', async () => {
    await eventually(async () => (await ready()).status === 'ready' || JSON.stringify(await ready()));
    expect(await ready()).toEqual({
      status: 'ready',
      degraded: [],
      checks: expect.objectContaining({ redis: { ok: true }, storage: { ok: true }, livekit: { ok: true } }),
    });
  });

  it('is told by name that Redis is away, while the process lives on and comes back', async () => {
    await stack.redis.kill();
    await eventually(async () => {
      const { status, checks } = await ready();
      return checks.redis?.ok === false || `it says ${status}`;
    });
    expect((await fetch(`${instance.url}/health/live`)).status).toBe(200);
    await stack.redis.restart();
    await eventually(async () => (await fetch(`${instance.url}/health/ready`)).status === 200 || 'not ready');
  });

  it('is told that Redis takes no writes, and that this process is not ready', async () => {
    await stack.redisClient.config('SET', 'maxmemory', '1mb');
    await eventually(
      async () => (await fetch(`${instance.url}/health/ready`)).status === 503 || 'still ready',
    );
    const told = await fetch(`${instance.url}/health/ready`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    expect(((await told.json()) as Readiness).checks.redis?.problem).toMatch(/takes no writes: it is full/);
    await stack.redisClient.config('SET', 'maxmemory', '0');
    await eventually(async () => (await fetch(`${instance.url}/health/ready`)).status === 200 || 'not ready');
  });

  it('is told that Redis may evict what is needed, by a process that is ready', async () => {
    await stack.redisClient.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await eventually(async () => (await ready()).degraded.includes('redis_settings') || 'not seen', {
      withinMs: 15_000,
    });
    const { checks } = await ready();
    expect(checks.redis_settings?.problem).toMatch(/maxmemory-policy allkeys-lru.*noeviction/);
    expect((await fetch(`${instance.url}/health/ready`)).status).toBe(200);
    await stack.redisClient.config('SET', 'maxmemory-policy', 'noeviction');
  });

  it('is told that the storage is away, where it is only as an ADMIN, by a process that is ready', async () => {
    await rename(stack.storageFolder, `${stack.storageFolder}-away`);
    try {
      await eventually(async () => (await ready()).degraded.includes('storage') || 'not seen');
      const [anybody, admin] = await Promise.all(
        [{ authorization: '' }, { authorization: `Bearer ${ADMIN_KEY}` }].map((headers) =>
          fetch(`${instance.url}/health/ready`, { headers }),
        ),
      );
      expect([anybody?.status, admin?.status]).toEqual([200, 200]);
      expect(await anybody?.text()).not.toContain(stack.storageFolder);
      expect(await admin?.text()).toContain('folder is gone');
    } finally {
      await rename(`${stack.storageFolder}-away`, stack.storageFolder);
    }
    await eventually(async () => (await ready()).status === 'ready' || 'not back');
  });

  it('is told that nobody runs jobs, by an instance that runs none', async () => {
    const lonely = await startStack();
    try {
      const worker = await lonely.start();
      const { url } = await lonely.start({ ROLE: 'api' });
      await worker.close();
      // As if it had been gone for a while.
      for (const name of await lonely.redisClient.zrange('{tl}:processes', 0, -1)) {
        if (name.startsWith('worker ')) await lonely.redisClient.zincrby('{tl}:processes', -20_000, name);
      }
      await eventually(
        async () => (await ready(url)).degraded.includes('workers') || JSON.stringify(await ready(url)),
      );
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    } finally {
      await lonely.close();
    }
  });

  it('is told of an unknown path, a broken body, an unknown type and a body too large, each in the one shape', async () => {
    const json = { 'content-type': 'application/json' };
    const post = (path: string, body: string, headers: Record<string, string> = json) =>
      fetch(`${instance.url}${path}`, { method: 'POST', body, headers });
    const answers = [
      await fetch(`${instance.url}/no/such/path`),
      await post('/livekit/webhook', '{"event":', json),
      await post('/livekit/webhook', 'x', { 'content-type': 'application/xml' }),
      await post('/livekit/webhook', `"${'x'.repeat(1_100_000)}"`, json),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 400, 415, 413]);
    for (const answer of answers) {
      const code = answer.status === 404 ? 'NOT_FOUND' : 'BAD_USER_INPUT';
      expect(await answer.json()).toEqual({ error: { code, message: expect.any(String) } });
    }
  });

  it('finds answers guarded against sniffing, framing and leaking addresses', async () => {
    const { headers } = await fetch(`${instance.url}/health/live`);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  describe('in another role or with other credentials', () => {
    let app: NestFastifyApplication | null = null;
    const boot = async (env: Record<string, string>): Promise<string> => {
      app = await createApp(aConfig({ ...stack.env, ...env }));
      await app.listen(0, '127.0.0.1');
      return app.getUrl();
    };
    afterEach(async () => {
      await app?.close();
      app = null;
    });

    it('finds a worker that serves its health alone', async () => {
      const url = await boot({ ROLE: 'worker' });
      await eventually(async () => (await ready(url)).status === 'ready' || JSON.stringify(await ready(url)));
      const query = await fetch(`${url}/graphql`, { method: 'POST', body: '{}' });
      expect([query.status, await query.json()]).toEqual([
        404,
        { error: { code: 'NOT_FOUND', message: expect.stringContaining('ROLE') } },
      ]);
    });

    it('finds one that only serves, on a Redis that no worker has filled yet, and is told whom it waits for', async () => {
      const empty = await startRedisServer();
      try {
        const url = await boot({ ROLE: 'api', REDIS_URL: empty.url });
        await eventually(async () => {
          const { status, checks } = await ready(url);
          const isTold = /waits for a worker.*ROLE is worker or all/.test(checks.rebuild?.problem ?? '');
          return (status === 'not ready' && isTold) || JSON.stringify(checks);
        });
      } finally {
        await app?.close();
        app = null;
        await empty.close();
      }
    });

    it('is told that LiveKit refuses the key pair, by a process that goes on', async () => {
      const url = await boot({ LIVEKIT_API_SECRET: 'another-secret-that-LiveKit-does-not-know' });
      await eventually(
        async () => (await ready(url)).status === 'degraded' || JSON.stringify(await ready(url)),
      );
      const { checks } = await ready(url);
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      expect(checks.livekit).toEqual({
        ok: false,
        problem: expect.stringMatching(/LIVEKIT_API_KEY|credentials/),
      });
      expect(checks.redis).toEqual({ ok: true });
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
    });
  });
});
