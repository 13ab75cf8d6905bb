import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import {
  type ChainableCommander,
  Cluster,
  type ClusterNode,
  type ClusterOptions,
  Redis,
  type RedisOptions,
} from 'ioredis';
import { Config } from '../config/config.js';
import { TallyError } from '../kernel/errors.js';
import { redisWasReset } from './redis-was-reset.js';
import { prefixOf, redisFailure } from './redis-failure.js';
import { keys, SLOT } from './keys.js';
import { clusterNodes, connectionOptions } from './redis-url.js';

/** One server, maybe found by Sentinels, or a cluster of which one node holds all keys of ours. */
export type RedisClient = Redis | Cluster;

/**
 * The connections of this process. `command` fails fast: a request is answered REDIS_UNAVAILABLE rather than kept waiting;
 * those of the queue wait, because a job that waits is not lost.
 */
@Injectable()
export class RedisConnections implements OnApplicationShutdown {
  private readonly log = new Logger('Redis');
  private readonly open: RedisClient[] = [];
  readonly command: RedisClient;

  constructor(private readonly config: Config) {
    this.command = this.connect('command', {
      maxRetriesPerRequest: 1,
      connectTimeout: 5_000,
      commandTimeout: 10_000,
      socketTimeout: 8_000,
      retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
    });
  }

  /** The server that holds our keys, for commands that name none. Throws REDIS_UNAVAILABLE. */
  get owner(): Redis {
    const { command } = this;
    if (command instanceof Redis) return command;
    const [master] = command.slots[SLOT] ?? [];
    const owner = command.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === master);
    if (owner === undefined) {
      throw new TallyError('REDIS_UNAVAILABLE', 'Redis does not answer; try again in a moment');
    }
    return owner;
  }

  /** A further connection, closed with the application. */
  connect(purpose: string, options: RedisOptions): RedisClient {
    const redis = openClient(this.config.redisUrl, {
      connectionName: `tallylight-${purpose}`,
      keepAlive: 5_000,
      ...options,
    });
    let unavailable = false;
    redis.on('error', (error: Error) => {
      if (!unavailable)
        this.log.error({
          event: 'redis_unavailable',
          message: 'Redis is unavailable',
          purpose,
          cause: error.message,
        });
      unavailable = true;
    });
    redis.on('ready', () => {
      if (unavailable)
        this.log.log({ event: 'redis_available', message: 'Redis is available again', purpose });
      unavailable = false;
    });
    this.open.push(redis);
    return redis;
  }

  /** For who adds to queues: nothing waits in this process' memory, and no command longer than `limitMs`. */
  forProducers(purpose: string, limitMs: number): RedisClient {
    return this.connect(purpose, {
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      connectTimeout: 5_000,
      commandTimeout: limitMs,
      socketTimeout: 8_000,
      retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
    });
  }

  /** For who waits: a blocked worker, a subscriber. A worker is answered within fifteen seconds, be it that there is nothing. */
  forQueues(purpose: string): RedisClient {
    return this.connect(purpose, {
      connectTimeout: 5_000,
      socketTimeout: 20_000,
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
    });
  }

  /** The answer to one question, or to several that depend on each other. Throws REDIS_UNAVAILABLE. */
  async run<T>(question: (redis: RedisClient) => Promise<T>): Promise<T> {
    try {
      return await question(this.command);
    } catch (error) {
      throw redisFailure(error);
    }
  }

  /**
   * Several commands in one round trip, their answers in order; those of others may come between them. One that is refused
   * fails all, after all of them were sent. Throws REDIS_UNAVAILABLE.
   */
  async pipeline(commands: (all: ChainableCommander) => ChainableCommander): Promise<unknown[]> {
    return answersOf(await this.run((redis) => commands(redis.pipeline()).exec()));
  }

  /** Several commands in one step, all or none; for what would be wrong in parts. Throws REDIS_UNAVAILABLE. */
  async multi(commands: (all: ChainableCommander) => ChainableCommander): Promise<unknown[]> {
    return answersOf(await this.run((redis) => commands(redis.multi()).exec()));
  }

  /**
   * Reads in one round trip from a Redis that is whole: what is missing while it is not is not "no". The epoch is read before
   * and after, so that no reset between the reads goes unseen. Throws REDIS_UNAVAILABLE.
   */
  async readWhole(
    reads: (all: ChainableCommander) => ChainableCommander,
  ): Promise<[epoch: string, ...answers: unknown[]]> {
    const answers = await this.pipeline((all) => reads(all.get(keys.epoch())).get(keys.epoch()));
    const [epoch] = answers;
    if (typeof epoch !== 'string' || answers.at(-1) !== epoch) throw redisWasReset();
    return [epoch, ...answers.slice(1, -1)];
  }

  onApplicationShutdown(): void {
    // One that a queue has closed already would keep the process for the time of a disconnection.
    for (const redis of this.open) if (redis.status !== 'end') redis.disconnect();
  }
}

function openClient(redisUrl: string, options: RedisOptions): RedisClient {
  const server = connectionOptions(redisUrl);
  const cluster = clusterNodes(redisUrl);
  if (cluster === null)
    return new TolerantRedis({ ...server, reconnectOnError: leavingDemoted(), ...options });
  const { retryStrategy, enableOfflineQueue, ...ofNode } = options;
  const { host: _host, port: _port, ...shared } = server;
  return new TolerantCluster([...cluster.nodes], {
    redisOptions: { ...shared, ...ofNode },
    // Who waits for nothing fails while no node is known; who may wait is kept until one is.
    enableOfflineQueue: enableOfflineQueue ?? options.maxRetriesPerRequest === null,
    ...(retryStrategy && { clusterRetryStrategy: (times: number) => Number(retryStrategy(times)) }),
    // Certificates are for names, and a name may have moved.
    ...(cluster.tls && { dnsLookup: (address, found) => found(null, address) }),
    slotsRefreshTimeout: 2_000,
  } satisfies ClusterOptions);
}

/** What BullMQ asks of INFO, answered where the user may not ask: the least version that is supported. */
const UNKNOWN_SERVER = 'redis_version:7.0.9\r\nredis_mode:standalone\r\nmaxmemory_policy:noeviction\r\n';

/**
 * Answers what libraries ask of INFO: also where the user may not ask, and without the eviction policy, of which they would
 * write to the console; whoever wants the truth calls INFO itself.
 */
class TolerantRedis extends Redis {
  override duplicate(override?: Partial<RedisOptions>): Redis {
    return new TolerantRedis({ ...this.options, ...override });
  }

  /** The client's own check whether Redis is ready asks with a callback. */
  override info(...args: unknown[]): Promise<string> {
    const ask = super.info as (...args: unknown[]) => Promise<string>;
    return infoFor(args, (sections) => ask.apply(this, [...sections]));
  }
}

class TolerantCluster extends Cluster {
  constructor(
    private readonly given: ClusterNode[],
    options: ClusterOptions,
  ) {
    super(given, options);
  }

  override duplicate(nodes: ClusterNode[] = [], override: Partial<ClusterOptions> = {}): Cluster {
    return new TolerantCluster(nodes.length > 0 ? nodes : this.given, {
      ...this.options,
      ...override,
    });
  }

  override info(...args: unknown[]): Promise<string> {
    const ask = super.info as (...args: unknown[]) => Promise<string>;
    return infoFor(args, (sections) => ask.apply(this, [...sections]));
  }
}

async function infoFor(
  args: readonly unknown[],
  ask: (sections: readonly unknown[]) => Promise<string>,
): Promise<string> {
  const callback = args.at(-1);
  const isCalledBack = typeof callback === 'function';
  try {
    const info = await ask(isCalledBack ? args.slice(0, -1) : args);
    const known = info.replace(/^maxmemory_policy:.*$/m, 'maxmemory_policy:noeviction');
    if (isCalledBack) callback(null, known);
    return known;
  } catch (error) {
    const refused = error instanceof Error && prefixOf(error.message) === 'NOPERM';
    if (isCalledBack) callback(refused ? null : error, UNKNOWN_SERVER);
    if (refused || isCalledBack) return UNKNOWN_SERVER;
    throw error;
  }
}

/** At most so often: where everybody at this address is a replica, a new connection helps nobody. */
const LEAVE_EVERY_MS = 1_000;

/** A master that was demoted in place is left for whoever answers at its address by now. */
function leavingDemoted(): (error: Error) => boolean {
  let leftAt = -Infinity;
  return ({ message }) => {
    if (!['READONLY', 'UNBLOCKED', 'MASTERDOWN'].includes(prefixOf(message))) return false;
    const now = process.uptime() * 1_000;
    if (now - leftAt < LEAVE_EVERY_MS) return false;
    leftAt = now;
    return true;
  };
}

function answersOf(answers: [error: Error | null, answer: unknown][] | null): unknown[] {
  return (answers ?? []).map(([error, answer]) => {
    if (error) throw redisFailure(error);
    return answer;
  });
}
