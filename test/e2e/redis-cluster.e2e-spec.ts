import { Redis } from 'ioredis';
import { keys, SLOT } from '../../src/redis/keys.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { EventWatch } from '../support/event-watch.js';
import { eventually } from '../support/eventually.js';
import { readRecording, STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { startRedisServer } from '../support/redis-server.js';

describe('on a Redis Cluster', () => {
  let cluster: RedisCluster;
  let stack: TestStack;
  let instance: TestInstance;
  let nodes: Redis[];

  beforeAll(async () => {
    cluster = await startRedisCluster();
    nodes = cluster.nodes.map(({ url }) => new Redis(url));
    // The node that is named holds none of our keys.
    stack = await startStack({ REDIS_URL: `${cluster.nodes[0]!.url}/?cluster=true` });
    instance = await stack.start();
  });
  afterAll(async () => {
    await stack.close();
    for (const node of nodes) node.disconnect();
    await cluster.close();
  });

  const recordIn = async (room: string): Promise<string> => {
    await openRoom(stack, instance, room);
    const { id } = await started(instance, room);
    expect((await instance.graphql(STOP, { id })).code).toBeNull();
    await becomes(instance, id, { status: 'COMPLETE' });
    return id;
  };

  it('records, tells who follows, and runs its jobs, with all keys in one slot', async () => {
    const watch = new EventWatch(instance);
    const id = await recordIn('a');
    await eventually(
      () =>
        watch.events.some(({ recording }) => recording.id === id && recording.status === 'COMPLETE') ||
        'its end was not told',
    );
    watch.end();
    const sizes = await Promise.all(nodes.map((node) => node.dbsize()));
    expect(sizes.map((size) => size > 0)).toEqual([false, true, false]);
    expect(await nodes[1]!.cluster('KEYSLOT', keys.epoch())).toBe(SLOT);
    const { data } = await instance.graphql<{ recordings: { totalCount: number } }>(
      '{ recordings(first: 5) { totalCount } }',
    );
    expect(data.recordings.totalCount).toBe(1);
    expect(await (await fetch(`${instance.url}/health/ready`)).json()).toMatchObject({ status: 'ready' });
  });

  it('goes on when its keys move to another node', async () => {
    const before = await recordIn('b');
    const [, from, to] = nodes;
    const [fromId, toId] = await Promise.all([from!, to!].map((node) => node.cluster('MYID')));
    await to!.cluster('SETSLOT', SLOT, 'IMPORTING', fromId!);
    await from!.cluster('SETSLOT', SLOT, 'MIGRATING', toId!);
    for (;;) {
      const some = await from!.cluster('GETKEYSINSLOT', SLOT, 1_000);
      if (some.length === 0) break;
      await from!.migrate('127.0.0.1', to!.options.port ?? 0, '', 0, 5_000, 'KEYS', ...some);
    }
    for (const node of [to!, from!, nodes[0]!]) await node.cluster('SETSLOT', SLOT, 'NODE', toId!);
    await eventually(async () => (await readRecording(instance, before)).status === 'COMPLETE');
    await recordIn('c');
    expect(await from!.dbsize()).toBe(0);
  });

  it('goes on with the replica of a node that dies, and tells who follows', async () => {
    const dying = cluster.nodes[2]!;
    const replica = await startRedisServer({ cluster: true });
    const client = new Redis(replica.url);
    try {
      await client.cluster('MEET', '127.0.0.1', dying.port);
      const of = await nodes[2]!.cluster('MYID');
      await eventually(async () => (await client.cluster('REPLICATE', of)) === 'OK');
      await eventually(async () => /master_link_status:up/.test(await client.info('replication')));
      await eventually(async () => String(await nodes[0]!.cluster('NODES')).includes(`:${replica.port}@`));
      const watch = new EventWatch(instance);
      const before = await recordIn('d');
      // WAIT speaks of what this connection has written, and whatever was written before has arrived with it.
      await nodes[2]!.set('{tl}:written-last', '1', 'EX', 60);
      expect(await nodes[2]!.wait(1, 5_000)).toBe(1);
      await dying.kill();
      await eventually(async () => /^role:master/m.test(await client.info('replication')));
      await eventually(async () => (await readRecording(instance, before)).status === 'COMPLETE');
      const after = await recordIn('e');
      await eventually(
        () =>
          watch.events.some(({ recording }) => recording.id === after && recording.status === 'COMPLETE') ||
          'its end was not told',
      );
      watch.end();
    } finally {
      client.disconnect();
      await replica.close();
    }
  }, 120_000);
});
