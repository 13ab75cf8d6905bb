import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { SimulatorEngine } from '../../../src/livekit/simulator/engine.js';
import { startSimulator } from '../../../src/livekit/simulator/start-simulator.js';
import { REAL_TIMINGS, scaledTimings } from '../../../src/livekit/simulator/timings.js';
import { httpReceiver } from '../../../src/livekit/simulator/webhook-http.js';
import { ADMIN_KEY, API_KEY, API_SECRET } from '../../support/app.js';
import { freePort, type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { ProductProcess } from './product-process.js';

/** As short as leaves the order of the real server's waits: everything that ends by time ends within seconds. */
const TIMINGS = scaledTimings(0.1, REAL_TIMINGS);
const SETTINGS = {
  ROLE: 'all',
  RECORDING_START_TIMEOUT: '2s',
  LIVEKIT_START_TIMEOUT: '6s',
  LIVEKIT_STOP_TIMEOUT: '4s',
  LIVEKIT_TIMEOUT: '2s',
  RECORDER_CHECK_EVERY: '2s',
  RECORDER_LOST_AFTER: '6s',
  SWEEP_LIVEKIT_RECONCILIATION_EVERY: '2s',
};

/** Three processes of the product, a real Redis that keeps what it has, and a simulated LiveKit on the wire. */
export interface World {
  readonly instances: readonly ProductProcess[];
  readonly redis: RedisServer;
  readonly redisClient: Redis;
  readonly livekit: SimulatorEngine;
  readonly folder: string;
  /** Egresses whose worker was killed under them. */
  readonly killedEgresses: Set<string>;
  /** Any instance that runs, by a number in [0, 1); where none does, any. */
  instance(random: number): ProductProcess;
  close(): Promise<void>;
}

export async function startWorld(settings: Readonly<Record<string, string>> = {}): Promise<World> {
  const redis = await startRedisServer({ appendonly: true });
  const simulator = await startSimulator({ apiKey: API_KEY, apiSecret: API_SECRET, timings: TIMINGS });
  const folder = await mkdtemp(join(tmpdir(), 'tallylight-processes-'));
  const env = {
    ...SETTINGS,
    ...settings,
    TALLYLIGHT_ADMIN_KEY: ADMIN_KEY,
    REDIS_URL: redis.url,
    STORAGE_URL: `file:${join(folder, 'storage')}`,
    LIVEKIT_URL: simulator.url,
    LIVEKIT_API_KEY: API_KEY,
    LIVEKIT_API_SECRET: API_SECRET,
    HOST: '127.0.0.1',
    LOG_LEVEL: process.env.TEST_LOGS ? 'debug' : 'warn',
    LOG_FORMAT: 'json',
  };
  const instances: ProductProcess[] = [];
  for (const name of ['one', 'two', 'three']) {
    instances.push(new ProductProcess(name, await freePort(), env, join(folder, `${name}.log`)));
  }
  const redisClient = new Redis(redis.url, { maxRetriesPerRequest: 0, retryStrategy: () => 100 });
  redisClient.on('error', () => undefined);
  const instance = (random: number): ProductProcess => {
    const running = instances.filter(({ isUp }) => isUp);
    const among = running.length > 0 ? running : instances;
    return among[Math.floor(random * among.length)]!;
  };
  // Webhooks come through something that spreads them over whatever runs, as a load balancer does.
  let turn = 0;
  simulator.engine.setReceiver((delivery) => {
    const running = instances.filter(({ isUp }) => isUp);
    const among = running.length > 0 ? running : instances;
    return httpReceiver(`${among[(turn += 1) % among.length]!.url}/livekit/webhook`)(delivery);
  });
  // A run that is broken off leaves no process behind, a paused one neither.
  const onExit = (): void => instances.forEach((each) => void each.kill());
  process.once('exit', onExit);
  await Promise.all(instances.map((each) => each.start()));
  return {
    instances,
    redis,
    redisClient,
    livekit: simulator.engine,
    folder,
    killedEgresses: new Set(),
    instance,
    close: async () => {
      process.off('exit', onExit);
      await Promise.all(instances.map((each) => each.kill()));
      redisClient.disconnect();
      await simulator.close();
      await redis.close();
      if (!process.env.TEST_LOGS) await rm(folder, { recursive: true, force: true });
    },
  };
}
