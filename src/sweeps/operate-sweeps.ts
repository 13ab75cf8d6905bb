import { Injectable } from '@nestjs/common';
import { requireRight } from '../auth/rights.js';
import type { Actor } from '../kernel/actor.js';
import { Clock } from '../kernel/clock.js';
import { TallyError } from '../kernel/errors.js';
import { newToken } from '../kernel/ids.js';
import { JobQueue } from '../queue/define-job.js';
import { runSweep } from './run-sweep.job.js';
import { SweepStore } from './store/sweep.store.js';
import type { SweepName, SweepRun } from './sweep.js';
import { Sweeps } from './sweeps.js';

export interface SweepSeen {
  readonly name: SweepName;
  readonly everyMs: number;
  readonly lastRun: SweepRun | null;
}

const LOOK_EVERY_MS = 100;
const LONGEST_MS = 10 * 60_000;

/** What an operator asks of the sweeps; ADMIN alone. */
@Injectable()
export class OperateSweeps {
  constructor(
    private readonly sweeps: Sweeps,
    private readonly store: SweepStore,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
  ) {}

  async list(actor: Actor): Promise<SweepSeen[]> {
    requireRight(actor, 'administer', 'every-room', 'see the sweeps');
    return Promise.all(
      this.sweeps
        .all()
        .map(async ({ name, everyMs }) => ({ name, everyMs, lastRun: await this.store.lastRun(name) })),
    );
  }

  /** Answers when the pass is over, on whichever instance made it. */
  async run(name: SweepName, dryRun: boolean, actor: Actor): Promise<SweepRun> {
    requireRight(actor, 'administer', 'every-room', 'run a sweep');
    const runId = newToken();
    await this.jobs.add(runSweep, { name, runId, dryRun, manual: true });
    const until = this.clock.now() + LONGEST_MS;
    while (this.clock.now() < until) {
      const run = await this.store.run(runId);
      if (run !== null) return run;
      await this.clock.sleep(LOOK_EVERY_MS);
    }
    throw new TallyError(
      'INTERNAL',
      `sweep ${name} did not finish in time; see Query.sweeps for its last run, and whether a worker runs`,
    );
  }
}
