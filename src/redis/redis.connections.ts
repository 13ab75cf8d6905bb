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
      retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
    });
  }

  /** A further connection, closed with the application. */
  connect(purpose: string, options: RedisOptions): Redis {
    const redis = new Redis({
      ...connectionOptions(this.config.redisUrl),
      connectionName: `tallylight-${purpose}`,
      ...options,
    });
    let away = false;
    redis.on('error', (error: Error) => {
      if (!away) this.log.error({ message: 'redis is away', purpose, cause: error.message });
      away = true;
    });
    redis.on('ready', () => {
      if (away) this.log.log({ message: 'redis is back', purpose });
      away = false;
    });
    this.open.push(redis);
    return redis;
  }

  forQueues(purpose: string): Redis {
    return this.connect(purpose, {
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
    });
  }

  onApplicationShutdown(): void {
    // One that a queue has closed already would keep the process for the time of a disconnection.
    for (const redis of this.open) if (redis.status !== 'end') redis.disconnect();
  }
}

const CONNECTION_TROUBLE =
  /ECONN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENOTFOUND|Connection is closed|max retries|Command timed out|Stream isn't writeable|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|NOAUTH|WRONGPASS|MISCONF|OOM command/i;

/** A failed Redis command as the contract's refusal; other errors are given back as they are. */
export function redisFailure(error: unknown): unknown {
  if (error instanceof Error && !(error instanceof TallyError)) {
    const text = `${error.name} ${error.message} ${(error as NodeJS.ErrnoException).code ?? ''}`;
    if (CONNECTION_TROUBLE.test(text)) {
      return new TallyError('REDIS_UNAVAILABLE', 'Redis does not answer; try again in a moment', {
        cause: error,
      });
    }
  }
  return error;
}
