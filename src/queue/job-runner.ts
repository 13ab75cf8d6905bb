import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { DelayedError, type Job, type MinimalJob, UnrecoverableError, Worker } from 'bullmq';
import { Config } from '../config/config.js';
import { Clock, awaitWithin } from '../kernel/clock.js';
import { ERROR_TABLE, isTallyError } from '../kernel/errors.js';
import { inTraceOf, traced } from '../kernel/tracing.js';
import { StartFault } from '../kernel/start-fault.js';
import { QUEUE_PREFIX } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';
import { definedJobs, type JobDefinition, type JobHandler, JobQueue } from './define-job.js';
import { jobHandlersOf } from './job-handlers.js';
import { DependencyWaits, isDependencyCode } from './dependency-waits.js';
import { isEarlier, type QueueName, QUEUE_NAMES, QUEUES } from './queue-definitions.js';

/** What a killed process held is another's within ten seconds: a lock outlives its last renewal by LOCK_MS and is looked for every STALLED_MS. */
const LOCK_MS = 5_000;
/** How long running jobs are given to end at a stop; also where Redis is away and a worker can't say goodbye. */
const CLOSING_LIMIT_MS = 2_000;
/** The second look takes it. */
const STALLED_MS = 4_000;
/** How long a worker waits for a job before it asks once more, s; one that is added wakes it. */
const DRAIN_DELAY_S = 15;
const WHERE_JOBS_WAIT = ['wait', 'active', 'delayed', 'prioritized', 'paused'];
const MAX_BACKOFF_MS = 60_000;
/** A new wake-up joins one that waits for its retry, and must not wait long for it. */
const MAX_WAKE_BACKOFF_MS = 3_000;

/** A job that is put off again and again waits twice as long each time, up to this. */
const LONGEST_WAIT_MS = 15_000;

/** Runs the jobs in a process whose role has workers; ends the boot where a job has no handler, or two. */
@Injectable()
export class JobRunner implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Jobs');
  private readonly workers = new Map<QueueName, Worker>();
  private readonly over = new AbortController();
  private handlers: ReadonlyMap<string, JobHandler<unknown>> = new Map();

  constructor(
    private readonly config: Config,
    private readonly discovery: DiscoveryService,
    private readonly connections: RedisConnections,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    private readonly waits: DependencyWaits,
  ) {}

  /** Throws StartFault. */
  onModuleInit(): void {
    this.handlers = this.findHandlers();
  }

  onApplicationBootstrap(): void {
    if (this.config.role === 'api') return;
    for (const queue of QUEUE_NAMES) if (!isEarlier(queue)) this.start(queue);
    void this.lookForLeftBehind();
  }

  async onApplicationShutdown(): Promise<void> {
    this.over.abort();
    // Without Redis there is nothing to say goodbye to, and the jobs that run can't be ended in it.
    const atOnce = this.connections.command.status !== 'ready';
    const closing = Promise.allSettled([...this.workers.values()].map((worker) => worker.close(atOnce)));
    // What is still running then is another's within seconds, like the jobs of a process that died.
    await awaitWithin(this.clock, CLOSING_LIMIT_MS, closing, () => undefined);
  }

  private findHandlers(): ReadonlyMap<string, JobHandler<unknown>> {
    const found = new Map<string, JobHandler<unknown>>();
    for (const handler of jobHandlersOf(this.discovery)) {
      const name = (handler.definition as JobDefinition<unknown> | undefined)?.name ?? '';
      if (definedJobs.get(name) !== handler.definition) {
        throw new StartFault(
          `${handler.constructor.name} handles no job: give it a definition by defineJob.`,
        );
      }
      if (found.has(name)) throw new StartFault(`The job ${name} has two handlers: take one of them away.`);
      found.set(name, handler);
    }
    for (const name of definedJobs.keys()) {
      if (!found.has(name)) {
        throw new StartFault(`The job ${name} has no handler: provide its JobHandler in a module.`);
      }
    }
    return found;
  }

  /**
   * One question for all queues whether a job runs anywhere: only then does each look for those of processes that died. And one
   * whether an older version has left work in queues to which nothing is added any more: only then do these have workers.
   */
  private async lookForLeftBehind(): Promise<void> {
    const { signal } = this.over;
    while (!signal.aborted) {
      try {
        if (await this.anyExists(QUEUE_NAMES, ['active']))
          await Promise.all([...this.workers.values()].map(takeStalled));
        const earlier = QUEUE_NAMES.filter((queue) => isEarlier(queue) && !this.workers.has(queue));
        const isLeft = earlier.length > 0 && (await this.anyExists(earlier, WHERE_JOBS_WAIT));
        if (isLeft && !signal.aborted) for (const queue of earlier) this.start(queue);
      } catch (error) {
        this.log.debug({ message: 'jobs that were left behind are looked for again', cause: String(error) });
      }
      await this.clock.sleep(STALLED_MS, signal).catch(() => undefined);
    }
  }

  private async anyExists(queues: readonly QueueName[], lists: readonly string[]): Promise<boolean> {
    const names = queues.flatMap((queue) => lists.map((list) => `${QUEUE_PREFIX}:${queue}:${list}`));
    return (await this.connections.run((redis) => redis.exists(...names))) > 0;
  }

  private start(queue: QueueName): void {
    const worker = new Worker(queue, (job, token) => inTraceOf(job.data, () => this.run(job, token)), {
      connection: this.connections.forQueues(`worker-${queue}`),
      prefix: QUEUE_PREFIX,
      concurrency: QUEUES[queue].concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_MS,
      skipStalledCheck: true,
      maxStalledCount: 1_000,
      drainDelay: DRAIN_DELAY_S,
      settings: {
        backoffStrategy: (attempt, _type, _error, job) => {
          const wakes = job !== undefined && this.handlers.get(job.name)?.definition.mode === 'wake';
          return backoff(job, attempt, wakes ? MAX_WAKE_BACKOFF_MS : MAX_BACKOFF_MS);
        },
      },
    });
    worker.on('error', (error) =>
      this.log.debug({ message: 'worker met an error', queue, cause: error.message }),
    );
    worker.on('failed', (job, error) => {
      const last = job !== undefined && job.attemptsMade >= (job.opts.attempts ?? 1);
      // That Redis is unavailable or being rebuilt is told by whoever notices it, once, and not by every job.
      const told = isTallyError(error, 'REDIS_UNAVAILABLE');
      this.log[last ? 'error' : told ? 'debug' : 'warn']({
        event: last ? 'job_failed' : 'job_tried_again',
        message: last ? 'a job failed for good; it is kept for a week' : 'a job failed, it is tried again',
        queue,
        job: job?.name,
        data: job?.data,
        attempt: job?.attemptsMade,
        cause: describe(error),
      });
    });
    this.workers.set(queue, worker);
  }

  private async run(job: Job, token: string | undefined): Promise<void> {
    const handler = this.handlers.get(job.name);
    if (!handler) throw new Error(`no handler for job ${job.name}: a newer version may have filed it`);
    const { definition } = handler;
    const payload = definition.payload.parse(job.data);
    const name = `${job.name} ${definition.key(payload)}`;
    try {
      const attributes = {
        'tallylight.queue': definition.queue,
        'tallylight.job.key': definition.key(payload),
      };
      const outcome = await traced(`job ${job.name}`, attributes, () => handler.handle(payload));
      if (outcome.again && definition.mode === 'once') {
        throw new UnrecoverableError(`job ${job.name} runs once and can't ask to be run again`);
      }
      this.waits.ran(name);
      if (outcome.again) await this.jobs.add(definition, payload, { inMs: outcome.inMs });
    } catch (error) {
      const waitMs = this.putOff(error, definition, name);
      if (waitMs === null) {
        this.waits.ran(name);
        if (isTallyError(error) && !ERROR_TABLE[error.code].retry)
          throw new UnrecoverableError(error.message);
        throw error;
      }
      if (definition.mode === 'wake') return this.jobs.add(definition, payload, { inMs: waitMs });
      // The same job, later, so that it is still the one that is to run once.
      const inMs = Math.min(waitMs * 2 ** Math.min(job.attemptsStarted - 1, 10), LONGEST_WAIT_MS);
      await job.moveToDelayed(Date.now() + inMs, token);
      throw new DelayedError();
    }
  }

  /** For how long, in ms; null: that is nothing that this job waits for. */
  private putOff(error: unknown, { queue, options }: JobDefinition<unknown>, name: string): number | null {
    if (options.skippable || !isTallyError(error) || !isDependencyCode(error.code)) return null;
    return this.waits.putOff(error.code, queue, name, error.message);
  }
}

/** BullMQ's own look for jobs whose locks have ended, which it would make in every queue all the time. */
function takeStalled(worker: Worker): Promise<void> {
  return (worker as unknown as { moveStalledJobsToWait(): Promise<void> }).moveStalledJobsToWait();
}

function backoff(job: MinimalJob | undefined, attempt: number, mostMs: number): number {
  const first = typeof job?.opts.backoff === 'object' ? (job.opts.backoff.delay ?? 1_000) : 1_000;
  return Math.min(first * 2 ** (attempt - 1), mostMs);
}

function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
