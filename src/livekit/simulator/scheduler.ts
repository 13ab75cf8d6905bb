import type { Clock } from '../../kernel/clock.js';

export type Cancel = () => void;

/** Everything that the simulator does later; closing it cancels what has not happened yet. */
export class Scheduler {
  private readonly pending = new Set<AbortController>();
  private closed = false;

  constructor(readonly clock: Clock) {}

  /** Runs `task` in `ms`, unless cancelled before. */
  after(ms: number, task: () => void): Cancel {
    const wait = new AbortController();
    if (this.closed) return () => undefined;
    this.pending.add(wait);
    void this.clock.sleep(ms, wait.signal).then(
      () => {
        this.pending.delete(wait);
        task();
      },
      // The only reason to reject is our own cancelling.
      () => this.pending.delete(wait),
    );
    return () => wait.abort();
  }

  /** Resolves in `ms`; never, once closed. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  close(): void {
    this.closed = true;
    for (const wait of this.pending) wait.abort();
  }
}
