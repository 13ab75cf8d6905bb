import type { BulkDeletionId } from '../../kernel/ids.js';

/** Wakes who follows a bulk deletion, on whichever instance it runs. */
export abstract class BulkDeletionNews {
  /** Resolves when something may have changed since the call, in a second at the latest, and when the signal aborts. */
  abstract next(id: BulkDeletionId, signal: AbortSignal): Promise<void>;
}
