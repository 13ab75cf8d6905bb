import { RecorderLog, type RecorderState } from '../../../src/recordings/recorders/recorder-log.port.js';
import type { Incarnation } from './incarnation.js';
import type { SimRedis, Table } from './sim-redis.js';

export interface RecorderTables {
  readonly heard: Table<number>;
  readonly silent: Table<readonly number[]>;
  readonly presence: Table<'seen' | 'left'>;
  readonly dead: Table<number>;
  readonly nudged: Table<number>;
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
    return this.command('heard', () => {
      this.tables.heard.set(egressId, Math.max(askedAt, this.tables.heard.get(egressId) ?? 0));
    });
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
      const presence = this.tables.presence.get(egressId) ?? 'unknown';
      return { heardAt, silentAt, presence, nudgedAt: this.tables.nudged.get(egressId) ?? null };
    });
  }

  anotherHeardSince(egressId: string, at: number): Promise<boolean> {
    return this.command('another heard', () =>
      [...this.tables.heard.entries()].some(([id, heardAt]) => id !== egressId && heardAt > at),
    );
  }

  setPresence(egressId: string, presence: 'seen' | 'left'): Promise<void> {
    return this.command(`presence ${presence}`, () => this.tables.presence.set(egressId, presence));
  }

  nudge(egressId: string, at: number): Promise<void> {
    return this.command('nudge recorder', () => this.tables.nudged.set(egressId, at));
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
      this.tables.presence.delete(egressId);
      this.tables.nudged.delete(egressId);
    });
  }

  private command<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.redis.command(op));
  }
}
