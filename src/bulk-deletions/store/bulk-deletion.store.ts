import type { AtomicWrite } from '../../kernel/atomic-write.js';
import type { BulkDeletionId } from '../../kernel/ids.js';
import type {
  BulkDeletion,
  BulkDeletionFailure,
  BulkDeletionSeen,
  Entry,
  Opening,
  Work,
} from '../domain/bulk-deletion.js';

/** One step of a bulk deletion, all or nothing. What it says of recordings that are settled by now is ignored. */
export interface Step {
  /** The try that this step belongs to. */
  readonly attempt?: number;
  /** Found in the room; those that are known already are left as they are. */
  readonly found?: readonly string[];
  /** Where the search goes on, or null when it came to its end. */
  readonly collectedTo?: string | null;
  readonly claimed?: readonly Entry[];
  /** To be looked at again from `dueAt` on, in ms. */
  readonly later?: readonly (Entry & { readonly dueAt: number })[];
  /** In the order in which they were deleted. */
  readonly deleted?: readonly string[];
  readonly failed?: readonly Failed[];
  readonly forgotten?: readonly string[];
}

export interface Failed extends BulkDeletionFailure {
  /** Not so when it was claimed meanwhile: another process, faster, deleted it. */
  readonly unlessClaimed?: boolean;
}

/**
 * Bulk deletions with every outcome, kept for some days after they have finished. Every method throws REDIS_UNAVAILABLE.
 * Steps only move forward: a process that was held up can't take anything back.
 */
export abstract class BulkDeletionStore {
  /** False, and nothing is stored, where its caller has as many under way as it may. */
  abstract create(bulk: BulkDeletion, opening: Opening): Promise<boolean>;
  /** What `create` does, for whoever has to do it in one commit with something else. */
  abstract creation(bulk: BulkDeletion, opening: Opening): AtomicWrite[];
  abstract get(id: BulkDeletionId): Promise<BulkDeletionSeen | null>;
  /** Those whose time has come, and when the time of the next one comes; null: none is left. */
  abstract due(
    id: BulkDeletionId,
    now: number,
    limit: number,
  ): Promise<{ readonly entries: readonly Entry[]; readonly nextAt: number | null }>;
  /** How many were new among what was found. */
  abstract advance(id: BulkDeletionId, step: Step): Promise<number>;
  /** Does nothing while something is left to do. */
  abstract finish(bulk: BulkDeletion): Promise<void>;
  abstract deletedIds(id: BulkDeletionId, first: number, offset: number): Promise<string[]>;
  abstract failures(id: BulkDeletionId, first: number, offset: number): Promise<BulkDeletionFailure[]>;
  /** Unfinished ones that nobody has touched for longer than they said; they count as touched now. */
  abstract abandoned(limit: number): Promise<BulkDeletionId[]>;
  /** Nobody has to look after it before that. */
  abstract expectTouchAt(id: BulkDeletionId, at: number): Promise<void>;
}

export function workOf(text: string | null | undefined): Work | null {
  return typeof text === 'string' ? (JSON.parse(text) as Work) : null;
}
