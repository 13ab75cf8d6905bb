import { Redis } from 'ioredis';
import { keys } from '../../src/redis/keys.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { EventWatch } from '../support/event-watch.js';
import { eventually } from '../support/eventually.js';
import { readRecording, STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';
import { type RedisSentinel, startSentinel } from '../support/redis-sentinel.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

const PASSWORD = 'of-the-sentinels';

describe('a Redis whose primary dies, with a replica and a Sentinel', () => {
  let primary: RedisServer;
  let replica: RedisServer;
  let sentinel: RedisSentinel;
  let stack: TestStack;
  let instance: TestInstance;
  let client: Redis;

  beforeAll(async () => {
    [primary, replica] = await Promise.all([startRedisServer(), startRedisServer()]);
    client = new Redis(replica.url);
    await client.replicaof('127.0.0.1', String(primary.port));
    await eventually(async () => /master_link_status:up/.test(await client.info('replication')));
    sentinel = await startSentinel(primary, PASSWORD);
    const address = `redis://127.0.0.1:${sentinel.port}/?sentinel=main&sentinelPassword=${PASSWORD}`;
    stack = await startStack({ REDIS_URL: address });
    instance = await stack.start();
    await eventually(async () => (await sentinel.replicas()) === 1 || 'the Sentinel knows of no replica', {
      withinMs: 30_000,
    });
  });
  afterAll(async () => {
    await stack.close();
    client.disconnect();
    await sentinel.close();
    await Promise.all([primary.close(), replica.close()]);
  });

  it('goes on with the replica: what was in progress ends, what is new begins, and who follows misses nothing', async () => {
    await openRoom(stack, instance, 'before');
    const watch = new EventWatch(instance);
    const { id } = await started(instance, 'before');
    await eventually(() => watch.of(id).some((event) => event.startsWith('ACTIVE')));
    const here = new Redis(primary.url);
    await here.wait(1, 5_000);
    here.disconnect();
    const epoch = await client.get(keys.epoch());
    await primary.kill();
    await eventually(async () => (await instance.graphql(STOP, { id })).code === null);
    await becomes(instance, id, { status: 'COMPLETE' });
    await openRoom(stack, instance, 'after');
    const next = await started(instance, 'after');
    await instance.graphql(STOP, { id: next.id });
    await becomes(instance, next.id, { status: 'COMPLETE' });
    for (const one of [id, next.id]) {
      await eventually(
        () => watch.of(one).some((event) => event.startsWith('COMPLETE')) || `${watch.of(one)}`,
      );
      const { version } = await readRecording(instance, one);
      const versions = watch.of(one).map((event) => Number(event.split(' ')[1]));
      expect(versions).toEqual(Array.from({ length: version }, (_, i) => i + 1));
    }
    expect(watch.code).toBeNull();
    watch.end();
    expect(await client.get(keys.epoch())).toBe(epoch);
    await eventually(async () => (await fetch(`${instance.url}/health/ready`)).status === 200);
  }, 120_000);
});
