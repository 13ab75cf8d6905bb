import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import { Pool } from 'undici';
import type { SimulatorEngine } from '../../src/livekit/simulator/engine.js';
import { startSimulator } from '../../src/livekit/simulator/start-simulator.js';
import { bytesOf } from '../../src/livekit/simulator/recorded-media.js';
import { REAL_TIMINGS, type SimulatorTimings } from '../../src/livekit/simulator/timings.js';
import { httpReceiver } from '../../src/livekit/simulator/webhook-http.js';
import { eventually } from '../../test/support/eventually.js';
import { freePort, type RedisServer, startRedisServer } from '../../test/support/redis-server.js';
import { S3Server } from '../../test/support/s3-server.js';
import { type ProcessUsage, usageOf } from './process-usage.js';

const ROOT = join(__dirname, '../..');
const ADMIN_KEY = 'tl_an-admin-key-for-measurements';
export const API_KEY = 'devkey';
export const API_SECRET = 'a-secret-that-is-long-enough-for-signing';
const NEVER = { joinMs: 0, signalMs: 0, uploadMs: 0 };

/** LiveKit answers at once and an egress records at once: what is left is the product's own cost. */
export const AT_ONCE: SimulatorTimings = {
  ...REAL_TIMINGS,
  ...{ answerMs: 0, idleBidMs: 0, busyBidMs: 0, launchMs: 0, recorderLeavesMs: 0, countsAgeMs: 0 },
  ...{ audio: NEVER, browser: NEVER },
};

const ENDS_WHEN_TOLD = 'data:text/javascript,process.on("SIGUSR2", () => process.exit())';
let profileFolder: string | null = null;

/** Each process of the product leaves its processor profile in this folder (a .cpuprofile, for the tools of a browser) when it ends. */
export function profileInto(folder: string): void {
  profileFolder = folder;
}

/** The product in a process of its own, with a real Redis, an S3 imitation and a simulated LiveKit beside it. */
export class Target {
  readonly pool: Pool;
  private closed = false;
  /** Commands of Redis that were made by counting them, by name. */
  private readonly asked = new Map<string, number>();

  private constructor(
    readonly url: string,
    readonly child: ChildProcess,
    /** From the start of its process until it was ready, ms. */
    readonly bootMs: number,
    readonly redis: RedisServer,
    readonly redisClient: Redis,
    readonly s3: S3Server,
    readonly livekit: SimulatorEngine,
    private readonly closeRest: () => Promise<void>,
  ) {
    this.pool = new Pool(url, { connections: 256, pipelining: 1 });
  }

  /** Throws where there is no build. `fill` may write into Redis and the bucket before the product starts. */
  static async start({
    env = {},
    fill = async () => undefined,
  }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly fill?: (redis: RedisServer, s3: S3Server) => Promise<void>;
  } = {}): Promise<Target> {
    if (!existsSync(join(ROOT, 'dist/main.js'))) throw new Error('there is no build: npm run build');
    const redis = await startRedisServer({ appendonly: true, fsync: 'everysec' });
    const s3 = await S3Server.start();
    const simulator = await startSimulator({
      ...{ apiKey: API_KEY, apiSecret: API_SECRET, timings: AT_ONCE },
      writeMedia: async ({ filepath }, chunks) => s3.plant(filepath, bytesOf(chunks)),
    });
    simulator.engine.fleet.add(100_000);
    const redisClient = new Redis(redis.url);
    await fill(redis, s3);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    simulator.engine.setReceiver(httpReceiver(`${url}/livekit/webhook`));
    // A profile is written by a process that ends by itself.
    const profiling =
      profileFolder === null
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, '--import', ENDS_WHEN_TOLD];
    const begun = performance.now();
    const child = spawn(process.execPath, [...profiling, 'dist/main.js'], {
      cwd: ROOT,
      env: {
        ...{ PATH: process.env.PATH, NODE_ENV: 'production', LOG_LEVEL: 'error', HOST: '127.0.0.1' },
        ...{ TALLYLIGHT_ADMIN_KEY: ADMIN_KEY, RATE_LIMIT: 'off', REDIS_URL: redis.url, PORT: String(port) },
        PUBLIC_URL: url,
        ...s3.env(),
        ...{ LIVEKIT_URL: simulator.url, LIVEKIT_API_KEY: API_KEY, LIVEKIT_API_SECRET: API_SECRET },
        ...env,
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const onExit = (): boolean => child.kill('SIGKILL');
    process.once('exit', onExit);
    child.once('exit', () => process.off('exit', onExit));
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`the product ended with ${child.exitCode}`);
        return (await fetch(`${url}/health/ready`)).status === 200 || 'it is not ready';
      },
      { withinMs: 120_000, everyMs: 10 },
    );
    const bootMs = performance.now() - begun;
    return new Target(url, child, bootMs, redis, redisClient, s3, simulator.engine, async () => {
      redisClient.disconnect();
      await simulator.close();
      await s3.stop();
      await redis.close();
    });
  }

  /** One GraphQL request. Throws what it was refused with. */
  async graphql<T>(query: string, variables: object = {}): Promise<T> {
    const { body } = await this.pool.request({
      ...{ path: '/graphql', method: 'POST' },
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await body.json()) as { data: T; errors?: readonly { message: string }[] };
    if (answer.errors) throw new Error(answer.errors[0]?.message ?? 'refused');
    return answer.data;
  }

  /** Of an administrator. */
  get key(): string {
    return ADMIN_KEY;
  }

  get authorization(): string {
    return `Bearer ${this.key}`;
  }

  usage(): ProcessUsage {
    return usageOf(this.child.pid!);
  }

  /** What was done so far, each by its own name; what is asked for this is not counted. */
  async counts(): Promise<Counted> {
    const before = await this.redisCommands();
    const page = await (
      await fetch(`${this.url}/metrics`, { headers: { authorization: this.authorization } })
    ).text();
    const livekit = [...page.matchAll(/^tallylight_livekit_request_seconds_count\{.*\} (\d+)$/gm)];
    // The metrics themselves ask Redis.
    const after = await this.redisCommands();
    const counted = new Map([...before].map(([name, calls]) => [name, calls - (this.asked.get(name) ?? 0)]));
    for (const [name, calls] of after)
      this.asked.set(name, (this.asked.get(name) ?? 0) + calls - (before.get(name) ?? 0));
    return {
      redisCommands: [...counted.values()].reduce((sum, calls) => sum + calls, 0),
      redisByName: counted,
      livekitCalls: livekit.reduce((sum, [, count]) => sum + Number(count), 0),
      s3Requests: this.s3.requests.length,
    };
  }

  /** Every command that Redis carried out, those inside scripts too. */
  private async redisCommands(): Promise<ReadonlyMap<string, number>> {
    const info = await this.redisClient.info('commandstats');
    return new Map(
      [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [
        name,
        Number(calls),
      ]),
    );
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.pool.destroy();
    if (this.child.exitCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill(profileFolder === null ? 'SIGKILL' : 'SIGUSR2');
      await ended;
    }
    await this.closeRest();
  }
}

export interface Counted {
  readonly redisCommands: number;
  readonly redisByName: ReadonlyMap<string, number>;
  readonly livekitCalls: number;
  readonly s3Requests: number;
}
