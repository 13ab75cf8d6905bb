import type { Fact, MediaSeen } from './facts.js';
import { nothing, type Patch } from './patch.js';
import { type FinalStatus, isFinal, isOver, type Recording, type StoredRecording } from './recording.js';

/** Whether all that its segments hold is in its file as well. Where there is no file, they are all that is left, and stay. */
export function areSegmentsSpare({ crashProof, status, hasMedia, sizeBytes }: Recording): boolean {
  return crashProof && isFinal(status) && hasMedia && sizeBytes !== 0;
}

export function isRecovering(recording: StoredRecording): boolean {
  return recording.upkeep.recovery != null && !isFinal(recording.status);
}

/**
 * `after` as it is where it would be final without a file and its segments may hold what the file does not: ENDING until they
 * are joined. Everything else of its end is as it would be, so that its room is free and the meeting goes on at once.
 */
export function heldForSegments(
  before: StoredRecording,
  after: StoredRecording,
  at: number,
): StoredRecording {
  if (isOver(before) || !isFinal(after.status) || !mayHaveSegments(after)) return after;
  const recovery = { since: at, askedAt: null, otherwise: { status: after.status, error: after.error } };
  const held = { ...after, upkeep: { ...after.upkeep, recovery, bucketChecked: true } };
  const joining = `${lossOf(held)}; the media is put together from its segments`;
  return {
    ...held,
    ...{ status: 'ENDING', hasMedia: false, sizeBytes: null, durationMs: null, error: joining },
  };
}

function mayHaveSegments({
  crashProof,
  status,
  hasMedia,
  sizeBytes,
  startedAt,
  endReason,
  upkeep,
}: StoredRecording): boolean {
  if (!crashProof || (hasMedia && sizeBytes !== 0) || upkeep.deleted) return false;
  if (Object.keys(upkeep.egresses).length === 0) return false;
  // A start that was cancelled too late was active, and its egress wrote.
  if (status === 'ABORTED' && endReason !== 'STALE' && startedAt === null) return false;
  // That it was active may never have been reported.
  return startedAt !== null || endReason === 'RECORDER_LOST' || endReason === 'EGRESS_FAILED';
}

/** Somebody is to join them now, for the first time or once more where whoever was asked has been silent for long. */
export function recoveryDue({ upkeep }: StoredRecording, at: number): Patch {
  if (upkeep.recovery == null) return nothing;
  return {
    internal: { recovery: { ...upkeep.recovery, askedAt: at } },
    effects: [{ do: 'recover' }],
  };
}

export function segmentsJoined(
  now: StoredRecording,
  fact: Extract<Fact, { kind: 'segments-joined' }>,
): Patch {
  const { filename, sizeBytes, durationMs, missing } = fact;
  const error = `${lossOf(now)}; the media was put together from its segments${missing === null ? '' : `, without ${missing}`}`;
  return finished(now, {
    ...{ hasMedia: true, recovered: true, filename, sizeBytes, durationMs, error },
    startedAt: now.startedAt ?? Math.max(now.requestedAt, (now.endedAt ?? fact.at) - durationMs),
  });
}

/** The file is there after all: from its own egress, however late. */
export function fileCame(now: StoredRecording, media: MediaSeen | Partial<Recording>): Patch {
  return finished(now, { ...media, hasMedia: true, error: null });
}

/** They stay: whoever can make something of them finds them by what the error says. */
export function segmentsUnusable(
  now: StoredRecording,
  { why, folder }: Extract<Fact, { kind: 'segments-unusable' }>,
): Patch {
  const { recovery } = now.upkeep;
  if (recovery == null || isFinal(now.status)) return nothing;
  const { status, error } = recovery.otherwise;
  const kept = folder === null ? '' : `; its segments are kept in ${folder}`;
  return {
    visible: {
      status: status === 'COMPLETE' ? 'FAILED' : status,
      error: `${error ?? lossOf(now)} (${why}${kept})`,
    },
    internal: { recovery: null },
  };
}

function finished(now: StoredRecording, visible: Partial<Recording>): Patch {
  const { recovery } = now.upkeep;
  if (recovery == null || isFinal(now.status)) return nothing;
  const status: FinalStatus = now.endReason === 'LIMIT_REACHED' ? 'LIMIT_REACHED' : 'COMPLETE';
  return { visible: { ...visible, status }, internal: { recovery: null } };
}

function lossOf({ endReason, upkeep }: StoredRecording): string {
  if (upkeep.stalledSince !== undefined)
    return `the recording stood still: no media came since ${new Date(upkeep.stalledSince).toISOString()}`;
  if (endReason === 'RECORDER_LOST') return 'the egress worker died';
  if (endReason === 'STALE') return 'LiveKit no longer knew the egress';
  return upkeep.recovery?.otherwise.error ?? 'the file of the egress did not come';
}
