import { isFinal, type RecordingEndReason, type StoredRecording } from './recording.js';

/** So many recordings in a row may end without one of them having been active for GOOD_WHILE_MS. */
export const MOST_IN_A_ROW = 7;
/** A recording that was active for so long begins a new row. */
export const GOOD_WHILE_MS = 5 * 60_000;
/** Before the next try, by how many have ended in a row: a room whose recorders die at once is not started without a pause. */
const PAUSES_MS = [0, 0, 3_000, 10_000, 30_000, 60_000, 120_000] as const;

/** Ends that nobody ordered, whatever the recorder died of. */
const UNORDERED: readonly (RecordingEndReason | null)[] = [
  'RECORDER_LOST',
  'RECORDER_LEFT',
  'EGRESS_FAILED',
  'STALE',
];
/** Of a first start its caller was told; a continuation that never became active counts like its predecessor. */
const FAILED_START: readonly (RecordingEndReason | null)[] = ['START_TIMEOUT', 'START_REJECTED'];
const ORDERED: readonly (RecordingEndReason | null)[] = [
  'STOP_REQUESTED',
  'START_CANCELLED',
  'LIMIT_REACHED',
  'ROOM_ENDED',
];

/** Whether the meeting is to be recorded further after this change: an end that nobody ordered, of a recording that was there. */
export function isToBeContinued(before: StoredRecording, after: StoredRecording): boolean {
  if (isFinal(before.status) || !isFinal(after.status)) return false;
  const { upkeep, endReason, startedAt, continues } = after;
  if (upkeep.stopRequestedAt !== null || upkeep.deletion !== null || upkeep.deleted) return false;
  if (before.status === 'ENDING' && ORDERED.includes(before.endReason) && !upkeep.workerLimit) return false;
  if (continues !== null && FAILED_START.includes(endReason)) return true;
  if (startedAt === null && continues === null) return false;
  return UNORDERED.includes(endReason) || (endReason === 'LIMIT_REACHED' && upkeep.workerLimit === true);
}

/** Somebody is still to try to record the meeting further. */
export function awaitsContinuation({ upkeep }: StoredRecording): boolean {
  return upkeep.continuation === 'pending';
}

/** How long after its end the next one may be started, ms. */
export function continuationPauseMs(endedInARow: number): number {
  return PAUSES_MS[Math.min(endedInARow, PAUSES_MS.length - 1)] ?? 0;
}

/** The session is the one that was recorded; where that was never named, a room that was open before the request is. */
export function isSameSession(
  { roomSid, requestedAt }: StoredRecording,
  room: { readonly sid: string; readonly createdAtMs: number },
): boolean {
  return roomSid === null ? room.createdAtMs <= requestedAt : room.sid === roomSid;
}
