import type { AtomicWrite } from '../../kernel/atomic-write.js';
import type { RoomId } from '../../kernel/ids.js';
import type { Room } from '../domain/room.js';

/** A room as it is stored; `rev` is new with every write and never given twice. */
export interface StoredRoom extends Room {
  readonly rev: string;
}

export interface RoomQuery {
  /** Part of a name, whatever its case; null: every room. */
  readonly nameContains: string | null;
  /** Only these rooms; null: every room. */
  readonly within: readonly RoomId[] | null;
  /** At most so many, from 1. */
  readonly first: number;
  /** Rooms after this one; it need not exist. */
  readonly after: RoomId | null;
}

/** In the order of ids, which never change: a list that is paged while rooms are made and renamed shows each room once. */
export interface RoomPage {
  readonly rooms: readonly Room[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** All that match, on whichever page. */
  readonly totalCount: number;
}

/** Something of another feature that a room can have, as that feature's own store names it. */
export type Belonging = string & { readonly __belonging: true };

/** What else a removal depends on and brings about, in the same step. */
export interface RemovalTerms {
  /** The room stays while it has any of these. */
  readonly unless?: readonly Belonging[];
  /** What is stored with it. */
  readonly also?: readonly AtomicWrite[];
}

/** A write whose durable copy in the bucket is not known to be made. */
export interface UnsavedWrite {
  readonly id: RoomId;
  readonly rev: string;
}

/**
 * The rooms. Every method throws REDIS_UNAVAILABLE when the store can't be asked. Every write is marked as unsaved in the same
 * step, until `settle` says that the bucket holds it.
 */
export abstract class RoomStore {
  abstract get(id: RoomId): Promise<StoredRoom | null>;
  /** Those of them that exist. */
  abstract getMany(ids: readonly RoomId[]): Promise<Map<RoomId, StoredRoom>>;
  abstract page(query: RoomQuery): Promise<RoomPage>;
  abstract create(room: Room): Promise<StoredRoom | 'exists'>;
  /** `moved-on`: the room was changed or removed since `current` was read. */
  abstract replace(current: StoredRoom, next: Room): Promise<StoredRoom | 'moved-on'>;
  /** `held`: it may not go by the terms. */
  abstract remove(current: StoredRoom, terms: RemovalTerms): Promise<UnsavedWrite | 'moved-on' | 'held'>;
  /**
   * There never was such a room; unless another has built on it, by a change or by a recording that holds it: then it stays,
   * unsaved.
   */
  abstract takeBack(created: StoredRoom): Promise<void>;
  /** A room read back from the bucket, where it is not there already; for the rebuild with this token, which throws RebuildSuperseded once it is another's. */
  abstract restore(room: Room, rebuild?: string): Promise<'restored' | 'exists'>;

  /** When each was deleted that was deleted in the last 30 days and not made again; instants in ms of the store's clock. */
  abstract deletedAt(ids: readonly RoomId[]): Promise<Map<RoomId, number>>;

  /** The oldest writes that have been unsaved for at least so long. */
  abstract unsaved(olderThanMs: number, limit: number): Promise<UnsavedWrite[]>;
  /**
   * The bucket holds revision `saved` of the room (null: no object). The writes are saved if that is still the present one;
   * else `moved-on`, and the bucket has to be written again.
   */
  abstract settle(
    id: RoomId,
    writes: readonly string[],
    saved: string | null,
  ): Promise<'settled' | 'moved-on'>;
}
