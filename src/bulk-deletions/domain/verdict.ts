import type { ErrorCode } from '../../kernel/errors.js';
import { shown } from '../../kernel/shown.js';
import { isFinal, type StoredRecording } from '../../recordings/domain/recording.js';
import { hasLiveEgress } from '../../recordings/domain/slot.js';
import type { BulkDeletion, Claim, Entry } from './bulk-deletion.js';

/** What has to be done about one recording of a bulk deletion. */
export type Verdict =
  | { readonly do: 'delete'; readonly claim: Claim }
  /** Its row went after it was claimed: it is deleted, and what may have landed meanwhile goes too. */
  | { readonly do: 'confirm'; readonly claim: Claim }
  | { readonly do: 'stop' }
  | { readonly do: 'wait' }
  /** Nobody named it, and somebody else deleted it. */
  | { readonly do: 'forget' }
  | { readonly do: 'fail'; readonly code: ErrorCode; readonly message: string };

/** So long a recording that is over waits for its egress to be over too; after that its tombstone looks after the rest. */
const EGRESS_PATIENCE_MS = 30_000;

/** The one rule, for a dry run as for a real one. `recording` null: there is none that could be read. */
export function verdictOn(
  bulk: Pick<BulkDeletion, 'scope' | 'roomId' | 'visibleRooms'>,
  { recordingId, work }: Entry,
  recording: StoredRecording | null,
  now: number,
): Verdict {
  if (recording === null || recording.upkeep.deleted) {
    if (work.claim) return { do: 'confirm', claim: work.claim };
    return bulk.scope === 'ids' ? { do: 'fail', ...notFound(recordingId) } : { do: 'forget' };
  }
  const { roomId, status } = recording;
  // A row of an older version says nothing of it, and has none.
  const claim = { roomId, crashProof: Boolean(recording.crashProof) };
  if (bulk.visibleRooms !== null && !bulk.visibleRooms.includes(roomId))
    return { do: 'fail', ...notFound(recordingId) };
  if (bulk.roomId !== null && roomId !== bulk.roomId)
    return fail('RECORDING_NOT_IN_ROOM', `recording ${recordingId} is of another room than ${bulk.roomId}`);
  if (bulk.scope === 'ids') {
    return isFinal(status)
      ? { do: 'delete', claim }
      : fail('RECORDING_NOT_STOPPED', `recording ${recordingId} is ${status}; stop it before deleting it`);
  }
  if (!isFinal(status)) return { do: status === 'ENDING' ? 'wait' : 'stop' };
  return isOver(recording, now) ? { do: 'delete', claim } : { do: 'wait' };
}

/** The same words for one that is unknown and for one that the caller may not see. */
export function notFound(recordingId: string): { readonly code: ErrorCode; readonly message: string } {
  return { code: 'RECORDING_NOT_FOUND', message: `there is no recording ${shown(recordingId)}` };
}

function isOver(recording: StoredRecording, now: number): boolean {
  if (!recording.upkeep.holdsSlot && !hasLiveEgress(recording)) return true;
  return now - recording.updatedAt >= EGRESS_PATIENCE_MS;
}

function fail(code: ErrorCode, message: string): Verdict {
  return { do: 'fail', code, message };
}
