import { Injectable, Logger } from '@nestjs/common';
import { Instance } from '../config/instance.js';
import { Clock } from '../kernel/clock.js';
import type { Lease } from './lease.js';
import { Leases } from './leases.js';

export type LeasedRun<T> = { readonly ran: true; readonly result: T } | { readonly ran: false };

/** The reason of the signal that tells work to end because another may be at it by now. */
export class LeaseLost extends Error {
  constructor(name: string) {
    super(`the lease ${name} was lost; another instance may hold it`);
    this.name = 'LeaseLost';
  }
}

/** Does work that only one instance should be at, under a short lease that is renewed as long as the work goes on. */
@Injectable()
export class LeaseKeeper {
  private readonly log = new Logger('Leases');

  constructor(
    private readonly leases: Leases,
    private readonly clock: Clock,
    private readonly instance: Instance,
  ) {}

  /**
   * Runs `work` while this instance holds the lease; `ran` false: another holds it. The signal aborts with LeaseLost when the
   * lease can't be relied on any more. Throws what `work` throws, and REDIS_UNAVAILABLE when the lease can't be asked for.
   */
  async withLease<T>(
    name: string,
    ttlMs: number,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<LeasedRun<T>> {
    const askedAt = this.clock.now();
    const lease = await this.leases.acquire(name, { owner: this.instance.id, ttlMs });
    if (lease === null) return { ran: false };
    const over = new AbortController();
    const lost = new AbortController();
    const keeping = this.keep(lease, ttlMs, askedAt + ttlMs, over.signal, lost);
    try {
      return { ran: true, result: await work(lost.signal) };
    } finally {
      over.abort();
      await keeping;
      if (!lost.signal.aborted) await this.release(lease);
    }
  }

  private async keep(
    lease: Lease,
    ttlMs: number,
    validUntil: number,
    over: AbortSignal,
    lost: AbortController,
  ): Promise<void> {
    let until = validUntil;
    while (await this.pause(ttlMs / 3, over)) {
      const askedAt = this.clock.now();
      const answer = await this.renewBefore(until, lease, ttlMs, over);
      if (answer === 'over') return;
      if (answer === 'renewed') until = askedAt + ttlMs;
      if (answer === 'lost' || this.clock.now() >= until) {
        this.log.warn({ message: 'lease lost', lease: lease.name });
        lost.abort(new LeaseLost(lease.name));
        return;
      }
    }
  }

  /** `unknown`: the question failed, the lease may still be ours. The end of the lease is not waited past. */
  private async renewBefore(
    until: number,
    lease: Lease,
    ttlMs: number,
    over: AbortSignal,
  ): Promise<'renewed' | 'lost' | 'unknown' | 'over'> {
    const answered = new AbortController();
    const renewing = this.leases.renew(lease, ttlMs).then(
      (renewed) => (renewed ? 'renewed' : 'lost') as 'renewed' | 'lost',
      (error: unknown) => {
        this.log.debug({
          message: 'lease not renewed, trying again',
          lease: lease.name,
          cause: String(error),
        });
        return 'unknown' as const;
      },
    );
    const waiting = this.pause(
      Math.max(0, until - this.clock.now()),
      AbortSignal.any([over, answered.signal]),
    ).then((expired) => (expired ? ('lost' as const) : ('over' as const)));
    const answer = await Promise.race([renewing, waiting]);
    answered.abort();
    return answer;
  }

  /** False: ended before its time. */
  private async pause(ms: number, signal: AbortSignal): Promise<boolean> {
    return this.clock.sleep(ms, signal).then(
      () => true,
      (reason: unknown) => {
        if (signal.aborted) return false;
        throw reason;
      },
    );
  }

  private async release(lease: Lease): Promise<void> {
    try {
      await this.leases.release(lease);
    } catch (error) {
      // The work is done and its result counts; the lease runs out by itself.
      this.log.debug({ message: 'lease not released, it runs out', lease: lease.name, cause: String(error) });
    }
  }
}
