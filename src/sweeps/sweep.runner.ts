import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { emitTelemetry } from '../kernel/telemetry.js';
import { LeaseKeeper } from '../locks/lease-keeper.js';
import { SweepStore } from './store/sweep.store.js';
import { type PassRequest, SweepReport } from './sweep-report.js';
import type { Sweep, SweepName, SweepRun } from './sweep.js';
import { Sweeps } from './sweeps.js';

/** What a killed instance was sweeping is another's after this. */
const LEASE_MS = 8_000;
/** The kind of the finding that a pass could not be finished. */
const PASS = 'PASS';

export type RunResult = { readonly ran: true; readonly run: SweepRun } | { readonly ran: false };

/** Makes one pass: under a lease, with the candidates of the pass before. */
@Injectable()
export class SweepRunner {
  private readonly log = new Logger('Sweeps');

  constructor(
    private readonly sweeps: Sweeps,
    private readonly store: SweepStore,
    private readonly leases: LeaseKeeper,
    private readonly clock: Clock,
  ) {}

  /** `ran` false: another instance is at it. */
  async run(request: Omit<PassRequest, 'startedAt' | 'cause'>): Promise<RunResult> {
    const sweep = this.sweeps.get(request.name);
    const leased = await this.leases.withLease(`sweep-${request.name}`, LEASE_MS, (signal) =>
      this.pass(sweep, request, signal),
    );
    return leased.ran ? { ran: true, run: leased.result } : { ran: false };
  }

  private async pass(
    sweep: Sweep,
    request: Omit<PassRequest, 'startedAt' | 'cause'>,
    signal: AbortSignal,
  ): Promise<SweepRun> {
    const { name, dryRun } = request;
    const before = await this.store.candidates(name);
    const cause = causeOf(name);
    const report = new SweepReport(
      { ...request, startedAt: this.clock.now(), cause },
      before,
      signal,
      (finding, error) =>
        this.log.warn({ message: 'a sweep could not act', sweep: name, ...finding, cause: wordsOf(error) }),
    );
    try {
      await sweep.pass(report);
    } catch (error) {
      report.failed({ kind: PASS, subject: name, action: 'finish the pass', detail: wordsOf(error) }, error);
    }
    if (!dryRun) await this.store.saveCandidates(name, report.candidates);
    const run = report.toRun(this.clock.now());
    await this.store.save(run);
    const { examined, acted, failed, findings } = run;
    emitTelemetry('sweep-finished', { sweep: name, dryRun, examined, acted, failed });
    // That the pass itself failed was told when it did.
    const found = findings.filter(({ kind }) => kind !== PASS);
    if (found.length > 0)
      this.log.log({
        message: 'sweep finished',
        sweep: name,
        dryRun,
        examined,
        acted,
        failed,
        findings: found.slice(0, 20),
      });
    return run;
  }
}

/** `sweep:livekit-reconciliation`; clients know the one over stale recordings as `sweep:stale`. */
export function causeOf(name: SweepName): string {
  if (name === 'STALE_RECORDINGS') return 'sweep:stale';
  return `sweep:${name.toLowerCase().replaceAll('_', '-')}`;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
