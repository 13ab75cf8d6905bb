import type { AtomicWrite } from '../kernel/atomic-write.js';

/** What is kept in Redis and, under `access/`, in the bucket. The names are for ever: they stand in both. */
export const COLLECTIONS = ['keys', 'links', 'endpoints'] as const;
export type Collection = (typeof COLLECTIONS)[number];

/** A document as it is kept; `rev` changes with every write. `handles` are hashes by which it is found, each the document's alone. */
export interface Kept<T> {
  readonly id: string;
  readonly rev: string;
  readonly handles: readonly string[];
  readonly doc: T;
}

export interface KeptStep<T> {
  readonly collection: Collection;
  readonly id: string;
  /** Null: there is none yet. */
  readonly before: Kept<T> | null;
  /** Null removes it. */
  readonly next: { readonly doc: T; readonly handles: readonly string[] } | null;
  /** Carried out in the same step. */
  readonly also?: readonly AtomicWrite[];
  /** No more documents than that in the collection. */
  readonly most?: number;
}

export type KeptResult =
  | { readonly kind: 'done'; readonly rev: string }
  /** Somebody else wrote it in between: read again. */
  | { readonly kind: 'moved-on' }
  | { readonly kind: 'too-many' };

/** A write that the bucket may not hold yet. */
export interface UnsavedWrite {
  readonly collection: Collection;
  readonly id: string;
  readonly name: string;
}

/** Documents of a few kB, some thousand at most. Every method throws REDIS_UNAVAILABLE where it could not ask, also while Redis is not whole. */
export abstract class KeptStore {
  abstract get<T>(collection: Collection, id: string): Promise<Kept<T> | null>;
  abstract find<T>(collection: Collection, handle: string): Promise<Kept<T> | null>;
  /** In the order of their ids. */
  abstract all<T>(collection: Collection): Promise<Kept<T>[]>;
  abstract commit<T>(step: KeptStep<T>): Promise<KeptResult>;
  /** The bucket holds this state, null: none. */
  abstract settle(
    collection: Collection,
    id: string,
    rev: string | null,
    writes: readonly string[],
  ): Promise<'settled' | 'moved-on'>;
  abstract unsaved(olderThanMs: number, limit: number): Promise<UnsavedWrite[]>;
  /** Brings one back from the bucket; one that is there stays as it is. Throws RebuildSuperseded. */
  abstract restore(
    collection: Collection,
    kept: Kept<unknown>,
    rebuild: string,
  ): Promise<'restored' | 'exists'>;
}

/** The name under which a write is filed as unsaved, and back. */
export function writeName(collection: Collection, id: string, rev: string): string {
  return `${collection} ${id} ${rev}`;
}

export function parseWriteName(name: string): UnsavedWrite | null {
  const [collection, id = ''] = name.split(' ');
  const known = COLLECTIONS.find((one) => one === collection);
  return known === undefined || id === '' ? null : { collection: known, id, name };
}
