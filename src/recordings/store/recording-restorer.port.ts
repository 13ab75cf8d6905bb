import type { RecordingId } from '../../kernel/ids.js';
import type { StoredRecording } from '../domain/recording.js';
import type { Effect } from '../domain/facts.js';
import type { HistoryEntry } from './recording.store.js';

/** A recording as it comes back, with everything that has to be in the store for it. */
export interface Return {
  readonly recording: StoredRecording;
  readonly history: readonly HistoryEntry[];
  readonly effects: readonly Effect[];
}

/** `kept`: there is a row that is at least as new. */
export type Restored = 'restored' | 'kept';

/** Who restores: the rebuild with this token while Redis is not whole, or anybody (null) while it is. */
export type RestoreGuard = string | null;

/**
 * Brings recordings back that the store does not know, or knows older. Safe to repeat and to be done by several at once.
 * Throws RebuildSuperseded where the guard does not hold (any more), and REDIS_UNAVAILABLE.
 */
export abstract class RecordingRestorer {
  /** In the order given. */
  abstract restore(returns: readonly Return[], guard: RestoreGuard): Promise<Restored[]>;
  /** Those of them that have a row or were deleted lately, whether Redis is whole or not. */
  abstract known(ids: readonly RecordingId[]): Promise<Set<RecordingId>>;
}
