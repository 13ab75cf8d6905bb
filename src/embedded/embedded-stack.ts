import { Redis } from 'ioredis';
import type { Clock } from '../kernel/clock.js';
import { newSecret } from '../kernel/ids.js';
import { StartFault } from '../kernel/start-fault.js';
import { systemRandom } from '../livekit/simulator/chance.js';
import type { SimulatorEngine } from '../livekit/simulator/engine.js';
import { startSimulator } from '../livekit/simulator/start-simulator.js';
import { httpReceiver } from '../livekit/simulator/webhook-http.js';
import { Demo } from './demo.js';
import { demoMedia, demoSegments } from './demo-media/demo-media.js';
import { FIRST_ROOMS, namesIn } from './first-rooms.js';
import { KeptFolder } from './kept-folder.js';
import { keepSimulator, readKeptSimulator } from './kept-simulator.js';
import { beTheOnlyOne } from './only-one.js';
import { PrivateRedis } from './private-redis.js';
import { letVisitorsComeAndGo } from './visitors.js';

export interface EmbeddedOptions {
  /** Checked already, but for the variables that are to be embedded. */
  readonly env: NodeJS.ProcessEnv;
  /** The path of a Redis server; null where REDIS_URL is set. */
  readonly redisServer: string | null;
  readonly folder: string;
  /** Where the simulator tells of its rooms and egresses. */
  readonly webhookUrl: string;
  readonly clock: Clock;
}

/** One part of the stack, in plain words. */
export interface Part {
  readonly name: string;
  readonly words: string;
}

const LIVEKIT_VARIABLES = ['LIVEKIT_URL', 'LIVEKIT_API_KEY', 'LIVEKIT_API_SECRET'] as const;

export interface Missing {
  readonly adminKey: boolean;
  readonly redis: boolean;
  readonly storage: boolean;
  /** Only where none of its variables is set: half a LiveKit is a fault, not a wish for a simulator. */
  readonly livekit: boolean;
}

export function whatIsMissing(env: NodeJS.ProcessEnv): Missing {
  return {
    adminKey: !env.TALLYLIGHT_ADMIN_KEY,
    redis: !env.REDIS_URL,
    storage: !env.STORAGE_URL,
    livekit: LIVEKIT_VARIABLES.every((name) => !env[name]),
  };
}

/** Stands for what is embedded while the rest of the configuration is checked, before anything was started. */
export function withPlaceholders(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const missing = whatIsMissing(env);
  return {
    ...env,
    ...(missing.adminKey && { TALLYLIGHT_ADMIN_KEY: 'made at the start' }),
    ...(missing.redis && { REDIS_URL: 'redis://127.0.0.1:1' }),
    ...(missing.storage && { STORAGE_URL: 'file:.' }),
    ...(missing.livekit && {
      LIVEKIT_URL: 'http://127.0.0.1:1',
      LIVEKIT_API_KEY: 'made at the start',
      LIVEKIT_API_SECRET: 'made at the start',
    }),
  };
}

/** What was started because no variable names it; ended in the opposite order. */
export class EmbeddedStack {
  readonly parts: Part[] = [];
  /** The variables that name what is embedded. */
  readonly variables: Record<string, string> = {};
  private readonly enders: (() => Promise<void>)[] = [];
  /** Lets meetings begin, and LiveKit tell of them: once there is somebody who can take what it tells. */
  open: () => void = () => undefined;
  private simulator: SimulatorEngine | null = null;
  private redis: PrivateRedis | null = null;

  /** Throws StartFault; what had been started by then is ended by `end`. */
  async start({ env, redisServer, folder, webhookUrl, clock }: EmbeddedOptions): Promise<void> {
    const missing = whatIsMissing(env);
    const kept = await KeptFolder.open(folder);
    this.enders.push(await beTheOnlyOne(kept.path));
    if (missing.adminKey) {
      this.variables.TALLYLIGHT_ADMIN_KEY = await kept.keep('admin-key', () => `tl_${newSecret()}`);
    }
    if (missing.storage) await this.embedStorage(kept);
    if (missing.redis) await this.embedRedis(kept, redisServer, clock);
    if (missing.livekit) await this.embedLiveKit(kept, webhookUrl, clock);
  }

  /** What can be broken of it on request. */
  demo(clock: Clock): Demo {
    const { simulator, redis } = this;
    return new Demo({ simulator, emptyRedis: redis && (() => empty(redis)), clock });
  }

  get hasFirstRooms(): boolean {
    return 'LIVEKIT_URL' in this.variables;
  }

  async end(): Promise<void> {
    for (const end of this.enders.splice(0).toReversed()) await end();
  }

  private async embedStorage(kept: KeptFolder): Promise<void> {
    const folder = await kept.folder('storage');
    this.variables.STORAGE_URL = `file:${folder}`;
    this.parts.push({ name: 'Storage', words: `embedded: the folder ${folder}` });
  }

  private async embedRedis(kept: KeptFolder, program: string | null, clock: Clock): Promise<void> {
    if (program === null) throw new StartFault('No Redis server was found: set REDIS_URL, or use npm start.');
    const password = await kept.keep('redis-password', newSecret);
    const folder = await kept.folder('redis');
    const redis = await PrivateRedis.start({ program, folder, password, clock });
    this.enders.push(() => redis.end());
    this.redis = redis;
    this.variables.REDIS_URL = redis.url;
    this.parts.push({ name: 'Redis', words: `embedded: a private server that keeps its data in ${folder}` });
  }

  private async embedLiveKit(kept: KeptFolder, webhookUrl: string, clock: Clock): Promise<void> {
    const apiKey = 'tallylight';
    const apiSecret = await kept.keep('livekit-secret', newSecret);
    const simulator = await startSimulator({
      apiKey,
      apiSecret,
      recordMedia: demoMedia(namesIn),
      makeSegment: demoSegments(namesIn),
      kept: await readKeptSimulator(kept),
    });
    this.simulator = simulator.engine;
    const stopKeeping = keepSimulator(simulator.engine, kept, clock);
    const ended = new AbortController();
    this.open = () => {
      simulator.engine.setReceiver(httpReceiver(webhookUrl, ended.signal));
      for (const [name, room] of Object.entries(FIRST_ROOMS)) {
        if (!simulator.engine.rooms.find(name)) simulator.engine.openRoom(name, room);
      }
      letVisitorsComeAndGo(simulator.engine, Object.keys(FIRST_ROOMS), clock, systemRandom, ended.signal);
    };
    this.enders.push(async () => {
      ended.abort();
      await stopKeeping();
      await simulator.close();
    });
    Object.assign(this.variables, {
      LIVEKIT_URL: simulator.url,
      LIVEKIT_API_KEY: apiKey,
      LIVEKIT_API_SECRET: apiSecret,
    });
    const rooms = Object.keys(FIRST_ROOMS).join(' and ');
    this.parts.push({ name: 'LiveKit', words: `embedded: a simulator, with people in the rooms ${rooms}` });
  }
}

async function empty({ url }: PrivateRedis): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0 });
  try {
    await redis.connect();
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
}
