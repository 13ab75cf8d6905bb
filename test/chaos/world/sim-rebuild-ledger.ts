import { newToken } from '../../../src/kernel/ids.js';
import {
  RebuildLedger,
  type RebuildProgress,
  type RebuildRun,
  type RebuildState,
} from '../../../src/rebuild/rebuild-ledger.port.js';
import { RebuildSuperseded } from '../../../src/redis/redis-was-reset.js';
import type { Incarnation } from './incarnation.js';
import type { RecordingTables } from './sim-recording-store.js';
import type { Table } from './sim-redis.js';

export interface RebuildTables {
  /** At most one. */
  readonly rebuild: Table<RebuildRun>;
  /** Removes rows and what is made of them. */
  clearRows(): void;
}

const ONLY = 'rebuild';
const BEGINNING: RebuildProgress = {
  ...{ phase: 'clear', after: '', rooms: 0, recordings: 0, faults: 0, total: null, problem: null },
};

/** The mark that Redis is whole, and the rebuild, with the semantics of its scripts. */
export class SimRebuildLedger extends RebuildLedger {
  constructor(
    private readonly tables: RebuildTables,
    private readonly recordings: RecordingTables,
    private readonly of: Incarnation,
  ) {
    super();
  }

  state(): Promise<RebuildState> {
    return this.command('state of the rebuild', () =>
      this.isWhole ? { whole: true } : { whole: false, run: this.tables.rebuild.get(ONLY) ?? null },
    );
  }

  begin(): Promise<RebuildRun | null> {
    const [token, epoch] = [newToken(), newToken()];
    return this.command('begin the rebuild', () => {
      if (this.isWhole) return null;
      const begun = this.tables.rebuild.get(ONLY) ?? { ...BEGINNING, epoch, startedAt: this.of.clock.now() };
      const run = { ...begun, token };
      this.tables.rebuild.set(ONLY, run);
      return run;
    });
  }

  clear(run: RebuildRun): Promise<void> {
    return this.step(run, 'clear', () => this.tables.clearRows());
  }

  note(run: RebuildRun, progress: Partial<RebuildProgress>): Promise<void> {
    return this.step(run, `note ${progress.phase ?? ''}`, (kept) =>
      this.tables.rebuild.set(ONLY, { ...kept, ...progress }),
    );
  }

  finish(run: RebuildRun): Promise<void> {
    return this.step(run, 'finish the rebuild', ({ epoch }) => {
      this.recordings.meta.set('epoch', epoch);
      this.tables.rebuild.delete(ONLY);
    });
  }

  discard(): Promise<void> {
    return this.command('discard', () => this.recordings.meta.delete('epoch'));
  }

  private get isWhole(): boolean {
    return this.recordings.meta.has('epoch');
  }

  private step(run: RebuildRun, what: string, op: (kept: RebuildRun) => void): Promise<void> {
    return this.command(what, () => {
      const kept = this.tables.rebuild.get(ONLY);
      if (this.isWhole || kept?.token !== run.token) throw new RebuildSuperseded();
      op(kept);
    });
  }

  private command<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.recordings.redis.command(op));
  }
}
