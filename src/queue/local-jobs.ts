import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { Clock, awaitWithin } from '../kernel/clock.js';
import { traced } from '../kernel/tracing.js';
import { type JobDefinition, type JobHandler, JobQueue } from './define-job.js';
import { jobHandlersOf } from './job-handlers.js';

/** What is more than this at once is left to the queue, which all instances share. */
const MOST_AT_ONCE = 256;
/** How long a process that is told to end waits for what runs in it; what is not done then is in the outbox or with its sender. */
const END_LIMIT_MS = 2_000;

/** Work of one key: a run, and whether somebody came for it since it began. */
interface Running {
  again: boolean;
  readonly done: Promise<void>;
}

/**
 * Runs jobs at once in the process that made them, without the queue's bookkeeping, which costs Redis some fifty commands a job.
 * What does not succeed here, or is to be run again later, is left to the queue.
 */
@Injectable()
export class LocalJobs implements BeforeApplicationShutdown {
  private readonly log = new Logger('Jobs');
  private handlers: Map<string, JobHandler<unknown>> | null = null;
  private readonly running = new Map<string, Running>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
  ) {}

  /** Resolves when the work is done, or left to the queue. Throws REDIS_UNAVAILABLE where neither could be. */
  run<P>(definition: JobDefinition<P>, payload: P): Promise<void> {
    const key = `${definition.name}-${definition.key(payload)}`;
    const known = this.running.get(key);
    if (known) {
      // It may have looked already before what this one comes for; `once` is the very same work.
      known.again ||= definition.mode === 'wake';
      return known.done;
    }
    if (this.running.size >= MOST_AT_ONCE) return this.jobs.add(definition, payload);
    const running = { again: false } as { again: boolean; done: Promise<void> };
    this.running.set(key, running);
    running.done = this.work(running, key, definition, payload);
    return running.done;
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.running.size === 0) return;
    const ended = Promise.allSettled([...this.running.values()].map(({ done }) => done));
    await awaitWithin(this.clock, END_LIMIT_MS, ended, () => undefined);
  }

  private async work<P>(
    running: Running,
    key: string,
    definition: JobDefinition<P>,
    payload: P,
  ): Promise<void> {
    let inMs: number | null;
    do {
      running.again = false;
      inMs = await this.attempt(definition, payload);
    } while (running.again && inMs !== 0);
    // In the same step as the last look whether somebody came: whoever comes now begins anew.
    this.running.delete(key);
    if (inMs !== null) await this.jobs.add(definition, payload, { inMs });
  }

  /** In how many ms the queue has to run it; null: it is done. */
  private async attempt<P>(definition: JobDefinition<P>, payload: P): Promise<number | null> {
    try {
      const attributes = { 'tallylight.job.key': definition.key(payload) };
      const outcome = await traced(`job ${definition.name}`, attributes, () =>
        this.handlerOf(definition).handle(payload),
      );
      return outcome.again ? outcome.inMs : null;
    } catch (error) {
      const message = 'a job failed at once, it is left to the queue';
      this.log.debug({ event: 'job_left_to_queue', message, job: definition.name, cause: String(error) });
      return 0;
    }
  }

  private handlerOf<P>({ name }: JobDefinition<P>): JobHandler<P> {
    this.handlers ??= new Map(
      jobHandlersOf(this.discovery).map((handler) => [handler.definition.name, handler]),
    );
    const handler = this.handlers.get(name);
    if (!handler) throw new Error(`no handler for job ${name}`);
    return handler as unknown as JobHandler<P>;
  }
}
