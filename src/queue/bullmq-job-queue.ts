import { Injectable } from '@nestjs/common';
import type { JobsOptions } from 'bullmq';
import { traceCarrier } from '../kernel/tracing.js';
import { redisFailure } from '../redis/redis-failure.js';
import { type JobDefinition, JobQueue } from './define-job.js';
import { Queues } from './queues.js';

@Injectable()
export class BullmqJobQueue extends JobQueue {
  constructor(private readonly queues: Queues) {
    super();
  }

  async add<P>(definition: JobDefinition<P>, payload: P, { inMs = 0 } = {}): Promise<void> {
    const data = definition.payload.parse(payload);
    await this.queues.whenReady();
    try {
      // Payloads are objects whose schemas leave out what they don't know.
      const traced = { ...data, ...traceCarrier() };
      await this.queues.get(definition.queue).add(definition.name, traced, optionsOf(definition, data, inMs));
    } catch (error) {
      throw redisFailure(error);
    }
  }
}

function optionsOf<P>(definition: JobDefinition<P>, payload: P, inMs: number): JobsOptions {
  const key = `${definition.name}-${definition.key(payload)}`;
  const { attempts, backoffMs, keepSeconds } = definition.options;
  const shared: JobsOptions = {
    attempts,
    backoff: { type: 'bounded', delay: backoffMs },
    removeOnFail: { age: 7 * 86_400 },
    removeOnComplete: keepSeconds === undefined ? true : { age: keepSeconds, count: 20_000 },
    ...(inMs > 0 && { delay: Math.round(inMs) }),
  };
  if (definition.mode === 'once') return { ...shared, jobId: key };
  // A timer has an id of its own, so that it never swallows a wake-up that is due now.
  return inMs > 0
    ? { ...shared, deduplication: { id: `${key}-later`, replace: true, keepLastIfActive: true } }
    : { ...shared, deduplication: { id: key, keepLastIfActive: true } };
}
