import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { type RedisServer, startRedisServer } from './redis-server.js';

const SLOTS = 16_384;

export interface RedisCluster {
  /** By the slots that they hold: the first third, the second, the third. */
  readonly nodes: readonly RedisServer[];
  close(): Promise<void>;
}

/** Three masters on the loopback interface, each with a third of the slots; answers when all of them say that it is up. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: 3 }, () => startRedisServer({ cluster: true })));
  const clients = nodes.map(({ url }) => new Redis(url));
  try {
    await Promise.all(
      clients.map(async (client, i) => {
        const first = Math.floor((i * SLOTS) / 3);
        const last = Math.floor(((i + 1) * SLOTS) / 3) - 1;
        await client.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
        await client.cluster('SET-CONFIG-EPOCH', i + 1);
      }),
    );
    const [first, ...others] = clients;
    for (const other of others) await first!.cluster('MEET', '127.0.0.1', other.options.port ?? 0);
    for (const client of clients) {
      await eventually(
        async () => {
          const info = await client.cluster('INFO');
          return (/cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info)) || info;
        },
        { withinMs: 20_000, everyMs: 50 },
      );
    }
  } finally {
    for (const client of clients) client.disconnect();
  }
  return {
    nodes,
    close: async () => {
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}
