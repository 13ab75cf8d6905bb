import type { JobDefinition } from '../../../src/queue/define-job.js';
import type { QueueName } from '../../../src/queue/queue-definitions.js';
import type { Dice } from './dice.js';
import type { SimRedis, Table } from './sim-redis.js';

/** One job as it stands in Redis; replaced, never changed. */
export interface SimJob {
  readonly id: string;
  readonly queue: QueueName;
  readonly name: string;
  readonly data: unknown;
  readonly attempts: number;
  readonly backoffMs: number;
  readonly keepSeconds: number | undefined;
  readonly dedup: string | null;
  readonly state: 'waiting' | 'delayed' | 'active' | 'finished';
  /** Of a waiting job its place in the queue, of a delayed one its time, of a finished one when it is forgotten. */
  readonly at: number;
  readonly attemptsMade: number;
  /** Who runs it. */
  readonly token: string | null;
}

const MAX_BACKOFF_MS = 60_000;
/** Harmless for a recording that is over. */
const TIMERS: ReadonlySet<string> = new Set(['reconcile-recording']);
const FAILED_KEPT_MS = 7 * 86_400_000;

/** The queue's tables with BullMQ's rules: ids that are added once, wake-ups that are kept while one runs, timers that replace each other. */
export class JobTables {
  private readonly jobs: Table<SimJob>;
  private readonly dedups: Table<string>;
  /** What is to be added when the active job of this deduplication id is over. */
  private readonly next: Table<SimJob>;
  private made = 0;
  private placed = 0;
  /** What is wrong with those that wait for their time, and how often. */
  timerFault: { readonly what: 'lost' | 'doubled' | 'early'; readonly dice: Dice } | null = null;
  /** Called when something may be ready to run, or a timer has been set. */
  changed: () => void = () => undefined;

  constructor(private readonly redis: SimRedis) {
    this.jobs = redis.table();
    this.dedups = redis.table();
    this.next = redis.table();
  }

  add<P>(definition: JobDefinition<P>, data: P, inMs: number): void {
    const key = `${definition.name}-${definition.key(data)}`;
    const delay = Math.round(inMs);
    const wake = definition.mode === 'wake';
    const job: SimJob = {
      id: wake ? String((this.made += 1)) : key,
      queue: definition.queue,
      name: definition.name,
      data,
      attempts: definition.options.attempts,
      backoffMs: definition.options.backoffMs,
      keepSeconds: definition.options.keepSeconds,
      dedup: wake ? (inMs > 0 ? `${key}-later` : key) : null,
      ...this.placeFor(delay),
      attemptsMade: 0,
      token: null,
    };
    if (job.dedup === null) {
      if (this.find(job.id) === null) this.store(job);
      return;
    }
    const present = this.find(this.dedups.get(job.dedup) ?? '');
    if (present === null || (inMs > 0 && present.state === 'delayed')) {
      if (present !== null) this.jobs.delete(present.id);
      this.next.delete(job.dedup);
      this.dedups.set(job.dedup, job.id);
      this.store(job);
    } else if (present.state === 'active') {
      this.next.set(job.dedup, job);
    }
  }

  /** Timers are of rows, and go with them. */
  clearTimers(): void {
    for (const { id, queue, dedup } of [...this.jobs.values()]) {
      if (queue !== 'timers') continue;
      this.jobs.delete(id);
      if (dedup !== null) this.dedups.delete(dedup);
    }
  }

  knows(id: string): boolean {
    return this.find(id) !== null;
  }

  /** Those that wait for a worker, in order; timers that are due are among them. */
  ready(): SimJob[] {
    const now = this.redis.now();
    for (const job of [...this.jobs.values()]) {
      if (job.state === 'delayed' && job.at <= now) this.jobs.set(job.id, { ...job, ...this.placeFor(0) });
    }
    return [...this.jobs.values()].filter((job) => job.state === 'waiting').sort((a, b) => a.at - b.at);
  }

  active(): SimJob[] {
    return [...this.jobs.values()].filter((job) => job.state === 'active');
  }

  /** Nothing waits or runs but rounds that never end, and timers whose time nobody has to wait for. */
  isIdle(): boolean {
    for (const { state, name } of this.jobs.values()) {
      if (state === 'finished' || name === 'run-sweep') continue;
      if (state !== 'delayed' || !TIMERS.has(name)) return false;
    }
    return true;
  }

  /** When the next timer is due; null: there is none. */
  nextTimer(): number | null {
    let first: number | null = null;
    for (const { state, at } of this.jobs.values()) {
      if (state === 'delayed' && (first === null || at < first)) first = at;
    }
    return first;
  }

  take(job: SimJob, token: string): SimJob {
    const taken: SimJob = { ...job, state: 'active', token };
    this.jobs.set(job.id, taken);
    return taken;
  }

  /** Back to the queue: who ran it lost its lock. */
  putBack(job: SimJob): void {
    this.jobs.set(job.id, { ...job, ...this.placeFor(0), token: null });
    this.changed();
  }

  complete(id: string, token: string): void {
    const job = this.held(id, token);
    if (job) this.over(job, job.keepSeconds === undefined ? null : job.keepSeconds * 1_000);
  }

  fail(id: string, token: string, forGood: boolean): void {
    const job = this.held(id, token);
    if (!job) return;
    const attemptsMade = job.attemptsMade + 1;
    if (forGood || attemptsMade >= job.attempts) return this.over(job, FAILED_KEPT_MS);
    const delay = Math.min(job.backoffMs * 2 ** (attemptsMade - 1), MAX_BACKOFF_MS);
    this.keep({ ...job, ...this.placeFor(delay), attemptsMade, token: null });
  }

  /** Later, and that was no try. */
  putOff(id: string, token: string, inMs: number): void {
    const job = this.held(id, token);
    if (job) this.keep({ ...job, ...this.placeFor(inMs), token: null });
  }

  private held(id: string, token: string): SimJob | null {
    const job = this.jobs.get(id);
    return job?.state === 'active' && job.token === token ? job : null;
  }

  private over(job: SimJob, keptMs: number | null): void {
    if (keptMs === null || job.dedup !== null) this.jobs.delete(job.id);
    else this.jobs.set(job.id, { ...job, state: 'finished', at: this.redis.now() + keptMs, token: null });
    if (job.dedup === null) return;
    if (this.dedups.get(job.dedup) === job.id) this.dedups.delete(job.dedup);
    const next = this.next.get(job.dedup);
    if (!next) return;
    this.next.delete(job.dedup);
    this.dedups.set(job.dedup, next.id);
    const delay = next.state === 'delayed' ? Math.max(0, next.at - this.redis.now()) : 0;
    this.store({ ...next, ...this.placeFor(delay) });
  }

  private find(id: string): SimJob | null {
    const job = this.jobs.get(id);
    if (!job || (job.state === 'finished' && job.at <= this.redis.now())) return null;
    return job;
  }

  private store(job: SimJob): void {
    const { timerFault: fault } = this;
    if (fault === null || job.state !== 'delayed' || fault.dice.chance(0.5)) return this.keep(job);
    switch (fault.what) {
      case 'lost':
        // The name it was kept under is as gone as the timer.
        if (job.dedup !== null) this.dedups.delete(job.dedup);
        return this.jobs.delete(job.id);
      case 'early': {
        const now = this.redis.now();
        return this.keep({ ...job, at: now + Math.round((job.at - now) * fault.dice.next()) });
      }
      case 'doubled':
        this.keep(job);
        return this.keep({ ...job, id: `${job.id}-again`, dedup: null });
    }
  }

  private keep(job: SimJob): void {
    this.jobs.set(job.id, job);
    this.changed();
  }

  private placeFor(delayMs: number): Pick<SimJob, 'state' | 'at'> {
    return delayMs > 0
      ? { state: 'delayed', at: this.redis.now() + delayMs }
      : { state: 'waiting', at: (this.placed += 1) };
  }
}
