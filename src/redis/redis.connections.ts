import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { Config } from '../config/config.js';
import { TallyError } from '../kernel/errors.js';
import { connectionOptions } from './redis-url.js';

/**
 * The connections of this process. `command` fails fast: a request is answered REDIS_UNAVAILABLE rather than kept waiting;
 * those of the queue wait, because a job that waits is not lost.
 */
@Injectable()
export class RedisConnections implements OnApplicationShutdown {
  private readonly log = new Logger('Redis');
  private readonly open: Redis[] = [];
  readonly command: Redis;

  constructor(private readonly config: Config) {
    this.command = this.connect('command', {
      maxRetriesPerRequest: 1,
      connectTimeout: 5_000,
      commandTimeout: 10_000,
      socketTimeout: 8_000,
      retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
    });
  }

  /** A further connection, closed with the application. */
  connect(purpose: string, options: RedisOptions): Redis {
    const redis = new TolerantRedis({
      ...connectionOptions(this.config.redisUrl),
      connectionName: `tallylight-${purpose}`,
      keepAlive: 5_000,
      reconnectOnError: leavingDemoted(),
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
  forProducers(purpose: string, limitMs: number): Redis {
    return this.connect(purpose, {
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      connectTimeout: 5_000,
      commandTimeout: limitMs,
      socketTimeout: 8_000,
      retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
    });
  }

  /** For who waits: a blocked worker, a subscriber. */
  forQueues(purpose: string): Redis {
    return this.connect(purpose, {
      connectTimeout: 5_000,
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
    });
  }

  onApplicationShutdown(): void {
    // One that a queue has closed already would keep the process for the time of a disconnection.
    for (const redis of this.open) if (redis.status !== 'end') redis.disconnect();
  }
}

/** What BullMQ asks of INFO, answered where the user may not ask: the least version that is supported. */
const UNKNOWN_SERVER = 'redis_version:7.0.9\r\nredis_mode:standalone\r\nmaxmemory_policy:noeviction\r\n';

/** Works for a user who may not ask for INFO. */
class TolerantRedis extends Redis {
  override duplicate(override?: Partial<RedisOptions>): Redis {
    return new TolerantRedis({ ...this.options, ...override });
  }

  /** The client's own check whether Redis is ready asks with a callback, and knows a refusal itself. */
  override async info(...args: unknown[]): Promise<string> {
    const ask = super.info as (...args: unknown[]) => Promise<string>;
    if (args.length > 0 && typeof args.at(-1) === 'function') return ask.apply(this, args);
    try {
      return await ask.apply(this, args);
    } catch (error) {
      if (error instanceof Error && prefixOf(error.message) === 'NOPERM') return UNKNOWN_SERVER;
      throw error;
    }
  }
}

/** What Redis refuses with where a later try, or a change by an operator, makes the same command succeed. */
const REFUSALS: Readonly<Record<string, string>> = {
  OOM: 'Redis is out of memory (maxmemory). Raise maxmemory, or free memory; reads still work',
  READONLY: 'Redis at this address is a replica and takes no writes. Point REDIS_URL at the master',
  NOPERM: 'The Redis user may not run a command or use a key that is needed. Allow ~{tl}* &tl:* +@all to it',
  NOAUTH: 'Redis asks for a password. Put it into REDIS_URL',
  WRONGPASS: 'Redis refuses the user or password of REDIS_URL. Correct them',
  MOVED: 'This Redis node is part of a cluster and does not own our slot. Use one server, or Sentinel',
  ASK: 'This Redis node is moving our slot to another one. Use one server, or Sentinel',
  CLUSTERDOWN: 'The Redis cluster is down. Check its nodes',
  NOREPLICAS: 'Redis has too few replicas to take writes (min-replicas-to-write). Check its replicas',
  BUSY: 'Redis is busy with a script that takes too long; try again in a moment',
  UNKILLABLE: 'Redis is busy with a script that takes too long; try again in a moment',
  LOADING: 'Redis is loading its data; try again in a moment',
  MISCONF: 'Redis takes no writes because it can not save to its disk. Look into its log',
  MASTERDOWN: 'This Redis replica has lost its master. Check the master',
  TRYAGAIN: 'Redis is moving our keys; try again in a moment',
  UNBLOCKED: 'Redis changed its role; try again in a moment',
};

const UNREACHABLE = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['EHOSTDOWN', 'ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'NR_CLOSED'],
]);

/** The client's own failures, which it gives neither a code nor a class. */
const CLIENT_FAILURES = new Set([
  'Connection is closed.',
  'Command timed out',
  "Stream isn't writeable and enableOfflineQueue options is false",
  'connect ETIMEDOUT',
  'Command aborted due to connection close',
]);

/** A failed Redis command as the contract's refusal; other errors, a bug in a script of ours too, are given back as they are. */
export function redisFailure(error: unknown): unknown {
  if (error instanceof TallyError) return error;
  const sentence = sentenceOf(error);
  return sentence === null ? error : new TallyError('REDIS_UNAVAILABLE', sentence, { cause: error });
}

/** Null: not a failure of Redis. */
function sentenceOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('message' in error)) return null;
  const { name, code, message, previousErrors } = error as RedisError;
  if (name === 'ReplyError') {
    const prefix = prefixOf(message);
    // A transaction that was given up says nothing of why; the commands in it do.
    if (prefix === 'EXECABORT') {
      return previousErrors?.map(sentenceOf).find((sentence) => sentence !== null) ?? null;
    }
    return REFUSALS[prefix] ?? (IN_SCRIPT_NOPERM.test(message) ? REFUSALS.NOPERM! : null);
  }
  const unanswered =
    name === 'MaxRetriesPerRequestError' ||
    name === 'ClusterAllFailedError' ||
    (name === 'AbortError' && 'command' in error) ||
    (code !== undefined && UNREACHABLE.has(code)) ||
    CLIENT_FAILURES.has(message) ||
    message.startsWith('Socket timeout. Expecting data');
  return unanswered ? 'Redis does not answer; try again in a moment' : null;
}

/** Inside a script Redis has no code of its own for a user who may not. */
const IN_SCRIPT_NOPERM = /^ERR (?:ACL failure in script|The user executing the script can't)/;

interface RedisError {
  readonly name?: string;
  readonly code?: string;
  readonly message: string;
  readonly previousErrors?: readonly unknown[];
}

function prefixOf(message: string): string {
  return /^-?([A-Z]+)\b/.exec(message)?.[1] ?? '';
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
