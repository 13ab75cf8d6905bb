import type { EgressEndCause, EgressSeen, EgressStatus } from '../../livekit/livekit.types.js';
import type { RoomAtEnd } from './facts.js';
import { join, nothing, type Patch, startResult, withPatch } from './patch.js';
import type {
  EgressState,
  FinalStatus,
  Recording,
  RecordingEndReason,
  StoredRecording,
} from './recording.js';
import { isFinal, isOver } from './recording.js';
import { fileCame, isRecovering } from './segments.js';
import { THRESHOLDS } from './thresholds.js';

type EndedEgress = EgressSeen & { readonly status: FinalStatus };

/** What one egress of this recording, as LiveKit shows it, changes. Late, doubled and reordered reports end in the same state. */
export function seeEgress(
  now: StoredRecording,
  egress: EgressSeen,
  at: number,
  room: RoomAtEnd = 'over',
): Patch {
  if (egress.egressId === '') return nothing;
  const known = now.upkeep.egresses[egress.egressId];
  const state = stateAfter(known, egress.status);
  const noted: Patch =
    state === known
      ? nothing
      : {
          internal: {
            egresses: { ...now.upkeep.egresses, [egress.egressId]: state },
            ...firstSight(now, at),
          },
        };
  const found: Patch =
    state === 'live' && now.upkeep.absence !== null ? join(noted, { internal: { absence: null } }) : noted;
  const named: Patch =
    now.egressId === null
      ? join(found, { visible: { egressId: egress.egressId, roomSid: egress.roomSid ?? now.roomSid } })
      : found;
  const primary = now.egressId === null || now.egressId === egress.egressId;
  if (state === 'live' && isOfAnotherMeeting(now, egress)) return join(found, refuseMeeting(now, egress, at));
  if (isOver(now)) return join(named, onLateReport(now, egress, state, at));
  // Two egresses of one recording write to one object: the first one named is the recording, any other is stopped.
  if (!primary)
    return state === 'live'
      ? join(named, stop(egress, 'another egress of its recording was named first'))
      : named;
  if (known === 'over' && !isFinal(egress.status)) return named;
  return join(named, progress(withPatch(now, named), egress, at, room));
}

/** A continuation was asked for one session of the room; by the time its recorder came, another one was there. */
function isOfAnotherMeeting({ status, continues, roomSid }: StoredRecording, egress: EgressSeen): boolean {
  if (status !== 'STARTING' || continues === null || roomSid === null) return false;
  return egress.roomSid !== null && egress.roomSid !== roomSid;
}

function refuseMeeting(now: StoredRecording, egress: EgressSeen, at: number): Patch {
  const message = `recording ${now.id} was cancelled: another meeting is in its room`;
  return join(stop(egress, 'another meeting is in its room'), {
    visible: { egressId: egress.egressId, status: 'ENDING', endReason: 'START_CANCELLED' },
    internal: { stopRequestedAt: at, ...startResult(now, { code: 'RECORDING_START_FAILED', message }) },
  });
}

/**
 * One request makes one egress: with it seen and the answer there, no other is on its way. A Redis that lost its last moments
 * may have forgotten that the request was sent.
 */
function firstSight(
  { upkeep, requestedAt }: StoredRecording,
  at: number,
): Partial<StoredRecording['upkeep']> {
  return {
    ...(upkeep.startSentAt === null && { startSentAt: requestedAt }),
    ...(upkeep.startAnswer === 'error' && { startPendingUntil: Math.min(upkeep.startPendingUntil, at) }),
  };
}

function stateAfter(known: EgressState | undefined, status: EgressStatus): EgressState {
  if (isFinal(status)) return 'over';
  return known === undefined ? 'live' : known;
}

const stop = ({ egressId }: EgressSeen, why: string): Patch => ({
  effects: [{ do: 'stop-egress', egressId, why }],
});

/** The recording is final. Nobody else will ever stop an egress that turns up now, and media it left must not be hidden. */
function onLateReport(now: StoredRecording, egress: EgressSeen, state: EgressState, at: number): Patch {
  if (state === 'live')
    return egress.status === 'ENDING' ? nothing : stop(egress, `its recording is ${now.status}`);
  if (state !== 'over' || !egress.file?.uploaded) return nothing;
  if (now.upkeep.deleted) return { effects: [{ do: 'finish-deletion', at }] };
  const media = mediaOf(egress, now);
  if (isRecovering(now)) return media.sizeBytes === 0 ? nothing : fileCame(now, media);
  // What was put together from segments is less than the file that came after all, in its place.
  if (now.recovered) return { visible: { ...media, recovered: false, error: null } };
  return now.hasMedia ? nothing : { visible: media };
}

function progress(now: StoredRecording, egress: EgressSeen, at: number, room: RoomAtEnd): Patch {
  if (egress.status === 'STARTING') return isCancelled(now) ? stop(egress, CANCELLED) : nothing;
  if (egress.status === 'ACTIVE') return becomeActive(now, egress, at);
  if (egress.status === 'ENDING')
    return now.status === 'ENDING' ? begun(now, egress) : becomeEnding(now, egress, at, room);
  return becomeFinal(now, egress as EndedEgress, at, room);
}

const CANCELLED = 'its start was cancelled';

function isCancelled(now: Recording): boolean {
  return now.status === 'ENDING' && now.endReason === 'START_CANCELLED';
}

export const STOP_UNHEARD = 'it has not heard of its stop';

/** Of an egress that goes on: it should have begun to end by now. */
export function isStopUnheard({ status, updatedAt }: Recording, at: number): boolean {
  return status === 'ENDING' && at - updatedAt > THRESHOLDS.stopAgainMs;
}

function becomeActive(now: StoredRecording, egress: EgressSeen, at: number): Patch {
  if (isCancelled(now)) return stop(egress, CANCELLED);
  if (isStopUnheard(now, at)) return join(begun(now, egress), stop(egress, STOP_UNHEARD));
  if (now.status !== 'STARTING') return begun(now, egress);
  const startedAt = egress.file?.startedAtMs ?? egress.startedAtMs ?? at;
  // Our own clock measures the limit; LiveKit's may be off, but never by more than the recording is old.
  const countedFrom = Math.min(Math.max(startedAt, now.requestedAt), at);
  return {
    visible: { status: 'ACTIVE', startedAt, filename: filenameOf(egress) },
    internal: { ...startResult(now, 'ACTIVE'), activeSince: countedFrom },
  };
}

/** What a report adds of a beginning that was not reported itself. */
function begun(now: StoredRecording, egress: EgressSeen): Patch {
  const startedAt = egress.file?.startedAtMs ?? null;
  return now.startedAt === null && startedAt !== null
    ? { visible: { startedAt, filename: filenameOf(egress) } }
    : nothing;
}

function becomeEnding(now: StoredRecording, egress: EgressSeen, at: number, room: RoomAtEnd): Patch {
  // Whether its room is over is certain only once the egress is.
  const reason = isSourceClosed(egress) && room === 'goes-on' ? null : reasonOf(egress.endCause);
  const base: Patch = {
    visible: { status: 'ENDING', endReason: now.endReason ?? reason },
    // Only an active egress comes to its ENDING: a report in between may have been lost, the recording was there.
    internal: { ...startResult(now, 'ACTIVE'), ...workerLimit(egress) },
  };
  const startedAt = now.startedAt ?? egress.file?.startedAtMs ?? egress.startedAtMs ?? at;
  return now.startedAt === null ? join(base, { visible: { startedAt, filename: filenameOf(egress) } }) : base;
}

function becomeFinal(now: StoredRecording, egress: EndedEgress, at: number, room: RoomAtEnd): Patch {
  const end = endOf(now, egress, room);
  const recorded = egress.status === 'COMPLETE' || egress.status === 'LIMIT_REACHED';
  const left = egress.file?.uploaded === true || (recorded && !isElsewhere(egress));
  return {
    visible: {
      ...end,
      error: end.error ?? egress.mediaProblem ?? null,
      ...(left ? mediaOf(egress, now) : {}),
      ...(recorded ? { startedAt: now.startedAt ?? egress.file?.startedAtMs ?? egress.startedAtMs } : {}),
      endedAt: (recorded ? egress.file?.endedAtMs : null) ?? egress.endedAtMs ?? at,
    },
    internal: {
      ...workerLimit(egress),
      ...startResult(
        now,
        recorded
          ? 'ACTIVE'
          : { code: 'RECORDING_START_FAILED', message: startFailure(now, end.endReason, end.error) },
      ),
    },
  };
}

/** Its file was delivered, but not to where it should be. */
function isElsewhere({ file, mediaProblem }: EgressSeen): boolean {
  return file?.uploaded === false && Boolean(mediaProblem);
}

interface End {
  readonly status: FinalStatus;
  readonly endReason: RecordingEndReason;
  readonly error: string | null;
}

/** Its recorder is out of the room, or the room is over; the egress says the same of both. */
export function isSourceClosed({ status, endCause }: EgressSeen): boolean {
  if (status !== 'ENDING' && status !== 'COMPLETE' && status !== 'ABORTED') return false;
  return endCause === null || endCause === 'source-closed' || endCause === 'streams-stopped';
}

function workerLimit({ endCause }: EgressSeen): { workerLimit?: true } {
  return endCause === 'cpu-exhausted' ? { workerLimit: true } : {};
}

const LEFT = 'the recorder left the room although the meeting went on';

function endOf(now: StoredRecording, egress: EndedEgress, room: RoomAtEnd): End {
  const left = isSourceClosed(egress) && room === 'goes-on' && now.endReason === null;
  switch (egress.status) {
    case 'LIMIT_REACHED':
      return { status: 'LIMIT_REACHED', endReason: 'LIMIT_REACHED', error: null };
    case 'FAILED':
      return {
        status: 'FAILED',
        endReason: 'EGRESS_FAILED',
        error: egress.error ?? 'the egress failed without saying why',
      };
    case 'COMPLETE': {
      if (left) return { status: 'COMPLETE', endReason: 'RECORDER_LEFT', error: LEFT };
      const endReason = now.endReason ?? reasonOf(egress.endCause) ?? 'ROOM_ENDED';
      return { status: endReason === 'LIMIT_REACHED' ? 'LIMIT_REACHED' : 'COMPLETE', endReason, error: null };
    }
    case 'ABORTED': {
      if (left && egress.endCause !== null)
        return { status: 'ABORTED', endReason: 'RECORDER_LEFT', error: LEFT };
      const endReason = now.endReason ?? reasonOf(egress.endCause) ?? 'EGRESS_FAILED';
      return { status: 'ABORTED', endReason, error: endReason === 'EGRESS_FAILED' ? egress.error : null };
    }
  }
}

/** Null: the egress gave no reason. */
function reasonOf(cause: EgressEndCause | null): RecordingEndReason | null {
  switch (cause) {
    case null:
      return null;
    case 'stop-api':
      return 'STOP_REQUESTED';
    case 'source-closed':
    case 'streams-stopped':
      return 'ROOM_ENDED';
    case 'limit-reached':
    case 'cpu-exhausted':
      return 'LIMIT_REACHED';
    case 'process-killed':
    case 'out-of-memory':
    case 'disk-full':
    case 'recorder-crashed':
    case 'pipeline-failed':
    case 'upload-failed':
    case 'failure':
      return 'EGRESS_FAILED';
  }
}

function mediaOf(egress: EgressSeen, now: Recording): Partial<Recording> {
  return {
    hasMedia: true,
    filename: filenameOf(egress) ?? now.filename,
    sizeBytes: egress.file?.sizeBytes ?? now.sizeBytes,
    durationMs: egress.file?.durationMs ?? now.durationMs,
  };
}

function filenameOf(egress: EgressSeen): string | null {
  const path = egress.file?.filename ?? egress.filepath;
  return path === null ? null : path.slice(path.lastIndexOf('/') + 1);
}

function startFailure(now: Recording, reason: RecordingEndReason, error: string | null): string {
  const why = reason === 'ROOM_ENDED' ? 'its room was closed' : (error ?? 'its egress ended');
  return `recording ${now.id} ended before it was active: ${why}`;
}
