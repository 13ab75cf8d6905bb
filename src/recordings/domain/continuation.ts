import { THRESHOLDS } from './thresholds.js';
import { isOver, type RecordingEndReason, type StoredRecording } from './recording.js';

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
  if (isOver(before) || !isOver(after)) return false;
  const { upkeep, endReason, startedAt, continues } = after;
  if (upkeep.stopRequestedAt !== null) return false;
  // Of what had begun to end the first reason counts: a worker that runs out of processor time while it uploads changes nothing.
  if (ORDERED.includes(before.endReason) && !before.upkeep.workerLimit) return false;
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
  const { pausesMs } = THRESHOLDS;
  return pausesMs[Math.min(endedInARow, pausesMs.length - 1)] ?? 0;
}

/** The session is the one that was recorded; where that was never named, a room that was open before the request is. */
export function isSameSession(
  { roomSid, requestedAt }: StoredRecording,
  room: { readonly sid: string; readonly createdAtMs: number },
): boolean {
  return roomSid === null ? room.createdAtMs <= requestedAt : room.sid === roomSid;
}
