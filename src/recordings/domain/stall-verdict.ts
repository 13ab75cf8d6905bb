import { ask, type Case, type Limits, type Verdict } from './case.js';
import { type Evidence, isStill, type MediaProgress, type Observed, type SegmentsLook } from './evidence.js';
import { isOver, type StoredRecording } from './recording.js';
import { THRESHOLDS } from './thresholds.js';
import { workerOf } from './worker-verdict.js';

/**
 * Whether media still comes of a recording that writes segments: a pipeline that stands still answers through its worker as
 * if all were well. Only a bucket that answers at once and takes what is written says anything of it, and only while
 * somebody publishes, or its egress should be over: one with nothing to record may write nothing.
 */
export function stall(of: Case): Verdict | null {
  const { recording, evidence, now, limits } = of;
  const { egressId } = recording;
  const { progress, look, storing, grewSince } = evidence.segments;
  if (egressId === null || !isMediaExpected(recording) || progress.state !== 'known') return null;
  if (look.state === 'not-asked')
    // What is due in a moment is asked for now: one run instead of two.
    return now < dueToLook(recording, progress.value, limits) - intervalOf(progress.value, limits) / 4
      ? null
      : ask({ ask: 'segments', egressId });
  if (look.state === 'unavailable' || !isStandstill(progress.value, limits)) return null;
  const { silentAt, listed } = workerOf(evidence, egressId);
  if (listed.state === 'not-asked') return ask({ ask: 'egress', egressId });
  if (listed.state === 'unavailable' || listed.value?.status !== 'ACTIVE') return null;
  if (storing.state === 'not-asked') return ask({ ask: 'storing' });
  if (storing.state === 'unavailable' || storing.value > THRESHOLDS.promptBucketMs) return null;
  if (grewSince.state === 'not-asked') return ask({ ask: 'segments-again' });
  if (grewSince.state === 'unavailable' || grewSince.value) return null;
  if (evidence.media.state === 'not-asked') return ask({ ask: 'media' });
  const media = evidence.media.state === 'known' ? evidence.media.value : null;
  const since = progress.value.grewAt;
  const answers = silentAt.length === 0;
  return {
    do: 'apply',
    fact: { kind: 'recorder-lost', egressId, media, at: now, ...(answers && { stalledSince: since }) },
    cause: 'recorder-check',
    reason: `no segment of it has come since ${new Date(since).toISOString()}, while its worker ${answers ? 'answers' : 'does not answer'}, LiveKit lists it as ACTIVE, and the bucket takes what is written`,
  };
}

/**
 * Whether its segments are to come, or its egress to end: one that was told to, and of which neither comes while LiveKit lists it
 * as ACTIVE, has not heard of it and never will.
 */
export function isMediaExpected(recording: StoredRecording): boolean {
  const { crashProof, status, egressId, upkeep } = recording;
  if (!crashProof || egressId === null || isOver(recording)) return false;
  return (status === 'ACTIVE' || status === 'ENDING') && upkeep.egresses[egressId] === 'live';
}

/** What is to be remembered after this look, which began at `at`. */
export function progressAfter(
  before: MediaProgress | null,
  look: Observed<SegmentsLook>,
  at: number,
): MediaProgress {
  const seen = look.state === 'known' ? look.value : null;
  if (before === null) return { newest: seen?.newest ?? null, grewAt: at, lookedAt: at, stillAt: [] };
  if (seen !== null && seen.newest !== null)
    return { newest: seen.newest, grewAt: at, lookedAt: at, stillAt: [] };
  // What says nothing begins the row anew: a bucket that was slow may have been slow for the egress since the look before.
  const around = seen !== null && isPrompt(seen) && seen.around.state === 'known' ? seen.around.value : null;
  if (around === null || !around.isDue) return { ...before, lookedAt: at, stillAt: [] };
  const { recorderOut } = around;
  return { ...before, lookedAt: at, stillAt: [...before.stillAt, at], recorderOut };
}

/** Whether the bucket took no longer than a bucket takes that has nothing to do with it. */
export function isPrompt({ tookMs }: Pick<SegmentsLook, 'tookMs'>): boolean {
  return tookMs <= THRESHOLDS.promptBucketMs;
}

/** An egress of which no segment ever came is not judged: one that writes where we don't look does the same. */
function isStandstill(progress: MediaProgress | null, limits: Limits): progress is MediaProgress {
  if (progress === null || progress.newest === null) return false;
  if (progress.newest >= THRESHOLDS.lastOrderedSegment) return false;
  const { stillAt, grewAt, recorderOut = false } = progress;
  const [first = 0, last = 0] = [stillAt[0], stillAt.at(-1)];
  if (stillAt.length < THRESHOLDS.leastStillLooks) return false;
  if (!recorderOut) return last - first >= stillLostMs(limits);
  const { workerLostAfterMs } = limits;
  return (
    last - first >= workerLostAfterMs && last - grewAt >= THRESHOLDS.uploadingLostAfters * workerLostAfterMs
  );
}

/** How long looks have to find nothing new while its recorder is in the room, ms. */
function stillLostMs({ workerLostAfterMs }: Limits): number {
  const { stillSegments, segmentMs, stillLostAfters } = THRESHOLDS;
  return Math.max(stillSegments * segmentMs, stillLostAfters * workerLostAfterMs);
}

/** When its segments are looked at next, ms; null: they are not. */
export function stallTime(
  recording: StoredRecording,
  { segments }: Evidence,
  now: number,
  limits: Limits,
): number | null {
  if (!isMediaExpected(recording)) return null;
  const progress = segments.progress.state === 'known' ? segments.progress.value : null;
  const dueAt = dueToLook(recording, progress, limits);
  return dueAt <= now ? now + intervalOf(progress, limits) : dueAt;
}

function dueToLook(
  { upkeep, requestedAt }: StoredRecording,
  progress: MediaProgress | null,
  limits: Limits,
): number {
  return (progress?.lookedAt ?? upkeep.activeSince ?? requestedAt) + intervalOf(progress, limits);
}

function intervalOf(progress: MediaProgress | null, limits: Limits): number {
  if (!isStill(progress)) return Math.min(THRESHOLDS.mediaLookMs, limits.workerCheckEveryMs);
  if (progress.recorderOut === true) return limits.workerLostAfterMs / 3;
  return stillLostMs(limits) / (THRESHOLDS.leastStillLooks + 1);
}
