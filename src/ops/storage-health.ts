import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import type { FaultText } from '../storage/storage-errors.js';
import { type ProbeReport, StorageProbe } from '../storage/storage-probe.js';

const AGAIN_AFTER_MS = 30_000;

/** Tries at the start whether the storage can be used in every way that it is, and again until it can. Never holds up the start. */
@Injectable()
export class StorageHealth implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Storage');
  private readonly over = new AbortController();
  private found: FaultText | null = null;
  private said = '';

  constructor(
    private readonly probe: StorageProbe,
    private readonly clock: Clock,
  ) {}

  /** What the last probe found wrong first; null: nothing, or it is not yet known. */
  get problem(): FaultText | null {
    return this.found;
  }

  onApplicationBootstrap(): void {
    void this.watch();
  }

  onApplicationShutdown(): void {
    this.over.abort();
  }

  private async watch(): Promise<void> {
    while (!this.over.signal.aborted) {
      const isWell = await this.look();
      if (isWell) return;
      await this.clock.sleep(AGAIN_AFTER_MS, this.over.signal).catch(() => undefined);
    }
  }

  private async look(): Promise<boolean> {
    try {
      const report = await this.probe.run(this.over.signal);
      if (this.over.signal.aborted) return true;
      this.found = report.steps.find(({ problem }) => problem !== undefined)?.problem ?? null;
      this.tell(report);
      return this.found === null;
    } catch (error) {
      if (this.over.signal.aborted) return true;
      this.log.error({
        event: 'storage_not_probed',
        message: 'the storage could not be tried out',
        err: error,
      });
      return false;
    }
  }

  /** What changed since it was said last. */
  private tell({ place, steps, notices }: ProbeReport): void {
    const failed = steps.flatMap(({ name, problem }) => (problem ? [`${name}: ${problem.detail}`] : []));
    const text = [...failed, ...notices].join('\n');
    if (text === this.said) return;
    for (const step of failed) {
      this.log.warn({
        event: 'storage_probe_failed',
        message: `the storage can not be used as it is: ${step}`,
      });
    }
    for (const notice of notices) {
      this.log.warn({ event: 'storage_to_be_changed', message: `${place}: ${notice}` });
    }
    if (failed.length === 0 && this.said !== '') {
      this.log.log({ event: 'storage_probe_recovered', message: `${place} can be used` });
    }
    this.said = text;
  }
}
