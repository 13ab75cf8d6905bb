import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Instance } from '../config/instance.js';
import { Clock } from '../kernel/clock.js';
import { TallyError } from '../kernel/errors.js';
import { keys } from '../redis/keys.js';
import { AgreedTime } from '../redis/agreed-time.js';
import { type RedisClient, RedisConnections } from '../redis/redis.connections.js';
import { redisFailure } from '../redis/redis-failure.js';

/** A process that has not been heard of for so long is gone. */
const SILENT_MS = 15_000;
const FORGOTTEN_MS = 60_000;
const CLOCK_TOLERANCE_MS = 1_000;
/** A restart leaves nobody for a moment. */
const TOLD_AFTER_MS = 10_000;
const RUNS_JOBS = 'worker ';

/**
 * This process' sign of life, written into Redis: it shows that Redis takes writes, who else is there to run jobs, and what
 * time it is for everybody.
 */
@Injectable()
export class ProcessBeat {
  private readonly log = new Logger('Process');
  private noWorkerSince: number | null = null;
  private told = false;
  private refused = false;
  /** A problem for an operator by the name of what was looked at, null where there is none; empty while it is not known. */
  private forgotAt = -Infinity;
  seen: { readonly workers?: string | null; readonly clock?: string | null } = {};

  constructor(
    private readonly config: Config,
    private readonly instance: Instance,
    private readonly redis: RedisConnections,
    private readonly clock: Clock,
    private readonly time: AgreedTime,
  ) {}

  /** False while there is no connection at all. */
  get isConnected(): boolean {
    return this.redis.command.status === 'ready';
  }

  /** Throws REDIS_UNAVAILABLE where Redis can't be asked, or refuses to write. */
  async strike(): Promise<void> {
    const { command } = this.redis;
    try {
      const askedAt = this.clock.now() - this.time.offsetMs;
      const [seconds, micros] = await this.redis.owner.time();
      const answeredAt = this.clock.now() - this.time.offsetMs;
      const now = Math.round(Number(seconds) * 1_000 + Number(micros) / 1_000);
      const name = `${this.config.role === 'api' ? 'api ' : RUNS_JOBS}${this.instance.id}`;
      await command.zadd(keys.processes(), now, name);
      if (now - this.forgotAt >= FORGOTTEN_MS) {
        await command.zremrangebyscore(keys.processes(), '-inf', now - FORGOTTEN_MS);
        this.forgotAt = now;
      }
      const workers = await presentWorkers(command, now);
      this.seen = { workers: this.problemOfWorkers(workers), clock: clockProblem(now, askedAt, answeredAt) };
      if (this.refused) {
        this.log.log({ event: 'redis_takes_writes', message: 'Redis takes writes again' });
        this.refused = false;
      }
    } catch (error) {
      this.seen = {};
      const failure = isRefusal(error) ? unwritable(error) : redisFailure(error);
      // That it does not answer at all is told by its connections.
      if (isRefusal(error) && failure instanceof TallyError && !this.refused) {
        this.log.error({ event: 'redis_takes_no_writes', message: failure.message, cause: String(error) });
        this.refused = true;
      }
      throw failure;
    }
  }

  private problemOfWorkers(workers: number): string | null {
    if (workers > 0) {
      if (this.told) this.log.log({ event: 'worker_back', message: 'a process runs jobs again', workers });
      this.told = false;
      this.noWorkerSince = null;
      return null;
    }
    const problem = 'no process runs jobs: start one whose ROLE is worker or all';
    this.noWorkerSince ??= this.clock.now();
    if (!this.told && this.clock.now() - this.noWorkerSince >= TOLD_AFTER_MS) {
      this.told = true;
      this.log.error({ event: 'no_worker', message: problem });
    }
    return problem;
  }
}

/** How many processes that run jobs were heard of just now, by the time of Redis in ms. */
export async function presentWorkers(redis: RedisClient, now: number): Promise<number> {
  const present = await redis.zrange(keys.processes(), now - SILENT_MS, '+inf', 'BYSCORE');
  return present.filter((one) => one.startsWith(RUNS_JOBS)).length;
}

/** What is wrong with this machine's clock, which showed `askedAt` and `answeredAt` around the answer of Redis; null: nothing. */
export function clockProblem(redisAt: number, askedAt: number, answeredAt: number): string | null {
  const off = redisAt < askedAt ? redisAt - askedAt : Math.max(0, redisAt - answeredAt);
  if (Math.abs(off) <= CLOCK_TOLERANCE_MS) return null;
  const direction = off > 0 ? 'behind' : 'ahead of';
  return `this process' clock is ${Math.abs(off)} ms ${direction} that of Redis: let both be set by NTP`;
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Redis answered, and said no; where that is nothing known, its own word is what tells why. */
function unwritable(cause: unknown): unknown {
  const known = redisFailure(cause);
  if (known instanceof TallyError) return known;
  const said = cause instanceof Error ? cause.message.slice(0, 200) : 'no reason';
  return new TallyError('REDIS_UNAVAILABLE', `Redis takes no writes: ${said}`, { cause });
}
