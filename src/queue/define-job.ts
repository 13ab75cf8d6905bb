import type { z } from 'zod';

/** Everything a queue carries is one of these kinds of work; the queue UI shows them by these names. */
export type QueueName = 'recordings' | 'recorders' | 'timers' | 'inbox' | 'effects' | 'deletions' | 'sweeps';

export interface JobOptions {
  /** How often a job that throws is tried in all. */
  readonly attempts: number;
  readonly backoffMs: number;
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

export function defineJob<P>(definition: JobDefinition<P>): JobDefinition<P> {
  return definition;
}

/** The handler's answer: finished, or to be run again after a while. */
export type JobOutcome = { readonly again: false } | { readonly again: true; readonly inMs: number };
export const done: JobOutcome = { again: false };
export function again(inMs: number): JobOutcome {
  return { again: true, inMs: Math.max(0, Math.round(inMs)) };
}

export interface JobRun {
  /** From 1. */
  readonly attempt: number;
  readonly lastAttempt: boolean;
}

/** One per definition; found by the runner among the providers of all modules. */
export abstract class JobHandler<P> {
  abstract readonly definition: JobDefinition<P>;
  abstract handle(payload: P, run: JobRun): Promise<JobOutcome>;
}

/** Where work is left for later. An add that answered is durable; throws REDIS_UNAVAILABLE. */
export abstract class JobQueue {
  abstract add<P>(definition: JobDefinition<P>, payload: P, when?: { readonly inMs?: number }): Promise<void>;
}
