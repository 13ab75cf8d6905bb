import type { Clock } from '../../kernel/clock.js';

/** Lets one who waits go on early. Whoever is woken while nobody waits doesn't wait the next time. */
export class WakeUp {
  private woken = false;
  private next: AbortController | null = null;

  readonly wake = (): void => {
    this.woken = true;
    this.next?.abort();
  };

  /** Ends when it is woken, after `ms`, or when the signal aborts; false for the last. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.woken && !signal.aborted) {
      this.next = new AbortController();
      await clock.sleep(ms, AbortSignal.any([signal, this.next.signal])).catch((error: unknown) => {
        if (!this.woken && !signal.aborted) throw error;
      });
      this.next = null;
    }
    this.woken = false;
    return !signal.aborted;
  }
}
