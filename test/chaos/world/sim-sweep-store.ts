import { type Held, SweepStore } from '../../../src/sweeps/store/sweep.store.js';
import type { SweepName, SweepRun } from '../../../src/sweeps/sweep.js';
import type { Incarnation } from './incarnation.js';
import type { SimRedis, Table } from './sim-redis.js';

export interface SweepTables {
  /** By the run's id, and the last one by its sweep's name. */
  readonly runs: Table<SweepRun>;
  readonly candidates: Table<ReadonlySet<string>>;
  readonly held: Table<Held>;
}

export class SimSweepStore extends SweepStore {
  constructor(
    private readonly redis: SimRedis,
    private readonly tables: SweepTables,
    private readonly of: Incarnation,
  ) {
    super();
  }

  save(run: SweepRun): Promise<void> {
    return this.command(`save sweep ${run.name}`, () => {
      this.tables.runs.set(run.id, run);
      this.tables.runs.set(run.name, run);
    });
  }

  run(id: string): Promise<SweepRun | null> {
    return this.command('sweep run', () => this.tables.runs.get(id) ?? null);
  }

  lastRun(name: SweepName): Promise<SweepRun | null> {
    return this.command('last sweep', () => this.tables.runs.get(name) ?? null);
  }

  candidates(name: SweepName): Promise<ReadonlySet<string>> {
    return this.command('candidates', () => this.tables.candidates.get(name) ?? new Set<string>());
  }

  saveCandidates(name: SweepName, candidates: ReadonlySet<string>): Promise<void> {
    return this.command('keep candidates', () => this.tables.candidates.set(name, new Set(candidates)));
  }

  held(name: SweepName): Promise<Held | null> {
    return this.command('held', () => this.tables.held.get(name) ?? null);
  }

  hold(name: SweepName, held: Held | null): Promise<void> {
    return this.command('hold', () => {
      if (held === null) this.tables.held.delete(name);
      else this.tables.held.set(name, held);
    });
  }

  private command<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.redis.command(op));
  }
}
