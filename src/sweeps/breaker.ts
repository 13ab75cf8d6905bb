import { Injectable, Logger } from '@nestjs/common';
import { SweepStore } from './store/sweep.store.js';
import type { SweepPass } from './sweep.js';

export type BreakerName = 'STALE_RECORDINGS' | 'LIVEKIT_RECONCILIATION' | 'ORPHANED_EGRESSES';

/** A pass may end so many by absence without asking anybody. */
const FEW = 3;
const SHARE = 0.1;
/** The pass that was held, and as many further ones that agree. */
const PASSES_THAT_AGREE = 3;

/**
 * Holds back a pass that would end many recordings because something was not there: an answer of LiveKit that is wrong
 * looks just like that. A person, or further passes that see the same, let it through.
 */
@Injectable()
export class Breaker {
  private readonly log = new Logger('Sweeps');

  constructor(private readonly store: SweepStore) {}

  /**
   * Those that may be ended in this pass: all of them, or none. `live`: recordings in progress. An egress that was stopped
   * can't be started again, so further passes that agree are no evidence there; a person alone lets them through.
   */
  async allows(pass: SweepPass, name: BreakerName, ids: readonly string[], live: number): Promise<boolean> {
    const most = Math.max(FEW, Math.floor(live * SHARE));
    if (ids.length <= most) {
      if (!pass.dryRun && (await this.store.held(name)) !== null) await this.store.hold(name, null);
      return true;
    }
    if (pass.manual) return true;
    const before = await this.store.held(name);
    const agrees = before !== null && before.subjects.every((id) => ids.some((other) => other === id));
    const passes = agrees ? before.passes + 1 : 1;
    if (passes >= PASSES_THAT_AGREE && name !== 'ORPHANED_EGRESSES') {
      if (!pass.dryRun) await this.store.hold(name, null);
      return true;
    }
    if (!pass.dryRun) await this.store.hold(name, { subjects: ids, passes });
    this.log.error({
      event: 'breaker_open',
      message:
        'a sweep would end so many recordings at once that it changed nothing; run it by hand where that is right',
      sweep: name,
      wouldEnd: ids.length,
      live,
      most,
      passes,
    });
    return false;
  }
}
