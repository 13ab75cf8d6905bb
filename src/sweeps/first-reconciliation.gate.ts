import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Config } from '../config/config.js';
import { ReadinessGate } from '../kernel/readiness-gate.js';
import { SweepStore } from './store/sweep.store.js';

/** Ready only once what LiveKit lists was compared with what we know, here or by another instance a moment ago. */
@Injectable()
export class FirstReconciliationGate extends ReadinessGate {
  readonly name = 'reconciliation';
  /** What LiveKit has not told yet is no reason to answer nothing. */
  override readonly decides = false;
  private readonly startedAt: number;
  private open = false;

  constructor(
    private readonly store: SweepStore,
    private readonly config: Config,
    clock: Clock,
  ) {
    super();
    this.startedAt = clock.now();
  }

  async waitingFor(): Promise<string | null> {
    if (this.open) return null;
    const last = await this.store.lastRun('LIVEKIT_RECONCILIATION');
    const recent = this.startedAt - this.config.sweepEveryMs.livekitReconciliation;
    this.open = last !== null && (last.finishedAt ?? 0) >= recent;
    return this.open ? null : 'the first comparison with what LiveKit lists is under way';
  }
}
