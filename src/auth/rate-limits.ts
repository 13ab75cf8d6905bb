import { Injectable, Logger } from '@nestjs/common';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import { Config } from '../config/config.js';
import { BOUNDS } from '../kernel/bounds.js';
import { Clock, awaitWithin } from '../kernel/clock.js';
import { digest } from '../kernel/digest.js';
import { TallyError } from '../kernel/errors.js';
import { TAG } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';

/** Callers by their id, addresses by themselves. */
export type Limited = 'caller' | 'address';

/** A count is not worth waiting longer for. */
const REDIS_LIMIT_MS = 250;

const LIMITS: Readonly<Record<Limited, { readonly points: number; readonly duration: number }>> = {
  caller: { points: BOUNDS.callerPoints, duration: BOUNDS.callerSeconds },
  address: { points: BOUNDS.addressPoints, duration: BOUNDS.addressSeconds },
};

/**
 * How often somebody may ask, counted in Redis for all instances together; in the memory of this process while Redis is away or
 * slow, as a limit must never be the reason why nothing is answered.
 */
@Injectable()
export class RateLimits {
  private readonly log = new Logger('RateLimits');
  private readonly shared: Readonly<Record<Limited, RateLimiterAbstract>>;
  private readonly own: Readonly<Record<Limited, RateLimiterAbstract>>;
  private alone = false;

  constructor(
    private readonly config: Config,
    redis: RedisConnections,
    private readonly clock: Clock,
  ) {
    const options = (kind: Limited) => ({ ...LIMITS[kind], keyPrefix: `${TAG}:limit:${kind}` });
    const sharedBy = (kind: Limited): RateLimiterAbstract =>
      new RateLimiterRedis({ ...options(kind), storeClient: redis.command, rejectIfRedisNotReady: true });
    const { rateLimit } = config;
    this.own = {
      caller: new RateLimiterMemory(options('caller')),
      address: new RateLimiterMemory(options('address')),
    };
    this.shared = rateLimit ? { caller: sharedBy('caller'), address: sharedBy('address') } : this.own;
  }

  /** Throws RATE_LIMITED where this one has no such points left. */
  async take(kind: Limited, who: string, points: number): Promise<void> {
    if (!this.config.rateLimit) return;
    const key = digest(who);
    await this.ask(kind, (limiter) => limiter.consume(key, points));
  }

  /** Takes nothing. Throws RATE_LIMITED where this one has none left. */
  async check(kind: Limited, who: string): Promise<void> {
    if (!this.config.rateLimit) return;
    const key = digest(who);
    await this.ask(kind, async (limiter) => {
      const now = await limiter.get(key);
      if (now !== null && now.consumedPoints > LIMITS[kind].points) throw now;
    });
  }

  private async ask(
    kind: Limited,
    question: (limiter: RateLimiterAbstract) => Promise<unknown>,
  ): Promise<void> {
    try {
      await this.askShared(kind, question);
    } catch (error) {
      if (error instanceof RateLimiterRes) throw limited(error);
      this.tellAlone(error);
      try {
        await question(this.own[kind]);
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) throw limited(refusal);
        throw refusal;
      }
    }
  }

  private async askShared(
    kind: Limited,
    question: (limiter: RateLimiterAbstract) => Promise<unknown>,
  ): Promise<void> {
    await awaitWithin(this.clock, REDIS_LIMIT_MS, question(this.shared[kind]), () => {
      throw new Error(`Redis did not count within ${REDIS_LIMIT_MS} ms`);
    });
    if (this.alone) this.log.log({ event: 'limits_shared', message: 'limits are counted in Redis again' });
    this.alone = false;
  }

  private tellAlone(error: unknown): void {
    if (!this.alone) {
      this.log.warn({
        event: 'limits_alone',
        message: 'limits are counted by this process alone until Redis answers',
        cause: String(error),
      });
    }
    this.alone = true;
  }
}

function limited({ msBeforeNext }: RateLimiterRes): TallyError {
  const retryAfter = Math.max(1, Math.ceil(msBeforeNext / 1_000));
  return new TallyError('RATE_LIMITED', `too many requests; try again in ${retryAfter} s`, { retryAfter });
}
