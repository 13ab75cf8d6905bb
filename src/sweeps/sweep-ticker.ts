import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Clock } from '../kernel/clock.js';
import { JobQueue } from '../queue/define-job.js';
import { DataEpoch } from '../redis/data-epoch.js';
import { runSweep } from './run-sweep.job.js';
import type { SweepName } from './sweep.js';
import { Sweeps } from './sweeps.js';

const TICK_MS = 250;

/**
 * Files the pass of every interval as a job, from every instance and under one id: once for all of them, and again within one
 * interval after Redis was unavailable. The first tick comes with the start, or with the end of a rebuild: before that a pass
 * could only fail.
 */
@Injectable()
export class SweepTicker {
  private readonly log = new Logger('Sweeps');
  private readonly filed = new Map<SweepName, number>();
  private ticking = false;

  constructor(
    private readonly sweeps: Sweeps,
    private readonly jobs: JobQueue,
    private readonly epoch: DataEpoch,
    private readonly clock: Clock,
  ) {}

  @Interval(TICK_MS)
  async tick(): Promise<void> {
    if (this.ticking) return;
    this.ticking = true;
    try {
      const due = this.sweeps
        .all()
        .map(({ name, everyMs }) => ({ name, interval: Math.floor(this.clock.now() / everyMs) }))
        .filter(({ name, interval }) => this.filed.get(name) !== interval);
      if (due.length === 0 || (await this.epoch.read()) === null) return;
      for (const { name, interval } of due) await this.file(name, interval);
    } catch (error) {
      this.log.debug({
        message: 'sweeps could not be filed, they are at the next tick',
        cause: String(error),
      });
    } finally {
      this.ticking = false;
    }
  }

  private async file(name: SweepName, interval: number): Promise<void> {
    await this.jobs.add(runSweep, { name, runId: `every-${name}-${interval}`, dryRun: false, manual: false });
    this.filed.set(name, interval);
  }
}
