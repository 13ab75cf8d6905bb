import { newToken, type RoomId } from '../../../src/kernel/ids.js';
import { indexEntries } from '../../../src/recordings/store/index-entries.js';
import { RebuildSuperseded } from '../../../src/redis/redis-was-reset.js';
import type { Room } from '../../../src/rooms/domain/room.js';
import {
  type RemovalTerms,
  type RoomPage,
  type RoomQuery,
  RoomStore,
  type StoredRoom,
  type UnsavedWrite,
} from '../../../src/rooms/store/room.store.js';
import type { Incarnation } from './incarnation.js';
import type { RecordingTables } from './sim-recording-store.js';
import { carryOut, type Table } from './sim-redis.js';

export interface RoomTables {
  readonly rooms: Table<StoredRoom>;
  /** By `<id> <rev>`: when the write was made. */
  readonly unsaved: Table<number>;
  /** When rooms were deleted. */
  readonly deleted: Table<number>;
  /** Redis is not whole, and whoever has this token rebuilds it. */
  isRebuiltBy(token: string): boolean;
}

/** The rooms as one instance reads and writes them. */
export class SimRoomStore extends RoomStore {
  constructor(
    private readonly tables: RoomTables,
    private readonly recordings: RecordingTables,
    private readonly of: Incarnation,
  ) {
    super();
  }

  async get(id: RoomId): Promise<StoredRoom | null> {
    return (await this.getMany([id])).get(id) ?? null;
  }

  getMany(ids: readonly RoomId[]): Promise<Map<RoomId, StoredRoom>> {
    return this.command('rooms', () => {
      void this.recordings.epoch;
      const found = ids.map((id) => this.tables.rooms.get(id)).filter((room) => room !== undefined);
      return new Map(found.map((room) => [room.id, room]));
    });
  }

  page({ first, after }: RoomQuery): Promise<RoomPage> {
    return this.command('page of rooms', () => {
      void this.recordings.epoch;
      const all = [...this.tables.rooms.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      const rest = all.filter(({ id }) => after === null || id > after);
      return {
        rooms: rest.slice(0, first),
        hasNextPage: rest.length > first,
        hasPreviousPage: rest.length < all.length,
        totalCount: all.length,
      };
    });
  }

  async create(room: Room): Promise<StoredRoom | 'exists'> {
    const written = await this.write(room.id, null, room);
    return written ?? 'exists';
  }

  async replace(current: StoredRoom, next: Room): Promise<StoredRoom | 'moved-on'> {
    const written = await this.write(current.id, current.rev, next);
    return written ?? 'moved-on';
  }

  remove(current: StoredRoom, terms: RemovalTerms): Promise<UnsavedWrite | 'moved-on' | 'held'> {
    const { unless = [], also = [] } = terms;
    const rev = newToken();
    return this.command(`remove room ${current.id}`, () => {
      void this.recordings.epoch;
      if (this.tables.rooms.get(current.id)?.rev !== current.rev) return 'moved-on';
      if (unless.some((index) => this.holds(index))) return 'held';
      also.forEach(carryOut);
      this.tables.rooms.delete(current.id);
      this.tables.deleted.set(current.id, this.recordings.redis.now());
      this.tables.unsaved.set(`${current.id} ${rev}`, this.recordings.redis.now());
      return { id: current.id, rev };
    });
  }

  takeBack({ id, rev }: StoredRoom): Promise<void> {
    return this.command(`take room ${id} back`, () => {
      void this.recordings.epoch;
      if (this.tables.rooms.get(id)?.rev !== rev || this.recordings.slots.has(id)) return;
      this.tables.rooms.delete(id);
      this.tables.unsaved.set(`${id} ${newToken()}`, this.recordings.redis.now());
    });
  }

  async restore(room: Room, rebuild?: string): Promise<'restored' | 'exists'> {
    return (await this.write(room.id, null, room, { inBucket: true, rebuild })) ? 'restored' : 'exists';
  }

  deletedAt(ids: readonly RoomId[]): Promise<Map<RoomId, number>> {
    return this.command('deleted rooms', () => {
      const known = ids.map((id) => [id, this.tables.deleted.get(id)] as const);
      return new Map(known.flatMap(([id, at]) => (at === undefined ? [] : [[id, at] as const])));
    });
  }

  unsaved(olderThanMs: number, limit: number): Promise<UnsavedWrite[]> {
    return this.command('unsaved rooms', () => {
      const until = this.recordings.redis.now() - olderThanMs;
      const old = [...this.tables.unsaved.entries()].filter(([, at]) => at <= until).slice(0, limit);
      return old.map(([entry]) => {
        const [id, rev] = entry.split(' ') as [RoomId, string];
        return { id, rev };
      });
    });
  }

  settle(id: RoomId, writes: readonly string[], saved: string | null): Promise<'settled' | 'moved-on'> {
    return this.command('settle', () => {
      if ((this.tables.rooms.get(id)?.rev ?? null) !== saved) return 'moved-on';
      for (const rev of writes) this.tables.unsaved.delete(`${id} ${rev}`);
      return 'settled';
    });
  }

  private write(
    id: RoomId,
    expected: string | null,
    next: Room,
    { inBucket = false, rebuild }: { inBucket?: boolean; rebuild?: string | undefined } = {},
  ): Promise<StoredRoom | null> {
    const row: StoredRoom = { ...next, rev: newToken() };
    return this.command(`write room ${id}`, () => {
      if (!inBucket) void this.recordings.epoch;
      if (rebuild !== undefined && !this.tables.isRebuiltBy(rebuild)) throw new RebuildSuperseded();
      const present = this.tables.rooms.get(id)?.rev ?? null;
      if (present === row.rev) return row;
      if (present !== expected) return null;
      this.tables.rooms.set(id, row);
      this.tables.deleted.delete(id);
      if (!inBucket) this.tables.unsaved.set(`${id} ${row.rev}`, this.recordings.redis.now());
      return row;
    });
  }

  /** Whether any recording stands in this index. */
  private holds(index: string): boolean {
    return [...this.recordings.rows.values()].some(({ doc }) => indexEntries(doc).has(index));
  }

  private command<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.recordings.redis.command(op));
  }
}
