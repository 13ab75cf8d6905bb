/** The only source of time: instants are ms since the Unix epoch. */
export abstract class Clock {
  abstract now(): number;
  /** Calls `task` in `ms`; what is returned keeps it from being called. */
  abstract after(ms: number, task: () => void): () => void;

  /** Resolves after `ms`, or rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/**
 * What `work` comes to, or what `late` says or throws where `ms` have passed before. What the work comes to after that is
 * nobody's any more, a failure included.
 */
export async function awaitWithin<T, L>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  late: () => L,
): Promise<T | L> {
  let cancel = (): void => undefined;
  const limit = new Promise<void>((resolve) => (cancel = clock.after(ms, resolve)));
  try {
    return await Promise.race([work, limit.then(late)]);
  } finally {
    cancel();
    work.catch(() => undefined);
  }
}

/** A timer of Node that is to take longer rings at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }

  after(ms: number, task: () => void): () => void {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      if (left <= LONGEST_TIMER_MS) timer = setTimeout(task, left);
      else timer = setTimeout(() => wait(left - LONGEST_TIMER_MS), LONGEST_TIMER_MS);
    };
    wait(ms);
    return () => clearTimeout(timer);
  }
}

/**
 * One time for all instances: the local clock and how far it is behind that of Redis. What was learnt last holds while
 * Redis is unavailable.
 */
export class AgreedClock extends SystemClock {
  private offset = 0;

  /** What is added to the local clock, in ms; positive where the local clock is behind. */
  get offsetMs(): number {
    return this.offset;
  }

  override now(): number {
    return Date.now() + this.offset;
  }

  /** The server's clock showed `serverMs` at some time between the two local instants. */
  learn(serverMs: number, askedAtMs: number, answeredAtMs: number): void {
    // Both clocks are cut to whole ms. An offset that fits is kept, so that a slow answer moves nothing.
    const least = serverMs - answeredAtMs - 1;
    const most = serverMs - askedAtMs + 1;
    if (this.offset >= least && this.offset <= most) return;
    this.offset = least <= 0 && most >= 0 ? 0 : Math.round((least + most) / 2);
  }
}
