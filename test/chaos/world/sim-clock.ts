import { Clock } from '../../../src/kernel/clock.js';

interface Alarm {
  readonly at: number;
  readonly order: number;
  ring: (() => void) | null;
}

/** So much happens at no instant. */
const MOST_STEPS = 20_000;

/** The one time of a run: stands still until it is told to move, and wakes sleepers one by one, equal instants in the order they lay down. */
export class SimClock extends Clock {
  private readonly heap: Alarm[] = [];
  private order = 0;
  private steps = 0;
  private lastAt = 0;

  constructor(private instant: number) {
    super();
  }

  now(): number {
    return this.instant;
  }

  /** Runs `task` in `ms`, unless cancelled before. */
  after(ms: number, task: () => void): () => void {
    const alarm: Alarm = { at: this.instant + Math.max(0, Math.ceil(ms)), order: this.order++, ring: task };
    this.push(alarm);
    return () => {
      alarm.ring = null;
    };
  }

  /** Moves time on to `until`; `each` is called after every step, when nothing more follows from it without time. */
  async runUntil(until: number, each: () => void): Promise<void> {
    await settle();
    for (let next = this.heap[0]; next && next.at <= until; next = this.heap[0]) {
      this.pop();
      if (next.ring === null) continue;
      this.instant = Math.max(this.instant, next.at);
      this.steps = next.at === this.lastAt ? this.steps + 1 : 0;
      this.lastAt = next.at;
      if (this.steps > MOST_STEPS)
        throw new Error('time stands still: something asks for itself again and again');
      next.ring();
      await settle();
      each();
    }
    this.instant = Math.max(this.instant, until);
  }

  private push(alarm: Alarm): void {
    const { heap } = this;
    let at = heap.push(alarm) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!isBefore(alarm, heap[up]!)) break;
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = alarm;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1]!, heap[down]!)) down += 1;
      if (!isBefore(heap[down]!, last)) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = last;
  }
}

function isBefore(a: Alarm, b: Alarm): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Every promise that can go on without time has done so afterwards: nothing in the simulation leaves the process. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
