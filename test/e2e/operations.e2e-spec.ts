import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/app.js';
import { aConfig } from '../support/a-config.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';

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
    readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly problem?: string }>>;
  }
  const ready = async (url = instance.url): Promise<Readiness> =>
    (await (await fetch(`${url}/health/ready`)).json()) as Readiness;

  it('sees that everything is ready', async () => {
    expect(await ready()).toEqual({
      status: 'ready',
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
    await eventually(
      async () => (await fetch(`${instance.url}/health/ready`)).status === 200 || 'not ready',
      {
        withinMs: 10_000,
      },
    );
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
      expect(await answer.json()).toEqual({ error: { code: 'BAD_USER_INPUT', message: expect.any(String) } });
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
      expect((await ready(url)).status).toBe('ready');
      const query = await fetch(`${url}/graphql`, { method: 'POST', body: '{}' });
      expect([query.status, await query.json()]).toEqual([
        404,
        { error: { code: 'BAD_USER_INPUT', message: expect.stringContaining('ROLE') } },
      ]);
    });

    it('is told that LiveKit refuses the key pair, by a process that goes on', async () => {
      const url = await boot({ LIVEKIT_API_SECRET: 'another-secret-that-LiveKit-does-not-know' });
      const { status, checks } = await ready(url);
      expect(status).toBe('not ready');
      expect(checks.livekit).toEqual({
        ok: false,
        problem: expect.stringMatching(/LIVEKIT_API_KEY|credentials/),
      });
      expect(checks.redis).toEqual({ ok: true });
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
    });
  });
});
