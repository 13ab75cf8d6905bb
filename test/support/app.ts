import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Client, createClient } from 'graphql-ws';
import { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { createApp } from '../../src/app.js';
import type { SimulatorEngine } from '../../src/livekit/simulator/engine.js';
import {
  type RunningSimulator,
  type StartSimulator,
  startSimulator,
} from '../../src/livekit/simulator/start-simulator.js';
import { REAL_TIMINGS, scaledTimings, type SimulatorTimings } from '../../src/livekit/simulator/timings.js';
import { httpReceiver } from '../../src/livekit/simulator/webhook-http.js';
import { aConfig } from './a-config.js';
import { eventually } from './eventually.js';
import { type RedisServer, startRedisServer } from './redis-server.js';

export const ADMIN_KEY = 'tl_an-admin-key-for-tests';
export const API_KEY = 'devkey';
export const API_SECRET = 'a-secret-that-is-long-enough-for-signing';

/** What a GraphQL request was answered; a test reads the part it asked for. */
export interface GraphqlAnswer<T> {
  readonly status: number;
  readonly data: T;
  /** The first error's code, or null. */
  readonly code: string | null;
  readonly errors: readonly {
    readonly message: string;
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}

export interface TestInstance {
  readonly url: string;
  readonly app: NestFastifyApplication;
  graphql<T = Record<string, unknown>>(
    query: string,
    variables?: object,
    key?: string,
  ): Promise<GraphqlAnswer<T>>;
  /** A client for subscriptions; closed with the instance. */
  subscriber(key?: string): Client;
  close(): Promise<void>;
}

/** All that reading and changing recordings needs, of an instance in this process or in one of its own. */
export type GraphqlDoor = Pick<TestInstance, 'graphql'>;

export interface TestStack {
  readonly redis: RedisServer;
  /** For looking at what the product wrote. */
  readonly redisClient: Redis;
  readonly simulator: SimulatorEngine;
  readonly storageFolder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Another instance on the same Redis, storage and LiveKit. */
  start(env?: Readonly<Record<string, string>>, options?: InstanceOptions): Promise<TestInstance>;
  close(): Promise<void>;
}

export interface InstanceOptions {
  readonly onLog?: (line: string) => void;
  /** What `npm start` adds to an instance before it listens. */
  readonly embed?: (app: NestFastifyApplication) => void;
}

/** Fast enough for a test, in the order and with the proportions of the real server. */
const QUICK = scaledTimings(0.1, REAL_TIMINGS);

/** Redis, a simulated LiveKit on the wire and a folder; webhooks go to the instance that was started first. */
export async function startStack(
  env: Readonly<Record<string, string>> = {},
  timings: SimulatorTimings = QUICK,
  media: Pick<StartSimulator, 'recordMedia' | 'makeSegment'> = {},
): Promise<TestStack> {
  const redis = await startRedisServer({ appendonly: true });
  const simulator: RunningSimulator = await startSimulator({
    apiKey: API_KEY,
    apiSecret: API_SECRET,
    timings,
    ...media,
  });
  const folder = await mkdtemp(join(tmpdir(), 'tallylight-e2e-'));
  const stackEnv = {
    TALLYLIGHT_ADMIN_KEY: ADMIN_KEY,
    REDIS_URL: redis.url,
    STORAGE_URL: `file:${folder}`,
    LIVEKIT_URL: simulator.url,
    LIVEKIT_API_KEY: API_KEY,
    LIVEKIT_API_SECRET: API_SECRET,
    HOST: '127.0.0.1',
    PORT: '0',
    RATE_LIMIT: 'off',
    ...env,
  };
  const instances: TestInstance[] = [];
  const redisClient = new Redis(redis.url, { maxRetriesPerRequest: 3 });
  redisClient.on('error', () => undefined);
  return {
    redis,
    redisClient,
    simulator: simulator.engine,
    storageFolder: folder,
    env: stackEnv,
    start: async (more = {}, options) => {
      const instance = await startInstance({ ...stackEnv, ...more }, options);
      if (instances.push(instance) === 1) {
        simulator.engine.setReceiver(
          httpReceiver(`${instance.url}/livekit/webhook`, new AbortController().signal),
        );
      }
      return instance;
    },
    close: async () => {
      for (const instance of instances) await instance.close();
      redisClient.disconnect();
      await simulator.close();
      await redis.close();
      // What was on its way to it when all stopped may land meanwhile.
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

async function startInstance(
  env: Readonly<Record<string, string>>,
  { onLog = () => undefined, embed }: InstanceOptions = {},
): Promise<TestInstance> {
  // What the product logs is noise in a test's output; TEST_LOGS=1 shows it.
  const app = await createApp(
    { ...aConfig(env), development: embed !== undefined },
    process.env.TEST_LOGS ? {} : { logTo: { write: onLog } },
  );
  embed?.(app);
  await app.listen(0, '127.0.0.1');
  const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  const clients: Client[] = [];
  let open = true;
  await eventually(async () => (await fetch(`${url}/health/ready`)).status === 200 || 'it is not ready');
  return {
    url,
    app,
    graphql: (query, variables, key) => ask(url, query, variables, key),
    subscriber: (key = ADMIN_KEY) => {
      const client = createClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${key}` },
        retryAttempts: 0,
      });
      clients.push(client);
      return client;
    },
    close: async () => {
      if (!open) return;
      open = false;
      await Promise.all(clients.map((client) => client.dispose()));
      await app.close();
    },
  };
}

/** Of an instance in a process of its own. */
export function doorAt(url: string): GraphqlDoor {
  return { graphql: (query, variables, key) => ask(url, query, variables, key) };
}

async function ask<T>(
  url: string,
  query: string,
  variables: object = {},
  key = ADMIN_KEY,
): Promise<GraphqlAnswer<T>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as Partial<GraphqlAnswer<T>>;
  const errors = body.errors ?? [];
  return {
    status: response.status,
    data: body.data as T,
    errors,
    code: errors.length === 0 ? null : String(errors[0]!.extensions.code),
  };
}
