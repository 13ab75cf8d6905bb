import type { INestApplication } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { AccessToken } from 'livekit-server-sdk';
import { z } from 'zod';
import { AuditModule } from '../../src/audit/audit.module.js';
import { AuthModule } from '../../src/auth/auth.module.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { KeptModule } from '../../src/kept/kept.module.js';
import { HttpErrors } from '../../src/ops/http-errors.js';
import { QueuesUiModule } from '../../src/ops/queues-ui.module.js';
import { defineJob, JobQueue } from '../../src/queue/define-job.js';
import { QueueModule } from '../../src/queue/queue.module.js';
import { RedisModule } from '../../src/redis/redis.module.js';
import { aConfig } from '../support/a-config.js';
import { eventually } from '../support/eventually.js';
import '../support/quiet-logs.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

const ADMIN_KEY = 'tl_an-admin-key-for-tests';
const LIVEKIT = { key: 'devkey', secret: 'a-secret-that-is-long-enough-for-signing' };
const BASE = '/admin/queues';

describe('the pages of the queues', () => {
  let redis: RedisServer;
  let app: INestApplication;
  let origin: string;

  beforeAll(async () => {
    redis = await startRedisServer();
    const config = aConfig({
      REDIS_URL: redis.url,
      ROLE: 'api',
      PUBLIC_URL: 'https://example.org/base',
      TALLYLIGHT_ADMIN_KEY: ADMIN_KEY,
      LIVEKIT_API_KEY: LIVEKIT.key,
      LIVEKIT_API_SECRET: LIVEKIT.secret,
    });
    const testing = await Test.createTestingModule({
      imports: [
        ConfigModule.with(config),
        RedisModule,
        KeptModule,
        AuditModule,
        QueueModule,
        AuthModule,
        QueuesUiModule,
      ],
      providers: [{ provide: APP_FILTER, useClass: HttpErrors }],
    }).compile();
    app = testing.createNestApplication(new FastifyAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as { port: number };
    origin = `http://127.0.0.1:${port}`;
  });
  afterAll(async () => {
    await app.close();
    await redis.close();
  });

  const basic = (password: string) => `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;
  const get = (path: string, authorization?: string, method = 'GET') =>
    fetch(`${origin}${path}`, {
      method,
      headers: authorization ? { authorization } : {},
      redirect: 'manual',
    });
  const page = async () => (await get(BASE, basic(ADMIN_KEY))).text();
  const scriptOf = (html: string) => `${BASE}/${/src="(static\/js\/main[^"]+)"/.exec(html)?.[1]}`;

  it('ask whoever comes without a key for one, whatever is asked for: page, files, data and changes', async () => {
    const script = scriptOf(await page());
    for (const [path, method] of [
      [BASE, 'GET'],
      [`${BASE}/queue/recordings`, 'GET'],
      [`${BASE}/api/queues`, 'GET'],
      [`${BASE}/api/queues/recordings/pause`, 'PUT'],
      [script, 'GET'],
    ] as const) {
      const answer = await get(path, undefined, method);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
      expect(await answer.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED' } });
    }
  });

  it('are refused to a wrong key and to whoever is less than an ADMIN', async () => {
    const wrong = await get(`${BASE}/api/queues`, basic('tl_not-the-admin-key-of-this'));
    expect(wrong.status).toBe(401);
    const recorder = new AccessToken(LIVEKIT.key, LIVEKIT.secret, { identity: 'ann' });
    recorder.addGrant({ roomRecord: true });
    const token = await recorder.toJwt();
    for (const authorization of [`Bearer ${token}`, basic(token)]) {
      const answer = await get(`${BASE}/api/queues`, authorization);
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ error: { code: 'FORBIDDEN' } });
    }
  });

  it('are served whole to an ADMIN, by Basic and by bearer, and load nothing from elsewhere', async () => {
    for (const authorization of [basic(ADMIN_KEY), `Bearer ${ADMIN_KEY}`]) {
      const answer = await get(BASE, authorization);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
      const html = await answer.text();
      expect(html).toContain('/base/admin/queues');
      expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
      const script = await get(scriptOf(html), authorization);
      expect(script.status).toBe(200);
      expect(script.headers.get('content-type')).toContain('javascript');
    }
  });

  it('show every queue, and each job by its name and what it is about', async () => {
    const look = defineJob({
      queue: 'recordings',
      name: 'reconcile-recording',
      payload: z.object({ recordingId: z.string() }),
      key: ({ recordingId }) => recordingId,
      mode: 'wake',
      options: { attempts: 3, backoffMs: 100 },
    });
    await app.get(JobQueue).add(look, { recordingId: 'rec_1' });
    const answer = await get(`${BASE}/api/queues?activeQueue=recordings&status=waiting`, basic(ADMIN_KEY));
    const { queues } = (await answer.json()) as {
      queues: { name: string; description: string; jobs: { name: string; data: unknown }[] }[];
    };
    expect(queues.map((queue) => queue.name).toSorted()).toEqual([
      'deletions',
      'effects',
      'egresses',
      'inbox',
      'recorders',
      'recordings',
      'records',
      'recoveries',
      'signals',
      'sweeps',
      'timers',
    ]);
    expect(queues.every((queue) => queue.description.length > 20)).toBe(true);
    expect(queues.find((queue) => queue.name === 'recordings')!.jobs).toMatchObject([
      { name: 'reconcile-recording rec_1', data: { recordingId: 'rec_1' } },
    ]);
  });

  it('can only be looked at, unless the configuration says otherwise', async () => {
    const answer = await get(`${BASE}/api/queues/recordings/pause`, basic(ADMIN_KEY), 'PUT');
    expect([answer.status, await answer.json()]).toMatchObject([403, { error: { code: 'FORBIDDEN' } }]);
    const { queues } = (await (await get(`${BASE}/api/queues`, basic(ADMIN_KEY))).json()) as {
      queues: { readOnlyMode: boolean; isPaused: boolean }[];
    };
    expect(queues.every(({ readOnlyMode, isPaused }) => readOnlyMode && !isPaused)).toBe(true);
  });

  it.each(['/api/queues?page=-1', '/api/queues/none', '/api/queues/recordings/none', '/none'])(
    'refuse %s in the words of every other path',
    async (path) => {
      const answer = await get(`${BASE}${path}`, basic(ADMIN_KEY));
      const code = answer.status === 404 ? 'NOT_FOUND' : 'BAD_USER_INPUT';
      expect([answer.status, await answer.json()]).toEqual([
        answer.status === 404 ? 404 : 400,
        { error: { code, message: expect.any(String) } },
      ]);
    },
  );

  it.each(['/admin/queues/api/queues', '/%61dmin/queues/api/queues', '/admin/%71ueues/api/queues'])(
    'answer nothing to a page of another site, however the path is written: %s',
    async (path) => {
      const answer = await fetch(`${origin}${path}`, {
        headers: {
          authorization: basic(ADMIN_KEY),
          'sec-fetch-site': 'cross-site',
          'sec-fetch-mode': 'no-cors',
        },
      });
      expect([path, answer.status]).toEqual([path, 403]);
    },
  );

  it('say soon that Redis is away instead of waiting for it', async () => {
    await redis.kill();
    const answer = await get(`${BASE}/api/queues`, basic(ADMIN_KEY));
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 'REDIS_UNAVAILABLE' } });
    expect((await get(BASE, basic(ADMIN_KEY))).status).toBe(200);
    await redis.restart();
    await eventually(
      async () => (await get(`${BASE}/api/queues`, basic(ADMIN_KEY))).status === 200 || 'not back yet',
    );
  });
});
