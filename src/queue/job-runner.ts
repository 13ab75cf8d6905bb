import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { type Job, type MinimalJob, UnrecoverableError, Worker } from 'bullmq';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { ERROR_TABLE, TallyError } from '../kernel/errors.js';
import { QUEUE_PREFIX } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';
import { type JobDefinition, JobHandler, JobQueue, type QueueName } from './define-job.js';

/** What a killed process held is another's within ten seconds: a lock outlives its last renewal by LOCK_MS and is looked for every STALLED_MS. */
const LOCK_MS = 5_000;
/** How long running jobs are given to end at a stop; also where Redis is away and a worker can't say goodbye. */
const CLOSING_LIMIT_MS = 2_000;
const STALLED_MS = 1_500;
const MAX_BACKOFF_MS = 60_000;
/** A new wake-up joins one that waits for its retry, and must not wait long for it. */
const MAX_WAKE_BACKOFF_MS = 3_000;

const CONCURRENCY: Record<QueueName, number> = {
  // A dead worker's silence takes seconds, and a message bus that is unavailable silences all of them.
  recordings: 96,
  recorders: 16,
  timers: 32,
  inbox: 32,
  effects: 32,
  deletions: 2,
  sweeps: 3,
};

/** Runs the jobs in a process whose role has workers; ends the boot where a job has two handlers. */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Jobs');
  private readonly workers: Worker[] = [];

  constructor(
    private readonly config: Config,
    private readonly discovery: DiscoveryService,
    private readonly connections: RedisConnections,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.role === 'api') return;
    for (const [queue, handlers] of this.findHandlers()) this.workers.push(this.start(queue, handlers));
  }

  async onApplicationShutdown(): Promise<void> {
    // Without Redis there is nothing to say goodbye to, and the jobs that run can't be ended in it.
    const atOnce = this.connections.command.status !== 'ready';
    const closing = Promise.allSettled(this.workers.map((worker) => worker.close(atOnce)));
    // What is still running then is another's within seconds, like the jobs of a process that died.
    const over = new AbortController();
    const limit = this.clock.sleep(CLOSING_LIMIT_MS, over.signal).then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([closing, limit]);
    over.abort();
  }

  private findHandlers(): Map<QueueName, Map<string, JobHandler<unknown>>> {
    const found = new Map<QueueName, Map<string, JobHandler<unknown>>>();
    for (const { instance } of this.discovery.getProviders()) {
      if (!(instance instanceof JobHandler)) continue;
      const { queue, name } = instance.definition as JobDefinition<unknown>;
      const ofQueue = found.get(queue) ?? new Map<string, JobHandler<unknown>>();
      if (ofQueue.has(name)) throw new Error(`job ${name} has two handlers`);
      found.set(queue, ofQueue.set(name, instance));
    }
    return found;
  }

  private start(queue: QueueName, handlers: Map<string, JobHandler<unknown>>): Worker {
    const worker = new Worker(queue, (job) => this.run(job, handlers), {
      connection: this.connections.forQueues(`worker-${queue}`),
      prefix: QUEUE_PREFIX,
      concurrency: CONCURRENCY[queue],
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_MS,
      maxStalledCount: 1_000,
      drainDelay: 5,
      settings: {
        backoffStrategy: (attempt, _type, _error, job) => {
          const wakes = job !== undefined && handlers.get(job.name)?.definition.mode === 'wake';
          return backoff(job, attempt, wakes ? MAX_WAKE_BACKOFF_MS : MAX_BACKOFF_MS);
        },
      },
    });
    worker.on('error', (error) =>
      this.log.debug({ message: 'worker met an error', queue, cause: error.message }),
    );
    worker.on('failed', (job, error) => {
      const last = job !== undefined && job.attemptsMade >= (job.opts.attempts ?? 1);
      this.log[last ? 'error' : 'warn']({
        message: last ? 'job failed for good' : 'job failed, it is tried again',
        queue,
        job: job?.name,
        data: job?.data,
        attempt: job?.attemptsMade,
        cause: describe(error),
      });
    });
    return worker;
  }

  private async run(job: Job, handlers: Map<string, JobHandler<unknown>>): Promise<void> {
    const handler = handlers.get(job.name);
    if (!handler) throw new Error(`no handler for job ${job.name}: a newer version may have filed it`);
    const payload = handler.definition.payload.parse(job.data);
    const attempts = job.opts.attempts ?? 1;
    try {
      const outcome = await handler.handle(payload, {
        attempt: job.attemptsMade + 1,
        lastAttempt: job.attemptsMade + 1 >= attempts,
      });
      if (outcome.again && handler.definition.mode === 'once') {
        throw new UnrecoverableError(`job ${job.name} runs once and can't ask to be run again`);
      }
      if (outcome.again) await this.jobs.add(handler.definition, payload, { inMs: outcome.inMs });
    } catch (error) {
      if (error instanceof TallyError && !ERROR_TABLE[error.code].retry)
        throw new UnrecoverableError(error.message);
      throw error;
    }
  }
}

function backoff(job: MinimalJob | undefined, attempt: number, mostMs: number): number {
  const first = typeof job?.opts.backoff === 'object' ? (job.opts.backoff.delay ?? 1_000) : 1_000;
  return Math.min(first * 2 ** (attempt - 1), mostMs);
}

function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
