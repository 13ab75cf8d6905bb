import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../queue/define-job.js';
import { SweepStore } from './store/sweep.store.js';
import { SWEEP_NAMES, type SweepName } from './sweep.js';
import { SweepRunner } from './sweep.runner.js';

interface RunSweepPayload {
  readonly name: SweepName;
  readonly runId: string;
  readonly dryRun: boolean;
  readonly manual: boolean;
}

export const runSweep = defineJob<RunSweepPayload>({
  queue: 'sweeps',
  name: 'run-sweep',
  payload: z.object({
    name: z.enum(SWEEP_NAMES),
    runId: z.string(),
    dryRun: z.boolean(),
    manual: z.boolean(),
  }),
  key: ({ name, runId }) => `${name}-${runId}`,
  mode: 'wake',
  // The next pass of the interval is as good.
  options: { attempts: 3, backoffMs: 1_000, skippable: true },
});

const BUSY_MS = 300;

@Injectable()
export class RunSweepJob extends JobHandler<RunSweepPayload> {
  readonly definition = runSweep;

  constructor(
    private readonly runner: SweepRunner,
    private readonly store: SweepStore,
  ) {
    super();
  }

  /** A scheduled pass that finds another at work is that pass; a person's own is made after it. */
  async handle({ name, runId, dryRun, manual }: RunSweepPayload): Promise<JobOutcome> {
    // Every instance files the pass of an interval under the same id, some of them when it is over.
    if ((await this.store.run(runId)) !== null) return done;
    const result = await this.runner.run({ id: runId, name, dryRun, manual });
    return result.ran || !manual ? done : again(BUSY_MS);
  }
}
