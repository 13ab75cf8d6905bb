import { isStopUnheard, seeEgress, STOP_UNHEARD } from './egress-fact.js';
import { gone, mediaFound, recorderLost } from './lost-egress.js';
import { awaitsContinuation, isToBeContinued } from './continuation.js';
import type { Effect, Fact } from './facts.js';
import {
  areSegmentsSpare,
  fileCame,
  heldForSegments,
  isRecovering,
  recoveryDue,
  segmentsJoined,
  segmentsUnusable,
} from './segments.js';
import { join, nothing, type Patch, startResult, withPatch } from './patch.js';
import { isFinal, isOver, type RecordingStatus, type StoredRecording, VISIBLE_FIELDS } from './recording.js';
import { isUnsent, startSending } from './start-request.js';
import {
  hasLiveEgress,
  isAbsenceProven,
  isUnsettled,
  liveEgresses,
  mayFreeSlot,
  nextLookMs,
} from './slot.js';
import { THRESHOLDS } from './thresholds.js';

export interface EventMade {
  readonly type: 'REQUESTED' | 'STATUS_CHANGED' | 'UPDATED' | 'DELETED';
  readonly previousStatus: RecordingStatus | null;
}

export type Decision =
  | { readonly kind: 'ignore' }
  | {
      readonly kind: 'advance';
      readonly next: StoredRecording;
      readonly effects: readonly Effect[];
      /** Null: nothing changed that a client sees. */
      readonly event: EventMade | null;
    };

/** THE state machine: what follows from a fact. Pure; final statuses stay, and each fact has its duty in every status. */
export function decide(now: StoredRecording, fact: Fact): Decision {
  return advance(now, patchOf(now, fact), fact);
}

function patchOf(now: StoredRecording, fact: Fact): Patch {
  if (now.upkeep.deleted && fact.kind === 'deleted') return nothing;
  switch (fact.kind) {
    case 'start-sending':
      return startSending(now, fact);
    case 'start-accepted':
      return join({ internal: answered(now, 'accepted', fact.at) }, seeEgress(now, fact.egress, fact.at));
    case 'start-refused':
      return startRefused(now, fact);
    case 'start-unknown':
      return startUnknown(now, fact);
    case 'start-deadline-passed':
      return deadlinePassed(now, fact);
    case 'stop-requested':
      return stopRequested(now, fact.at);
    case 'start-cancelled':
      return startCancelled(now, fact.at);
    case 'duration-limit-passed':
      return now.status === 'ACTIVE'
        ? {
            visible: { status: 'ENDING', endReason: 'LIMIT_REACHED' },
            effects: stopLive(now, 'its maximum duration is over'),
          }
        : nothing;
    case 'stop-taken':
      return stopTaken(now, fact);
    case 'egress-seen':
      return seeEgress(now, fact.egress, fact.at, fact.room);
    case 'egresses-listed':
      return listed(now, fact);
    case 'egress-gone':
      return gone(now, fact);
    case 'recorder-lost':
      return recorderLost(now, fact);
    case 'continued':
      return now.continuedBy === null
        ? { visible: { continuedBy: fact.by }, internal: { continuation: null } }
        : nothing;
    case 'continuation-given-up':
      return awaitsContinuation(now) ? { internal: { continuation: null } } : nothing;
    case 'recovery-due':
      return isRecovering(now) ? recoveryDue(now, fact.at) : nothing;
    case 'segments-joined':
      return segmentsJoined(now, fact);
    case 'segments-unusable':
      return segmentsUnusable(now, fact);
    case 'media-looked-for':
      if (isRecovering(now)) return fact.media ? fileCame(now, fact.media) : nothing;
      return join(
        { internal: { bucketChecked: true } },
        fact.media && !now.hasMedia ? { visible: mediaFound(fact.media) } : nothing,
      );
    case 'deletion-requested':
      return isFinal(now.status) && now.upkeep.deletion === null
        ? {
            internal: { deletion: { requestedAt: fact.at, by: fact.by }, continuation: null },
            effects: [{ do: 'finish-deletion', at: fact.at + THRESHOLDS.deletionGraceMs }],
          }
        : nothing;
    case 'deleted':
      return isFinal(now.status)
        ? { internal: { deleted: true }, effects: [{ do: 'drop-room-metadata' }] }
        : nothing;
  }
}

function answered(
  now: StoredRecording,
  startAnswer: 'accepted' | 'refused' | 'error',
  at: number,
): Partial<StoredRecording['upkeep']> {
  const until =
    startAnswer === 'error' && Object.keys(now.upkeep.egresses).length === 0
      ? at + THRESHOLDS.listMarginMs
      : at;
  return { startAnswer, startPendingUntil: Math.min(now.upkeep.startPendingUntil, until) };
}

function startRefused(now: StoredRecording, fact: Extract<Fact, { kind: 'start-refused' }>): Patch {
  const internal = answered(now, 'refused', fact.at);
  if (isOver(now) || hasLiveEgress(now)) return { internal };
  if (now.status === 'ENDING') return { internal, visible: { status: 'ABORTED', endedAt: fact.at } };
  const code = fact.credentials ? 'LIVEKIT_UNAVAILABLE' : 'RECORDING_START_REJECTED';
  return {
    visible: { status: 'FAILED', endReason: 'START_REJECTED', endedAt: fact.at, error: fact.why },
    internal: {
      ...internal,
      ...startResult(now, { code, message: `recording ${now.id} did not start: ${fact.why}` }),
    },
  };
}

function startUnknown(now: StoredRecording, fact: Extract<Fact, { kind: 'start-unknown' }>): Patch {
  const internal = fact.answered ? answered(now, 'error', fact.at) : ({ startAnswer: 'unanswered' } as const);
  return { internal, effects: [{ do: 'reconcile', at: fact.at }] };
}

function deadlinePassed(now: StoredRecording, fact: Extract<Fact, { kind: 'start-deadline-passed' }>): Patch {
  if (now.status !== 'STARTING') return nothing;
  const error = `the egress did not become active within ${Math.round(fact.waitedMs / 100) / 10} s`;
  return {
    visible: { status: 'FAILED', endReason: 'START_TIMEOUT', endedAt: fact.at, error },
    internal: startResult(now, {
      code: 'RECORDING_START_TIMEOUT',
      message: `recording ${now.id} failed: ${error}`,
    }),
    effects: stopLive(now, 'its start took too long'),
  };
}

function startCancelled(now: StoredRecording, at: number): Patch {
  if (now.status !== 'STARTING') return nothing;
  return {
    visible: { status: 'ENDING', endReason: 'START_CANCELLED' },
    internal: {
      stopRequestedAt: at,
      ...startResult(now, {
        code: 'RECORDING_START_FAILED',
        message: `recording ${now.id} was stopped before it was active`,
      }),
    },
    effects: stopLive(now, 'its start was cancelled'),
  };
}

/** A stop is final: whatever it ends of afterwards, nobody records the meeting further for it. */
function stopRequested(now: StoredRecording, at: number): Patch {
  if (now.upkeep.stopRequestedAt !== null) return nothing;
  return { internal: { stopRequestedAt: at, ...(awaitsContinuation(now) && { continuation: null }) } };
}

function stopTaken(now: StoredRecording, fact: Extract<Fact, { kind: 'stop-taken' }>): Patch {
  if (isOver(now)) return fact.egress ? seeEgress(now, fact.egress, fact.at) : nothing;
  const asked: Patch = {
    visible: { status: 'ENDING', endReason: now.endReason ?? 'STOP_REQUESTED' },
    internal: { stopRequestedAt: now.upkeep.stopRequestedAt ?? fact.at },
  };
  if (fact.egress) return join(asked, seeEgress(withPatch(now, asked), fact.egress, fact.at));
  const at = fact.at + THRESHOLDS.recorderGraceMs;
  return join(asked, {
    effects: liveEgresses(now).map((egressId) => ({
      do: 'remove-recorder',
      egressId,
      at,
      why: 'nobody answered its stop',
    })),
  });
}

/** A look at everything that LiveKit lists of this recording: what is there, and what is missing. */
function listed(now: StoredRecording, fact: Extract<Fact, { kind: 'egresses-listed' }>): Patch {
  const seen = fact.egresses.reduce(
    (patch, egress) => join(patch, seeEgress(withPatch(now, patch), egress, fact.at, fact.room)),
    nothing,
  );
  const after = withPatch(now, seen);
  const ids = new Set(fact.egresses.map((egress) => egress.egressId));
  const unlisted = liveEgresses(after).filter((id) => !ids.has(id));
  const missing = unlisted.filter((id) => !fact.alive?.includes(id));
  const internal = isOver(after) && after.upkeep.holdsSlot ? { listedAt: fact.at } : {};
  const looked: Patch = { internal, effects: stopUnheard(after, unlisted, fact.at) };
  const unseen = missing.length > 0 || (ids.size === 0 && awaitsFirstSight(after, fact.at));
  if (!unseen) return join(seen, looked);
  return join(join(seen, looked), absent(withPatch(after, looked), missing, fact.at));
}

/** LiveKit has forgotten them, and what was to stop may record on: nobody sees it as ACTIVE any more. */
function stopUnheard(now: StoredRecording, unlisted: readonly string[], at: number): Effect[] {
  if (!isStopUnheard(now, at)) return [];
  return unlisted.map((egressId) => ({ do: 'stop-egress', egressId, why: STOP_UNHEARD }));
}

/** The start's answer said neither yes nor no, or its limit has passed, and no egress was seen yet. */
function awaitsFirstSight(now: StoredRecording, at: number): boolean {
  const { startAnswer, startPendingUntil, egresses } = now.upkeep;
  return (
    !isOver(now) &&
    !isUnsent(now) &&
    startAnswer !== 'accepted' &&
    at >= startPendingUntil &&
    Object.keys(egresses).length === 0
  );
}

function absent(now: StoredRecording, missing: readonly string[], at: number): Patch {
  const before = now.upkeep.absence;
  if (before !== null && at - before.lastAt < THRESHOLDS.absenceSpacingMs) return nothing;
  const absence = { looks: (before?.looks ?? 0) + 1, firstAt: before?.firstAt ?? at, lastAt: at };
  const counted = withPatch(now, { internal: { absence } });
  if (!isOver(now) || !isAbsenceProven(counted)) return { internal: { absence } };
  const over = Object.fromEntries(missing.map((id) => [id, 'over' as const]));
  return { internal: { absence: null, egresses: { ...now.upkeep.egresses, ...over } } };
}

function stopLive(now: StoredRecording, why: string): Effect[] {
  return liveEgresses(now).map((egressId) => ({ do: 'stop-egress', egressId, why }));
}

/** Gives the change its number, frees the slot by the slot's rule, and files what every change brings along. */
function advance(now: StoredRecording, patch: Patch, fact: Fact): Decision {
  const at = fact.at;
  // Of a deleted recording clients have seen the last: what is still found out about its egress is upkeep.
  const wanted = withPatch(now, now.upkeep.deleted ? { ...patch, visible: {} } : patch);
  const seen = heldForSegments(now, wanted, at);
  const continued = isToBeContinued(now, seen);
  const patched = continued ? withPatch(seen, { internal: { continuation: 'pending' } }) : seen;
  const deleting = patched.upkeep.deleted && !now.upkeep.deleted;
  const changed = deleting || VISIBLE_FIELDS.some((field) => patched[field] !== now[field]);
  const freed = now.upkeep.holdsSlot && mayFreeSlot(patched, at);
  const upkeepChanged = freed || JSON.stringify(patched.upkeep) !== JSON.stringify(now.upkeep);
  const effects = patch.effects ?? [];
  if (!changed && !upkeepChanged && effects.length === 0) return { kind: 'ignore' };
  const next: StoredRecording = {
    ...patched,
    version: changed ? now.version + 1 : now.version,
    updatedAt: changed ? Math.max(at, now.updatedAt) : now.updatedAt,
    rev: now.rev + 1,
    upkeep: freed ? { ...patched.upkeep, holdsSlot: false } : patched.upkeep,
  };
  const statusChanged = next.status !== now.status;
  const type = deleting ? 'DELETED' : statusChanged ? 'STATUS_CHANGED' : 'UPDATED';
  return {
    kind: 'advance',
    next,
    event: changed ? { type, previousStatus: statusChanged ? now.status : null } : null,
    effects: [...effects, ...followUps(now, next, { changed: changed && !deleting, statusChanged, at })],
  };
}

/** No client sees it, and nothing that follows would write it: a recording that comes back from its record must not go on against it. */
function isOrderedAnew({ upkeep: before }: StoredRecording, { status, upkeep }: StoredRecording): boolean {
  if (!isFinal(status) || upkeep.deleted) return false;
  return before.stopRequestedAt !== upkeep.stopRequestedAt || before.continuation !== upkeep.continuation;
}

function followUps(
  now: StoredRecording,
  next: StoredRecording,
  { changed, statusChanged, at }: { changed: boolean; statusChanged: boolean; at: number },
): Effect[] {
  const lookMs = isUnsettled(next) ? nextLookMs(next, at) : null;
  // What is new to watch has its next time at once; everything else has its own, which every run works out anew.
  const isStallOver = next.upkeep.stalledSince !== undefined && isUnsettled(now) && !isUnsettled(next);
  const atOnce =
    isStallOver ||
    (next.status === 'ACTIVE' && statusChanged) ||
    (isRecovering(next) && !isRecovering(now)) ||
    (awaitsContinuation(next) && !awaitsContinuation(now));
  return [
    ...(changed || isOrderedAnew(now, next) ? [{ do: 'write-metadata' } as const] : []),
    ...(statusChanged ? [{ do: 'signal-room', at } as const] : []),
    ...(atOnce || lookMs !== null
      ? [{ do: 'reconcile', at: atOnce ? at : at + (lookMs ?? 0) } as const]
      : []),
    ...(areSegmentsSpare(next) && !areSegmentsSpare(now) ? [{ do: 'drop-segments' } as const] : []),
    // What outlived its deletion is over now, reported or not: whatever it left in the bucket meanwhile goes.
    ...(now.upkeep.deleted && lookMs === null ? [{ do: 'finish-deletion', at } as const] : []),
  ];
}
