import { createHash } from 'node:crypto';
import type { SimClock } from './sim-clock.js';

/** What happened, line by line; two runs of one seed have the same digest. */
export class Trace {
  private readonly hash = createHash('sha1');
  private readonly kept: string[] = [];
  private readonly start: number;

  constructor(
    private readonly clock: SimClock,
    private readonly most: number,
    private readonly detailed: boolean,
  ) {
    this.start = clock.now();
  }

  add(who: string, what: string): void {
    const line = this.lineOf(who, what);
    this.hash.update(line);
    this.kept.push(line);
    if (this.kept.length > 2 * this.most) this.kept.splice(0, this.most);
  }

  /** Every single call, for who reads one run whole; no part of the digest. */
  detail(who: string, what: string): void {
    if (this.detailed) this.kept.push(this.lineOf(who, what));
  }

  last(lines: number): string[] {
    return this.kept.slice(-lines);
  }

  digest(): string {
    return this.hash.copy().digest('hex');
  }

  private lineOf(who: string, what: string): string {
    const seconds = ((this.clock.now() - this.start) / 1_000).toFixed(3);
    return `${seconds.padStart(9)} ${who.padEnd(5)} ${what}`;
  }
}
