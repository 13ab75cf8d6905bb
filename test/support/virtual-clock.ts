import { Clock } from '../../src/kernel/clock.js';

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly ring: () => void;
}

/**
 * Time that stands still until it is told to move. Sleepers wake in the order of their instants, equal instants in
 * the order in which they lay down, and after each one everything that follows from it happens before the next.
 */
export class VirtualClock extends Clock {
  private readonly alarms = new Set<Alarm>();
  private order = 0;

  constructor(private instant = Date.UTC(2030, 0, 1)) {
    super();
  }

  now(): number {
    return this.instant;
  }

  after(ms: number, task: () => void): () => void {
    const alarm: Alarm = { at: this.instant + Math.max(0, ms), order: this.order++, ring: task };
    this.alarms.add(alarm);
    return () => this.alarms.delete(alarm);
  }

  /** Sleepers that have not woken yet. */
  get sleepers(): number {
    return this.alarms.size;
  }

  /** Moves time on by `ms`, waking everybody who is due on the way. */
  async advance(ms: number): Promise<void> {
    const until = this.instant + ms;
    await settle();
    for (let next = this.next(); next && next.at <= until; next = this.next()) await this.wake(next);
    this.instant = until;
  }

  /** Moves time on until nobody sleeps any more; throws when that takes longer than `withinMs` of virtual time. */
  async runUntilIdle(withinMs = 600_000): Promise<void> {
    const until = this.instant + withinMs;
    await settle();
    for (let next = this.next(); next; next = this.next()) {
      if (next.at > until) throw new Error(`${this.alarms.size} still sleep after ${withinMs} ms`);
      await this.wake(next);
    }
  }

  /** Moves time on only as far as it takes `promise` to settle, at most `withinMs` of virtual time. */
  async until<T>(promise: Promise<T>, withinMs = 600_000): Promise<T> {
    const until = this.instant + withinMs;
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await settle();
    for (let next = this.next(); !settled && next && next.at <= until; next = this.next()) {
      await this.wake(next);
    }
    if (!settled) throw new Error(`nothing settled within ${withinMs} ms`);
    return promise;
  }

  private async wake(alarm: Alarm): Promise<void> {
    this.alarms.delete(alarm);
    this.instant = Math.max(this.instant, alarm.at);
    alarm.ring();
    await settle();
  }

  private next(): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.alarms) {
      const earlier = !first || alarm.at < first.at || (alarm.at === first.at && alarm.order < first.order);
      if (earlier) first = alarm;
    }
    return first;
  }
}

/** Lets every promise that can go on without time do so, those of the platform's own crypto and files included. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
