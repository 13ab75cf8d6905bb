import { AgreedClock, Clock } from '../../../src/kernel/clock.js';
import type { Dice } from './dice.js';
import type { SimClock } from './sim-clock.js';
import type { Trace } from './trace.js';

/**
 * One life of one instance's process. Whatever the product does to the world goes through `pass`: after its death nothing it
 * waits for ever resolves and nothing it does has an effect; while it is stopped by a signal its answers wait.
 */
export class Incarnation {
  private dead = false;
  private stopped: Promise<void> | null = null;
  private stoppedAt: number | null = null;
  private release: () => void = () => undefined;
  private crashIn: { what: string; calls: number; withEffect: boolean } | null = null;
  private lastEffect = false;
  private readonly onDeath: (() => void)[] = [];
  readonly clock: Clock;
  private readonly agreed = new AgreedClock();

  constructor(
    readonly name: string,
    private readonly world: { readonly clock: SimClock; readonly dice: Dice; readonly trace: Trace },
    /** How far its clock is off, ms. */
    private readonly skewMs: number,
  ) {
    this.clock = new InstanceClock(world.clock, this, () => this.localNow() + this.agreed.offsetMs);
  }

  /** Asks Redis for the time, and keeps it. Throws REDIS_UNAVAILABLE. */
  async agree(time: () => Promise<number>): Promise<void> {
    const askedAt = this.localNow();
    const serverMs = await this.pass('time', time);
    this.agreed.learn(serverMs, askedAt, this.localNow());
  }

  /** Whoever asks Redis for anything has asked it for the time before. */
  agreeOn(serverMs: number): void {
    this.agreed.learn(serverMs, this.localNow(), this.localNow());
  }

  private localNow(): number {
    return this.world.clock.now() + this.skewMs;
  }

  get isDead(): boolean {
    return this.dead;
  }

  /** Neither dead nor stopped. */
  get runs(): boolean {
    return !this.dead && this.stopped === null;
  }

  /** Since when it has not been able to renew anything; null: it can. */
  get silentSince(): number | null {
    return this.stoppedAt;
  }

  /** One call of a port. `op` is the effect with its answer. */
  async pass<T>(what: string, op: () => Promise<T> | T): Promise<T> {
    await this.standStill();
    if (this.diesHere(what)) {
      if (this.lastEffect) void Promise.resolve(op()).catch(() => undefined);
      this.world.trace.add(this.name, `crashes at ${what}${this.lastEffect ? ', which takes effect' : ''}`);
      this.die();
      return never();
    }
    this.world.trace.detail(this.name, `- ${what}`);
    try {
      return await op();
    } catch (error) {
      this.world.trace.detail(this.name, `- ${what} failed: ${error instanceof Error ? error.message : ''}`);
      throw error;
    } finally {
      // What the process would have seen after its death, it never sees.
      await this.standStill();
    }
  }

  /** Resolves at once for a process that runs, later for one that is stopped, never for a dead one. */
  async standStill(): Promise<void> {
    while (this.stopped !== null && !this.dead) await this.stopped;
    if (this.dead) await never();
  }

  /** Dies at one of its next calls of a kind, or of any: before it, or right after it took effect. */
  crashAfter({ what, calls, withEffect }: { what: string; calls: number; withEffect: boolean }): void {
    this.crashIn = { what, calls, withEffect };
  }

  die(): void {
    if (this.dead) return;
    this.dead = true;
    this.stoppedAt ??= this.world.clock.now();
    this.world.trace.add(this.name, 'is dead');
    this.release();
    for (const tell of this.onDeath) tell();
  }

  pause(): void {
    if (!this.runs) return;
    this.stopped = new Promise((resolve) => {
      this.release = resolve;
    });
    this.stoppedAt = this.world.clock.now();
    this.world.trace.add(this.name, 'is stopped');
  }

  resume(): void {
    if (this.dead || this.stopped === null) return;
    this.stopped = null;
    this.stoppedAt = null;
    this.world.trace.add(this.name, 'goes on');
    this.release();
  }

  /** Rejects when the process dies: what a connection to it sees. */
  get death(): Promise<never> {
    return new Promise((_, reject) => {
      if (this.dead) reject(new Error('connection refused'));
      else this.onDeath.push(() => reject(new Error('connection reset')));
    });
  }

  private diesHere(what: string): boolean {
    const { crashIn } = this;
    if (crashIn === null || !what.startsWith(crashIn.what)) return false;
    crashIn.calls -= 1;
    this.lastEffect = crashIn.withEffect;
    return crashIn.calls <= 0;
  }
}

class InstanceClock extends Clock {
  constructor(
    private readonly real: SimClock,
    private readonly of: Incarnation,
    private readonly time: () => number,
  ) {
    super();
  }

  now(): number {
    return this.time();
  }

  after(ms: number, task: () => void): () => void {
    let cancelled = false;
    const cancel = this.real.after(ms, () => {
      void this.of.standStill().then(() => cancelled || task());
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    try {
      await this.real.sleep(ms, signal);
    } finally {
      await this.of.standStill();
    }
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
