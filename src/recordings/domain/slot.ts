import type { StoredRecording } from './recording.js';
import { awaitsContinuation } from './continuation.js';
import { isFinal, isOver } from './recording.js';
import { isRecovering } from './segments.js';
import { isUnsent } from './start-request.js';
import { THRESHOLDS } from './thresholds.js';

/**
 * The one rule by which a room is free again: the recording is final, no start of it is still on its way, and every egress
 * of it that LiveKit lists has ended. A start that was never sent needs no look, nor does a definite refusal; an egress that
 * was named to us is watched by its id; where the start's outcome stayed unknown, LiveKit's whole list has to have been
 * looked at since.
 */
export function mayFreeSlot(recording: StoredRecording, at: number): boolean {
  const { upkeep } = recording;
  if (!isOver(recording) || hasLiveEgress(recording)) return false;
  if (isUnsent(recording)) return true;
  if (at < upkeep.startPendingUntil) return false;
  if (upkeep.startAnswer === 'refused' || upkeep.startAnswer === 'accepted') return true;
  return upkeep.listedAt !== null && upkeep.listedAt >= upkeep.startPendingUntil;
}

export function hasLiveEgress(recording: StoredRecording): boolean {
  return Object.values(recording.upkeep.egresses).includes('live');
}

/** Whose worker is asked whether it lives: that of every recording in progress, and of every egress that still holds a room. */
export function watchedEgresses(recording: StoredRecording): string[] {
  if (isOver(recording) && !recording.upkeep.holdsSlot) return [];
  return liveEgresses(recording);
}

export function liveEgresses({ upkeep }: StoredRecording): string[] {
  return Object.entries(upkeep.egresses).flatMap(([id, state]) => (state === 'live' ? [id] : []));
}

/** Something about it is still to be found out or to be done: somebody has to come back to it. */
export function isUnsettled(recording: StoredRecording): boolean {
  if (isRecovering(recording)) return true;
  return isToBeObserved(recording) || (awaitsContinuation(recording) && !recording.upkeep.deleted);
}

function isToBeObserved(recording: StoredRecording): boolean {
  const { upkeep } = recording;
  if (!isOver(recording) || upkeep.holdsSlot || hasLiveEgress(recording)) return true;
  if (upkeep.deletion !== null && !upkeep.deleted) return true;
  return awaitsBucketLook(recording);
}

/** All is over and no media was reported: the bucket has the last word, since an egress may have left some all the same. */
export function awaitsBucketLook(recording: StoredRecording): boolean {
  const { holdsSlot, egresses } = recording.upkeep;
  if (holdsSlot || hasLiveEgress(recording) || Object.keys(egresses).length === 0) return false;
  return isMediaUnknown(recording);
}

/** It is final without media, and the bucket was not looked into for it. */
export function isMediaUnknown({ status, hasMedia, upkeep }: StoredRecording): boolean {
  return isFinal(status) && !hasMedia && !upkeep.bucketChecked && !upkeep.deleted;
}

const clamp = (ms: number, least: number, most: number): number => Math.min(Math.max(ms, least), most);

/**
 * How long until LiveKit is asked about this recording again, in ms: short at first, growing with what has passed.
 * Null: nothing to ask; an ACTIVE recording is not polled for its state.
 */
export function nextLookMs(recording: StoredRecording, at: number): number | null {
  const { upkeep, status } = recording;
  if (!isToBeObserved(recording)) return null;
  const { absenceSpacingMs, firstLookMs, startingLookMs, endingLookMs, finalLookMs } = THRESHOLDS;
  if (upkeep.absence !== null) return absenceSpacingMs;
  if (status === 'ACTIVE') return null;
  if (status === 'STARTING') return clamp((at - recording.requestedAt) / 3, firstLookMs, startingLookMs);
  const since = at - recording.updatedAt;
  if (status === 'ENDING') return clamp(since / 3, firstLookMs, endingLookMs);
  const pendingMs = upkeep.startPendingUntil - at;
  return clamp(since / 3, firstLookMs, pendingMs > 0 ? Math.max(pendingMs + 50, firstLookMs) : finalLookMs);
}

export function isAbsenceProven(recording: StoredRecording): boolean {
  const { knownEgressAbsent, unnamedEgressAbsent } = THRESHOLDS;
  const { absence, egresses } = recording.upkeep;
  if (absence === null) return false;
  const need = Object.keys(egresses).length > 0 ? knownEgressAbsent : unnamedEgressAbsent;
  return absence.looks >= need.looks && absence.lastAt - absence.firstAt >= need.spanMs;
}
