import type { BulkDeletionId, RoomId } from '../../kernel/ids.js';
import type { BulkDeletionSeen, BulkDeletionStatus } from '../domain/bulk-deletion.js';

/** BulkDeletion as the schema shows it, without the fields that are resolved on demand; instants in ms. */
export interface BulkDeletionView {
  readonly id: BulkDeletionId;
  readonly status: BulkDeletionStatus;
  readonly dryRun: boolean;
  readonly roomId: RoomId | null;
  readonly total: number;
  readonly deletedCount: number;
  readonly failedCount: number;
  readonly attempt: number;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

export function toBulkDeletionView(bulk: BulkDeletionSeen): BulkDeletionView {
  const { id, status, dryRun, roomId, total, deletedCount, failedCount, attempt, createdAt, finishedAt } =
    bulk;
  return { id, status, dryRun, roomId, total, deletedCount, failedCount, attempt, createdAt, finishedAt };
}
