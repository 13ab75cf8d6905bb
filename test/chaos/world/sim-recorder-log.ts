import type { MediaProgress } from '../../../src/recordings/domain/evidence.js';
import {
  presenceOf,
  RecorderLog,
  type RecorderState,
} from '../../../src/recordings/recorders/recorder-log.port.js';
import type { Incarnation } from './incarnation.js';
import type { SimRedis, Table } from './sim-redis.js';

export interface RecorderTables {
  readonly heard: Table<number>;
  readonly silent: Table<readonly number[]>;
  readonly seen: Table<number>;
  readonly left: Table<number>;
  readonly dead: Table<number>;
  readonly nudged: Table<number>;
  readonly progress: Table<MediaProgress>;
}

export class SimRecorderLog extends RecorderLog {
  constructor(
    private readonly redis: SimRedis,
    private readonly tables: RecorderTables,
    private readonly of: Incarnation,
  ) {
    super();
  }

  heard(egressId: string, askedAt: number): Promise<void> {
    return this.command('heard', () => latest(this.tables.heard, egressId, askedAt));
  }

  silent(egressId: string, askedAt: number): Promise<void> {
    return this.command('silent', () => {
      const all = new Set([...(this.tables.silent.get(egressId) ?? []), askedAt]);
      this.tables.silent.set(egressId, [...all].sort((a, b) => a - b).slice(-50));
    });
  }

  state(egressId: string): Promise<RecorderState> {
    return this.command('recorder state', () => {
      const heardAt = this.tables.heard.get(egressId) ?? null;
      const silentAt = (this.tables.silent.get(egressId) ?? []).filter(
        (at) => heardAt === null || at > heardAt,
      );
      const { seen, left } = this.tables;
      const presence = presenceOf(seen.get(egressId) ?? null, left.get(egressId) ?? null);
      return { heardAt, silentAt, presence, nudgedAt: this.tables.nudged.get(egressId) ?? null };
    });
  }

  anotherHeardSince(egressId: string, at: number): Promise<boolean> {
    return this.command('another heard', () =>
      [...this.tables.heard.entries()].some(([id, heardAt]) => id !== egressId && heardAt > at),
    );
  }

  setPresence(egressId: string, presence: 'seen' | 'left', at: number): Promise<void> {
    return this.command(`presence ${presence}`, () => latest(this.tables[presence], egressId, at));
  }

  nudge(egressId: string, at: number): Promise<void> {
    return this.command('nudge recorder', () => latest(this.tables.nudged, egressId, at));
  }

  progress(egressId: string): Promise<MediaProgress | null> {
    return this.command('media progress', () => this.tables.progress.get(egressId) ?? null);
  }

  setProgress(egressId: string, progress: MediaProgress): Promise<void> {
    return this.command('set media progress', () => this.tables.progress.set(egressId, progress));
  }

  markDead(egressId: string, at: number): Promise<void> {
    return this.command('mark dead', () => this.tables.dead.set(egressId, at));
  }

  isDead(egressId: string): Promise<boolean> {
    return this.command('is dead', () => this.tables.dead.get(egressId) !== undefined);
  }

  forget(egressId: string): Promise<void> {
    return this.command('forget recorder', () => {
      this.tables.heard.delete(egressId);
      this.tables.silent.delete(egressId);
      this.tables.seen.delete(egressId);
      this.tables.left.delete(egressId);
      this.tables.nudged.delete(egressId);
      this.tables.progress.delete(egressId);
    });
  }

  private command<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.redis.command(op));
  }
}

/** Only forward. */
function latest(table: Table<number>, egressId: string, at: number): void {
  table.set(egressId, Math.max(at, table.get(egressId) ?? at));
}
