import { Injectable, Logger } from '@nestjs/common';
import { Incidents } from '../incidents/incidents.port.js';
import { type Held, SweepStore } from './store/sweep.store.js';
import type { SweepPass } from './sweep.js';

export type BreakerName =
  'STALE_RECORDINGS' | 'LIVEKIT_RECONCILIATION' | 'ORPHANED_EGRESSES' | 'LOST_RECORDERS';

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

  constructor(
    private readonly store: SweepStore,
    private readonly incidents: Incidents,
  ) {}

  /**
   * Those that may be ended in this pass: all of them, or none. `live`: recordings in progress. An egress that was stopped
   * can't be started again, so further passes that agree are no evidence there; a person alone lets them through.
   */
  async allows(pass: SweepPass, name: BreakerName, ids: readonly string[], live: number): Promise<boolean> {
    const most = Math.max(FEW, Math.floor(live * SHARE));
    if (ids.length <= most || pass.manual) return this.letThrough(pass, name);
    const before = await this.store.held(name);
    const agrees = before !== null && before.subjects.every((id) => ids.some((other) => other === id));
    const passes = agrees ? before.passes + 1 : 1;
    if (passes >= PASSES_THAT_AGREE && name !== 'ORPHANED_EGRESSES') return this.letThrough(pass, name);
    if (!pass.dryRun) await this.hold(name, { subjects: ids, passes }, `${ids.length} at once, of ${live}`);
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
  /** Closed every time, so that an incident that could not be closed once does not stay. */
  private async letThrough({ dryRun }: SweepPass, name: BreakerName): Promise<true> {
    if (dryRun) return true;
    await this.incidents.close('breaker_open', name);
    if ((await this.store.held(name)) !== null) await this.store.hold(name, null);
    return true;
  }

  private async hold(name: BreakerName, held: Held, howMany: string): Promise<void> {
    await this.store.hold(name, held);
    await this.incidents.open(
      'breaker_open',
      name,
      `the sweep ${name} changed nothing: ${WHY[name]} (${howMany})`,
    );
  }
}

const LOOK_AT_LIVEKIT =
  'it would end more recordings in progress than can be believed, because LiveKit does not list what they stand on; check LiveKit and its Redis. Where it is right, three passes that agree let it through, or runSweep by hand';

const WHY: Readonly<Record<BreakerName, string>> = {
  STALE_RECORDINGS: LOOK_AT_LIVEKIT,
  LIVEKIT_RECONCILIATION: LOOK_AT_LIVEKIT,
  LOST_RECORDERS:
    'it would remove more recorders from their rooms, of workers that do not answer or of which no media came, than can be believed; check whether LiveKit reaches its egress workers, and they the bucket: one that is merely cut off records on. Where they are dead, three passes that agree let it through, or runSweep(name: LIVEKIT_RECONCILIATION) by hand',
  ORPHANED_EGRESSES:
    'it would stop more egresses than can be believed that no recording explains; check whether another deployment uses this bucket under the same DEPLOYMENT_ID. Where they are to be stopped, run runSweep(name: LIVEKIT_RECONCILIATION) by hand',
};
