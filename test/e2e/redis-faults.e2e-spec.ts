import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';
import { createApp } from '../../src/app.js';
import { aConfig } from '../support/a-config.js';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { type CuttableProxy, startCuttableProxy } from '../support/cuttable-proxy.js';
import { EventWatch } from '../support/event-watch.js';
import { eventually } from '../support/eventually.js';
import { STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

interface Readiness {
  readonly status: string;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly problem?: string }>>;
}

async function readinessOf(url: string): Promise<Readiness & { readonly http: number }> {
  const answer = await fetch(`${url}/health/ready`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  return { ...((await answer.json()) as Readiness), http: answer.status };
}

const CREATE = 'mutation($input: CreateRoomInput!) { createRoom(input: $input) { id } }';

describe('a Redis that can not do all', () => {
  let first: RedisServer;
  let second: RedisServer;
  let admin: Redis;
  let proxy: CuttableProxy;
  let stack: TestStack;
  let instance: TestInstance;
  let made = 0;

  beforeAll(async () => {
    [first, second] = await Promise.all([startRedisServer(), startRedisServer()]);
    proxy = await startCuttableProxy(first.url);
    admin = new Redis(first.url);
    await admin.call(
      'ACL',
      'SETUSER',
      'app',
      'on',
      '>pw',
      '~{tl}*',
      '&tl:*',
      '+@all',
      '-info',
      '-config',
      '-client',
    );
    // From the first moment by a user who may not ask what is not needed.
    const redisUrl = proxy.url.replace('http://', 'redis://app:pw@');
    stack = await startStack({ REDIS_URL: redisUrl });
    instance = await stack.start();
  });
  afterAll(async () => {
    await stack.close();
    admin.disconnect();
    await proxy.close();
    await Promise.all([first.close(), second.close()]);
  });

  const createRoom = async (): Promise<{ code: string | null; message: string }> => {
    const id = `room-${(made += 1)}`;
    const { code, errors } = await instance.graphql(CREATE, { input: { id, name: id } });
    return { code, message: errors[0]?.message ?? '' };
  };
  const record = async (room: string): Promise<void> => {
    await openRoom(stack, instance, room);
    const { id } = await started(instance, room);
    expect((await instance.graphql(STOP, { id })).code).toBeNull();
    await becomes(instance, id, { status: 'COMPLETE' });
  };

  it('is enough without INFO, CONFIG and CLIENT: recordings are made', async () => {
    await record('plain');
    expect(await readinessOf(instance.url)).toMatchObject({ http: 200, checks: { redis: { ok: true } } });
  });

  it('that is full still answers reads, and says why it refuses the rest', async () => {
    await admin.config('SET', 'maxmemory', '1mb');
    expect(await createRoom()).toEqual({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringMatching(/takes no writes: it is full \(maxmemory\)/),
    });
    const read = await instance.graphql(
      '{ rooms(first: 1) { edges { node { id } } } recordings(first: 1) { totalCount } }',
    );
    expect(read.code).toBeNull();
    await eventually(async () => {
      const { http, checks } = await readinessOf(instance.url);
      return (http === 503 && /it is full/.test(checks.redis?.problem ?? '')) || JSON.stringify(checks);
    });
    await admin.config('SET', 'maxmemory', '0');
    await eventually(async () => (await readinessOf(instance.url)).http === 200);
    expect((await createRoom()).code).toBeNull();
  });

  it('whose primary was demoted in place is left by every connection for the new one', async () => {
    const successor = new Redis(second.url);
    const [host, port] = ['127.0.0.1', String(first.port)];
    try {
      await successor.replicaof(host, port);
      await eventually(async () => /master_link_status:up/.test(await successor.info('replication')));
      await successor.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~{tl}*', '&tl:*', '+@all');
      const watch = new EventWatch(instance);
      await successor.replicaof('NO', 'ONE');
      await admin.replicaof(host, String(second.port));
      // What is open stays open; who comes anew is led to the new one.
      proxy.join(second.url);
      await eventually(async () => (await createRoom()).code === null);
      await record('after');
      await eventually(() => watch.events.some(({ recording }) => recording.status === 'COMPLETE'));
      watch.end();
      await eventually(async () => (await readinessOf(instance.url)).http === 200);
      await admin.replicaof('NO', 'ONE');
    } finally {
      successor.disconnect();
    }
  });

  describe('at the start', () => {
    let app: NestFastifyApplication | null = null;
    const problemAtStart = async (redisUrl: string): Promise<(expected: RegExp) => Promise<void>> => {
      app = await createApp(aConfig({ ...stack.env, REDIS_URL: redisUrl, ROLE: 'api' }), {
        logTo: { write: () => undefined },
      });
      await app.listen(0, '127.0.0.1');
      const url = await app.getUrl();
      return (expected) =>
        eventually(async () => {
          const { http, checks } = await readinessOf(url);
          return (http === 503 && expected.test(checks.redis?.problem ?? '')) || JSON.stringify(checks);
        });
    };
    afterEach(async () => {
      await app?.close();
      app = null;
    });

    it('that is a replica is told apart from one that is away', async () => {
      await admin.replicaof('127.0.0.1', String(second.port));
      const says = await problemAtStart(first.url);
      await says(/takes no writes: the server at this address is a replica/);
    });

    it('whose user may use other keys alone says so', async () => {
      const owner = new Redis(second.url);
      await owner.call('ACL', 'SETUSER', 'other', 'on', '>pw', '~other:*', '&*', '+@all');
      owner.disconnect();
      const says = await problemAtStart(second.url.replace('//', '//other:pw@'));
      await says(/user may not use a key or channel/);
    });

    it('that is a node of a cluster says how it is named', async () => {
      const node = await startRedisServer({ cluster: true });
      try {
        const says = await problemAtStart(node.url);
        await says(/cluster/i);
      } finally {
        await app?.close();
        app = null;
        await node.close();
      }
    });
  });
});
