import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Ends it as an operator would; what it holds stays on disk only with `appendonly`. */
  stop(): Promise<void>;
  /** Ends it at once, without a chance to write anything. */
  kill(): Promise<void>;
  /** It hears and says nothing until it is resumed. */
  pause(): void;
  resume(): void;
  /** Starts it again on the same port and folder, after a stop or a kill; stops it first when it runs. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

export interface RedisServerOptions {
  /** What it holds stays on disk. */
  readonly appendonly?: boolean;
  /** It is written to the file before each answer either way: a kill loses nothing, only the machine's own end would. */
  readonly fsync?: 'no' | 'everysec';
  /** A node of a cluster that others are still to meet. */
  readonly cluster?: boolean;
}

/** A private redis-server on a free port of the loopback interface; answers when it takes commands. */
export async function startRedisServer({
  appendonly = false,
  fsync = 'no',
  cluster = false,
}: RedisServerOptions = {}): Promise<RedisServer> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'tallylight-redis-'));
  let child: ChildProcess | null = null;

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, 'exit');
    running.kill(signal);
    await exited;
  };
  const start = async (): Promise<void> => {
    await end('SIGTERM');
    child = spawn(
      process.env.REDIS_SERVER ?? 'redis-server',
      argumentsFor(port, folder, { appendonly, fsync, cluster }),
      {
        stdio: 'ignore',
      },
    );
    await Promise.race([answers(port), failure(child)]);
  };
  // A test run that is broken off leaves no server behind.
  const onExit = (): void => void child?.kill('SIGKILL');
  process.once('exit', onExit);

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    restart: start,
    close: async () => {
      process.off('exit', onExit);
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function argumentsFor(
  port: number,
  folder: string,
  { appendonly, fsync, cluster }: Required<RedisServerOptions>,
): string[] {
  return [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    ...['--appendonly', appendonly ? 'yes' : 'no', '--appendfsync', fsync],
    ...(cluster ? ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'] : []),
  ];
}

async function failure(child: ChildProcess): Promise<never> {
  const [why] = await Promise.race([once(child, 'error'), once(child, 'exit')]);
  throw new Error(`redis-server did not start: ${String(why)}`);
}

async function answers(port: number): Promise<void> {
  const redis = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => 20 });
  redis.on('error', () => undefined);
  try {
    await eventually(async () => (await redis.ping()) === 'PONG' || 'redis-server does not answer');
  } finally {
    redis.disconnect();
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
