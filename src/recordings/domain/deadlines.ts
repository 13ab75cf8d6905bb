import type { StoredRecording } from './recording.js';

/** Until when a start may take, ms since the epoch; null: it has ended, one way or the other. */
export function startDeadlineOf(recording: StoredRecording, startTimeoutMs: number): number | null {
  if (recording.status !== 'STARTING') return null;
  // What came back from the bucket begins its time anew: LiveKit has to be asked before anything is said of its start.
  const from = recording.upkeep.returned ? recording.updatedAt : recording.requestedAt;
  return from + startTimeoutMs;
}

/** When the maximum duration of an active recording is over, ms since the epoch; null: it is not active. */
export function durationLimitOf({ status, startedAt, requestedAt, upkeep }: StoredRecording): number | null {
  if (status !== 'ACTIVE') return null;
  // Our own clock measures the limit; LiveKit's may be off, but never by more than the recording is old.
  const from = upkeep.activeSince ?? Math.max(startedAt ?? requestedAt, requestedAt);
  return from + upkeep.maxDurationMs;
}
