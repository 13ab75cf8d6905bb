import type { EgressSeen } from '../../livekit/livekit.types.js';
import { awaitsContinuation, continuationPauseMs, isSameSession } from './continuation.js';
import { ask, type Case, type Limits, type Question, type Verdict } from './case.js';
import { durationLimitOf, startDeadlineOf } from './deadlines.js';
import { isSourceClosed } from './egress-fact.js';
import type { Act, Evidence } from './evidence.js';
import type { MediaSeen, RoomAtEnd } from './facts.js';
import { isFinal, isOver, type StoredRecording } from './recording.js';
import { isRecovering } from './segments.js';
import { awaitsBucketLook, isAbsenceProven, isMediaUnknown, nextLookMs, watchedEgresses } from './slot.js';
import { stall, stallTime } from './stall-verdict.js';
import { isUnsent } from './start-request.js';
import { THRESHOLDS } from './thresholds.js';
import { CONTROLS, isLongSilent, proofOf, workerOf, workers, workerTime } from './worker-verdict.js';

/** Ends by something that was not there, which a wrong answer of LiveKit's looks just like: a sweep counts them first. */
export type HeldEnd = 'GONE_EGRESS' | 'STALE_RECORDING';

/** A part of the verdict: null leaves it to the next one. */
type Part = (of: Case) => Verdict | null;

const act = (what: Act): Verdict => ({ do: 'act', act: what });

/**
 * THE judge: what follows from all that is known of a recording. Pure. It asks only what the next decision needs, and never
 * decides on a part of what it has: an answer by id outweighs a list, an answer of the worker outweighs any silence.
 */
export function verdict(of: Case): Verdict {
  return (
    firstOf(
      [
        seen,
        startNotSent,
        look,
        startDeadline,
        durationLimit,
        neverAccepted,
        lookIntoBucket,
        workers,
        stall,
        recovery,
        deletion,
        continuation,
      ],
      of,
    ) ?? { do: 'wait', until: nextTime(of) }
  );
}

/** The same, of what was just seen alone. */
export function verdictOfSighting(of: Case): Verdict {
  return seen(of) ?? { do: 'wait', until: null };
}

/** The same, of one look at LiveKit and the bucket, whatever the recording waits for. */
export function verdictOfLook(of: Case): Verdict {
  return firstOf([seen, lookAnyway, neverAccepted, lookIntoBucket], of) ?? { do: 'wait', until: null };
}

/**
 * The same, where LiveKit answered a stop with "no such egress": it ends the recording only where its worker is proven not to
 * serve it; a worker that can't be reached is stopped by the removal of its recorder, like any whose stop was left open.
 */
export function verdictOfStopNotFound(of: Case): Verdict {
  return firstOf([seen, stopNotFound], of) ?? { do: 'wait', until: null };
}

/** Ends a recording by what was not there, once the sweep that saw all of them has let it through. */
export function verdictOfHeldEnd(held: HeldEnd): (of: Case) => Verdict {
  const part = held === 'GONE_EGRESS' ? goneEgress : staleRecording;
  return (of) => firstOf([seen, part], of) ?? { do: 'wait', until: null };
}

/** Whether a recording is to be ended so, as far as is known; the sweep asks it of all before it ends any. */
export function isHeldEnd(held: HeldEnd, of: Case): boolean {
  if (isOver(of.recording)) return false;
  return held === 'GONE_EGRESS' ? isGone(of) : isStale(of);
}

/** LiveKit lists its egresses no more, and nobody has answered for them for long. */
function isGone({ recording, evidence, limits }: Case): boolean {
  if (Object.keys(recording.upkeep.egresses).length === 0 || !isAbsenceProven(recording)) return false;
  return watchedEgresses(recording).every((id) => isLongSilent(workerOf(evidence, id), limits));
}

function isStale({ recording, evidence, now, limits }: Case): boolean {
  const { room } = evidence;
  const deserted = room.state === 'known' && (!room.value.open || room.value.numPublishers === 0);
  if (!deserted) return false;
  const { heardAt } = workerOf(evidence, recording.egressId ?? '');
  return now - Math.max(recording.updatedAt, heardAt ?? 0) > limits.staleAfterMs;
}

function firstOf(parts: readonly Part[], of: Case): Verdict | null {
  for (const part of parts) {
    const found = part(of);
    if (found !== null) return found;
  }
  return null;
}

/** What LiveKit showed is taken over. Where a source closed, the room says whether the meeting is over or the recorder is out. */
function seen({ recording, evidence, now }: Case): Verdict | null {
  const { sighting } = evidence;
  if (sighting === null) return null;
  const closed = sighting.egresses.find(isSourceClosed);
  // How it ended is decided once.
  const room = isOver(recording) ? 'over' : roomAtEnd(evidence, closed ?? null);
  if (room === 'unavailable') return null;
  if (typeof room !== 'string') return ask(room);
  const [egress] = sighting.egresses;
  if (sighting.complete) {
    // Whoever is watched is asked at once: one that has not been silent yet is not missing.
    const alive = watchedEgresses(recording).filter((id) => workerOf(evidence, id).silentAt.length === 0);
    const { egresses, at } = sighting;
    const fact = { kind: 'egresses-listed', egresses, alive, room, at } as const;
    return { do: 'apply', fact, cause: null, reason: 'what LiveKit lists' };
  }
  if (egress === undefined) return null;
  return {
    do: 'apply',
    fact: { kind: 'egress-seen', egress, room, at: now },
    cause: null,
    reason: 'what LiveKit shows of its egress',
  };
}

function roomAtEnd(
  { room, publishes }: Evidence,
  closed: EgressSeen | null,
): RoomAtEnd | Question | 'unavailable' {
  if (closed === null) return 'over';
  if (room.state === 'not-asked') return { ask: 'room' };
  if (room.state === 'unavailable') return 'unavailable';
  if (!room.value.open || (closed.roomSid !== null && room.value.sid !== closed.roomSid)) return 'over';
  // Counts are some seconds old; who is there is asked.
  if (publishes.state === 'not-asked') return { ask: 'publishers' };
  if (publishes.state === 'unavailable') return 'unavailable';
  return publishes.value ? 'goes-on' : 'over';
}

/**
 * Whoever stored the attempt asks LiveKit within moments; where it died before, another one does. A Redis that was set back has
 * forgotten what was sent: so LiveKit is looked at first.
 */
function startNotSent(of: Case): Verdict | null {
  const { recording, evidence, now, limits } = of;
  if (!isUnsent(recording) || isFinal(recording.status)) return null;
  const dueAt = startDeadlineOf(recording, limits.startTimeoutMs);
  const isOverdue = dueAt !== null && now >= dueAt;
  const isLeft = now - recording.requestedAt >= THRESHOLDS.unsentMs && !evidence.acted.includes('send-start');
  if ((isOverdue || isLeft) && evidence.looked.state === 'not-asked') return lookAnyway(of);
  if (isOverdue) return startTimedOut(now, limits);
  if (isLeft && evidence.looked.state === 'known') return act('send-start');
  return { do: 'wait', until: nextTime(of) };
}

function look(of: Case): Verdict | null {
  if (nextLookMs(of.recording, of.now) === null) return null;
  return lookAnyway(of);
}

function lookAnyway({ recording, evidence, now, limits }: Case): Verdict | null {
  if (evidence.looked.state !== 'not-asked') return null;
  const dueAt = startDeadlineOf(recording, limits.startTimeoutMs);
  // A LiveKit that does not answer must not hold the caller far beyond its time; a look that comes late still counts afterwards.
  const withinMs = dueAt === null ? {} : { withinMs: Math.max(dueAt - now, 0) + limits.livekitTimeoutMs };
  return ask({ ask: 'egresses', ...withinMs });
}

/** One look at LiveKit came first: an egress that is active by then makes the recording ACTIVE. */
function startDeadline({ recording, now, limits }: Case): Verdict | null {
  const dueAt = startDeadlineOf(recording, limits.startTimeoutMs);
  return dueAt !== null && now >= dueAt ? startTimedOut(now, limits) : null;
}

function startTimedOut(now: number, { startTimeoutMs }: Limits): Verdict {
  const fact = { kind: 'start-deadline-passed', waitedMs: startTimeoutMs, at: now } as const;
  return {
    do: 'apply',
    fact,
    cause: 'timeout',
    reason: 'its start took longer than RECORDING_START_TIMEOUT',
  };
}

function durationLimit({ recording, now }: Case): Verdict | null {
  const dueAt = durationLimitOf(recording);
  if (dueAt === null || now < dueAt) return null;
  const fact = { kind: 'duration-limit-passed', at: now } as const;
  return { do: 'apply', fact, cause: 'limit', reason: 'its maximum duration is over' };
}

/** No egress of it was ever seen, long after every answer: what LiveKit made of the request is nothing. */
function neverAccepted({ recording, evidence, now }: Case): Verdict | null {
  if (isOver(recording) || evidence.looked.state !== 'known') return null;
  // An egress that we know and that is missing is ended by the sweep, which sees all of them: one wrong answer hides many.
  if (Object.keys(recording.upkeep.egresses).length > 0 || !isAbsenceProven(recording)) return null;
  return withMedia(evidence, (media) => ({
    do: 'apply',
    fact: { kind: 'egress-gone', proof: 'absence', media, at: now },
    cause: null,
    reason: 'LiveKit lists no egress of it, long after the last moment at which one could appear',
  }));
}

function stopNotFound(of: Case): Verdict | null {
  const { recording, evidence, now } = of;
  const { egressId } = recording;
  if (!evidence.stopNotFound || egressId === null || isOver(recording)) return null;
  const { listed } = workerOf(evidence, egressId);
  if (listed.state === 'not-asked') return ask({ ask: 'egress', egressId });
  if (listed.state === 'unavailable' || listed.value !== null) return null;
  // Whoever waits for the answer to a stop does not wait for half a minute for a fleet that says nothing.
  const proof = proofOf(of, egressId, { listed: null, since: now, patient: false });
  if (proof.state === 'open') return ask(proof.question);
  if (proof.state === 'none') return null;
  return withMedia(evidence, (media) => ({
    do: 'apply',
    fact: { kind: 'egress-gone', proof: 'not-found', media, at: now },
    cause: null,
    reason: `LiveKit knows its egress no more, and nobody answers for it, while ${CONTROLS[proof.control]}`,
  }));
}

/** All is over and no media was reported: an egress may have left some all the same. */
function lookIntoBucket(of: Case): Verdict | null {
  const { recording, evidence, now } = of;
  if (!awaitsBucketLook(recording) && !isLeftBySilence(of)) return null;
  return withMedia(evidence, (media) => ({
    do: 'apply',
    fact: { kind: 'media-looked-for', media, at: now },
    cause: null,
    reason: 'what the bucket has of it',
  }));
}

/**
 * Its egress has been silent for so long that its end will not be told, and whether it died can't be proven, as while no room is
 * open to ask for another worker in: what it left is not hidden for that.
 */
function isLeftBySilence({ recording, evidence, now, limits }: Case): boolean {
  const watched = watchedEgresses(recording);
  return (
    isMediaUnknown(recording) &&
    watched.length > 0 &&
    now - recording.updatedAt > limits.staleAfterMs &&
    watched.every((id) => isLongSilent(workerOf(evidence, id), limits))
  );
}

/**
 * An egress that LiveKit has forgotten may record all the same: whoever answers for it is not gone, and neither is one that
 * can't be reached. So its silence is proven like that of one that is listed.
 */
function goneEgress(of: Case): Verdict | null {
  const { recording, evidence, now } = of;
  if (!isHeldEnd('GONE_EGRESS', of)) return null;
  for (const egressId of watchedEgresses(recording)) {
    const { answer, silentAt } = workerOf(evidence, egressId);
    if (answer.state === 'not-asked') return ask({ ask: 'worker', egressId, listed: 'ACTIVE' });
    if (answer.state === 'unavailable') return null;
    // Who says that it ends already is its worker: LiveKit itself has no status of it any more.
    if (answer.value.said === 'alive' || answer.value.said === 'not-askable') return null;
    const proof = proofOf(of, egressId, { listed: null, since: silentAt.at(-1) ?? now, patient: true });
    if (proof.state === 'open') return ask(proof.question);
    if (proof.state === 'none') return null;
  }
  return withMedia(evidence, (media) => ({
    do: 'apply',
    fact: { kind: 'egress-gone', proof: 'absence', media, at: now },
    cause: null,
    reason:
      'LiveKit has listed its egress no more for several looks, and nobody answers for it while others do',
  }));
}

/** It has neither reported nor answered for long, and nobody publishes: a coffee break, with a worker that answers, is none. */
function staleRecording(of: Case): Verdict | null {
  if (!isHeldEnd('STALE_RECORDING', of)) return null;
  return withMedia(of.evidence, (media) => ({
    do: 'apply',
    fact: { kind: 'egress-gone', proof: 'silence', media, at: of.now },
    cause: null,
    reason: 'it has neither reported nor answered for STALE_AFTER, and nobody publishes in its room',
  }));
}

/** Its segments are joined by a job of their own: it takes minutes, and whoever does it may die. */
function recovery({ recording, now }: Case): Verdict | null {
  const dueAt = recoveryTime(recording);
  if (dueAt === null || now < dueAt) return null;
  const { since = now } = recording.upkeep.recovery ?? {};
  if (now - since >= THRESHOLDS.recoveryGiveUpMs) {
    const why = 'they could not be joined within a day; the log says why';
    return {
      do: 'apply',
      fact: { kind: 'segments-unusable', why, folder: null, at: now },
      cause: 'recovery',
      reason: 'its segments could not be joined within a day',
    };
  }
  return {
    do: 'apply',
    fact: { kind: 'recovery-due', at: now },
    cause: 'recovery',
    reason: 'its file did not come, and its segments are there',
  };
}

/** Null: nothing is to be joined. */
function recoveryTime(recording: StoredRecording): number | null {
  if (!isRecovering(recording)) return null;
  const { askedAt = null } = recording.upkeep.recovery ?? {};
  return askedAt === null ? 0 : askedAt + THRESHOLDS.recoveryOverdueMs;
}

/** One whose process died meanwhile is finished by somebody else. */
function deletion({ recording, evidence, now }: Case): Verdict | null {
  const { deletion: wanted, deleted } = recording.upkeep;
  if (wanted === null || deleted || evidence.acted.includes('finish-deletion')) return null;
  return now >= wanted.requestedAt + THRESHOLDS.deletionOverdueMs ? act('finish-deletion') : null;
}

/** It ended although nobody ordered it: it goes on in the same session of the room, while somebody publishes there. */
function continuation({ recording, evidence, now }: Case): Verdict | null {
  if (!awaitsContinuation(recording) || recording.upkeep.deleted) return null;
  const { continuation: terms, room } = evidence;
  if (evidence.acted.includes('continue')) return null;
  if (terms.state === 'not-asked') return ask({ ask: 'continuation' });
  if (terms.state === 'unavailable') return null;
  const { wanted, endedInARow } = terms.value;
  if (!wanted) return giveUp(now, 'its room is not to be recorded further');
  if (endedInARow >= THRESHOLDS.mostInARow)
    return giveUp(now, `${endedInARow} recordings in a row ended by themselves`);
  const endedAt = recording.endedAt ?? recording.updatedAt;
  if (now < endedAt + continuationPauseMs(endedInARow)) return null;
  if (room.state === 'not-asked') return ask({ ask: 'room' });
  if (room.state === 'unavailable') return null;
  if (room.value.open && !isSameSession(recording, room.value))
    return giveUp(now, 'the meeting is over; another one is in its room');
  if (room.value.open && room.value.numPublishers > 0) return act('continue');
  if (now - endedAt < THRESHOLDS.giveUpMs) return null;
  return giveUp(now, 'nobody has published in the room for long');
}

function giveUp(now: number, why: string): Verdict {
  return {
    do: 'apply',
    fact: { kind: 'continuation-given-up', at: now },
    cause: 'recorder-lost',
    reason: `the room is not recorded further: ${why}`,
  };
}

/** When something of it has its time, ms; null: nothing has. */
export function nextTime(of: Case): number | null {
  const { recording, evidence, now, limits } = of;
  const times: (number | null)[] = [
    startDeadlineOf(recording, limits.startTimeoutMs),
    durationLimitOf(recording),
    stallTime(recording, evidence, now, limits),
    recoveryTime(recording),
    deletionTime(recording, now),
    continuationTime(recording, evidence, now),
    ...watchedEgresses(recording).map((id) => workerTime(of, id)),
  ];
  const lookMs = nextLookMs(recording, now);
  if (lookMs !== null)
    times.push(now + (evidence.looked.state === 'unavailable' ? THRESHOLDS.askAgainMs : lookMs));
  // Seen, and not to be applied before the room could be asked; or ended, and not to be told before the bucket could.
  if (evidence.sighting !== null || evidence.media.state === 'unavailable')
    times.push(now + THRESHOLDS.askAgainMs);
  const due = times.filter((time) => time !== null);
  return due.length === 0 ? null : Math.min(...due);
}

function deletionTime({ upkeep }: StoredRecording, now: number): number | null {
  if (upkeep.deletion === null || upkeep.deleted) return null;
  return Math.max(
    upkeep.deletion.requestedAt + THRESHOLDS.deletionOverdueMs,
    now + THRESHOLDS.deletionGraceMs,
  );
}

function continuationTime(recording: StoredRecording, evidence: Evidence, now: number): number | null {
  if (!awaitsContinuation(recording) || recording.upkeep.deleted) return null;
  const { continuation: terms } = evidence;
  const pauseMs = terms.state === 'known' ? continuationPauseMs(terms.value.endedInARow) : 0;
  const endedAt = recording.endedAt ?? recording.updatedAt;
  return Math.max(endedAt + pauseMs, now + THRESHOLDS.continueAgainMs);
}

/** Ends are told with the media that the bucket has, which is asked for last. */
function withMedia({ media }: Evidence, then: (media: MediaSeen | null) => Verdict): Verdict | null {
  if (media.state === 'not-asked') return ask({ ask: 'media' });
  return media.state === 'unavailable' ? null : then(media.value);
}
