import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { freePort, type RedisServer } from './redis-server.js';

export interface RedisSentinel {
  readonly port: number;
  /** How many replicas it knows of. */
  replicas(): Promise<number>;
  close(): Promise<void>;
}

/** One Sentinel that knows this server as the primary `main`, asks who comes for a password, and fails over within seconds. */
export async function startSentinel(primary: RedisServer, password: string): Promise<RedisSentinel> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'tallylight-sentinel-'));
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `requirepass ${password}`,
    `sentinel monitor main 127.0.0.1 ${primary.port} 1`,
    'sentinel down-after-milliseconds main 1000',
    'sentinel failover-timeout main 5000',
  ];
  await writeFile(file, lines.join('\n'));
  const child = spawn(process.env.REDIS_SERVER ?? 'redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  const onExit = (): void => void child.kill('SIGKILL');
  process.once('exit', onExit);
  const asked = new Redis({ host: '127.0.0.1', port, password, retryStrategy: () => 20 });
  asked.on('error', () => undefined);
  try {
    await eventually(async () => (await asked.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')) !== null);
  } catch (error) {
    asked.disconnect();
    throw error;
  }
  return {
    port,
    replicas: async () => ((await asked.call('SENTINEL', 'REPLICAS', 'main')) as unknown[]).length,
    close: async () => {
      asked.disconnect();
      process.off('exit', onExit);
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
