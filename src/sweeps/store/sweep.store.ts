import type { SweepName, SweepRun } from '../sweep.js';

/** A pass that would end too much by absence is held back; counted until enough of them agree. */
export interface Held {
  readonly subjects: readonly string[];
  readonly passes: number;
}

/** What sweeps remember between passes. Every method throws REDIS_UNAVAILABLE. */
export abstract class SweepStore {
  abstract save(run: SweepRun): Promise<void>;
  abstract run(id: string): Promise<SweepRun | null>;
  abstract lastRun(name: SweepName): Promise<SweepRun | null>;
  /** What the last pass suspected. */
  abstract candidates(name: SweepName): Promise<ReadonlySet<string>>;
  abstract saveCandidates(name: SweepName, candidates: ReadonlySet<string>): Promise<void>;
  abstract held(name: string): Promise<Held | null>;
  abstract hold(name: string, held: Held | null): Promise<void>;
}
