import type { z } from 'zod';
import type { QueueName } from './queue-definitions.js';

export interface JobOptions {
  /** How often a job that throws is tried in all; what it needs being unavailable is no try. */
  readonly attempts: number;
  readonly backoffMs: number;
  /** May be left undone: it does not wait for what it needs, but fails for that as for anything else. */
  readonly skippable?: true;
  /** How long a finished job is kept, in seconds: as long, a repeated `once` job is not run again. */
  readonly keepSeconds?: number;
}

export interface JobDefinition<P> {
  readonly queue: QueueName;
  /** A literal for ever: it stands in Redis. */
  readonly name: string;
  readonly payload: z.ZodType<P>;
  /** The subject of the work, without `:`; unique together with the name. */
  readonly key: (payload: P) => string;
  /**
   * `wake`: the handler looks at the present state, so that waking twice is waking once, and a wake-up during a run means one more run.
   * `once`: this very job, once; adding it again while it is known changes nothing.
   */
  readonly mode: 'wake' | 'once';
  readonly options: JobOptions;
}

const defined = new Map<string, JobDefinition<unknown>>();

/** Every job of this process by its name, which no other has in any queue. */
export const definedJobs: ReadonlyMap<string, JobDefinition<unknown>> = defined;

export function defineJob<P>(definition: JobDefinition<P>): JobDefinition<P> {
  if (defined.has(definition.name)) throw new Error(`job ${definition.name} is defined twice`);
  defined.set(definition.name, definition as JobDefinition<unknown>);
  return definition;
}

/** The handler's answer: finished, or to be run again after a while. */
export type JobOutcome = { readonly again: false } | { readonly again: true; readonly inMs: number };
export const done: JobOutcome = { again: false };
export function again(inMs: number): JobOutcome {
  return { again: true, inMs: Math.max(0, Math.round(inMs)) };
}

/**
 * One per definition; what it throws of Redis, LiveKit or the storage being unavailable puts the job off, as long as that takes.
 * Found by the runner among the providers of all modules.
 */
export abstract class JobHandler<P> {
  abstract readonly definition: JobDefinition<P>;
  abstract handle(payload: P): Promise<JobOutcome>;
}

/** Where work is left for later. An add that answered is durable; throws REDIS_UNAVAILABLE. */
export abstract class JobQueue {
  abstract add<P>(definition: JobDefinition<P>, payload: P, when?: { readonly inMs?: number }): Promise<void>;
}
