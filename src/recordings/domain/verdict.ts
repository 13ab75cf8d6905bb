import type { EgressSeen, EgressStatus } from '../../livekit/livekit.types.js';
import { awaitsContinuation, continuationPauseMs, isSameSession } from './continuation.js';
import { durationLimitOf, startDeadlineOf } from './deadlines.js';
import { isSourceClosed } from './egress-fact.js';
import { type Act, type Evidence, lastAskedAt, UNKNOWN_WORKER, type WorkerEvidence } from './evidence.js';
import type { Fact, MediaSeen, RoomAtEnd } from './facts.js';
import { isFinal, isOver, type StoredRecording } from './recording.js';
import { isRecovering } from './segments.js';
import { awaitsBucketLook, isAbsenceProven, nextLookMs, watchedEgresses } from './slot.js';
import { isUnsent } from './start-request.js';
import { THRESHOLDS } from './thresholds.js';

/** What has to be found out before the next decision. */
export type Question =
  /** All that LiveKit lists of this recording. `withinMs`: somebody waits for the answer. */
  | { readonly ask: 'egresses'; readonly withinMs?: number }
  | { readonly ask: 'egress'; readonly egressId: string }
  | { readonly ask: 'worker'; readonly egressId: string; readonly listed: EgressStatus }
  /** `listed` null: LiveKit lists it no more. */
  | { readonly ask: 'worker-again'; readonly egressId: string; readonly listed: EgressStatus | null }
  | { readonly ask: 'another-worker'; readonly egressId: string; readonly since: number }
  | { readonly ask: 'fleet'; readonly since: number }
  | { readonly ask: 'fleet-in-the-end'; readonly since: number }
  | { readonly ask: 'room' }
  | { readonly ask: 'publishers' }
  | { readonly ask: 'media' }
  | { readonly ask: 'continuation' };

/** Ends by something that was not there, which a wrong answer of LiveKit's looks just like: a sweep counts them first. */
export type HeldEnd = 'GONE_EGRESS' | 'STALE_RECORDING';

export type Verdict =
  /** `reason` goes to the log. */
  | { readonly do: 'apply'; readonly fact: Fact; readonly cause: string | null; readonly reason: string }
  | { readonly do: 'ask'; readonly question: Question }
  | { readonly do: 'act'; readonly act: Act }
  /** Nothing before this instant, ms; null: nothing of it is left to find out or to do. */
  | { readonly do: 'wait'; readonly until: number | null };

/** The configured times, ms. */
export interface Limits {
  readonly startTimeoutMs: number;
  readonly livekitTimeoutMs: number;
  readonly workerCheckEveryMs: number;
  readonly workerLostAfterMs: number;
  readonly staleAfterMs: number;
}

/** A recording, what is known of it, and when it is judged. */
export interface Case {
  readonly recording: StoredRecording;
  readonly evidence: Evidence;
  readonly now: number;
  readonly limits: Limits;
}

/** A part of the verdict: null leaves it to the next one. */
type Part = (of: Case) => Verdict | null;

const ask = (question: Question): Verdict => ({ do: 'ask', question });
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

/** Whoever stored the attempt asks LiveKit within moments; where it died before, another one does. */
function startNotSent({ recording, evidence, now, limits }: Case): Verdict | null {
  if (!isUnsent(recording) || isFinal(recording.status)) return null;
  const dueAt = startDeadlineOf(recording, limits.startTimeoutMs);
  if (dueAt !== null && now >= dueAt) return startTimedOut(now, limits);
  if (now - recording.requestedAt >= THRESHOLDS.unsentMs && !evidence.acted.includes('send-start'))
    return act('send-start');
  return { do: 'wait', until: now + THRESHOLDS.unsentLookMs };
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
function lookIntoBucket({ recording, evidence, now }: Case): Verdict | null {
  if (!awaitsBucketLook(recording)) return null;
  return withMedia(evidence, (media) => ({
    do: 'apply',
    fact: { kind: 'media-looked-for', media, at: now },
    cause: null,
    reason: 'what the bucket has of it',
  }));
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

/**
 * Whether the worker of each egress lives. LiveKit itself says nothing when it dies, and a recorder that is still shown in
 * the room proves nothing: only an answer is a sign of life, and only LiveKit's own word that nobody serves this egress is
 * silence. A request that failed was no question.
 */
function workers(of: Case): Verdict | null {
  for (const egressId of watchedEgresses(of.recording)) {
    const found = worker(of, egressId);
    if (found !== null) return found;
  }
  return null;
}

function worker(of: Case, egressId: string): Verdict | null {
  const { recording, evidence, now, limits } = of;
  const known = workerOf(evidence, egressId);
  const { answer, listed } = known;
  if (answer.state === 'not-asked' && now < dueToAsk(recording, known, limits)) return null;
  if (answer.state === 'unavailable') return null;
  if (answer.state === 'not-asked' && recording.status === 'ACTIVE' && recording.egressId === egressId)
    // What is most likely is asked at once; LiveKit refuses the question where it lists another status.
    return ask({ ask: 'worker', egressId, listed: 'ACTIVE' });
  if (answer.state === 'known' && answer.value.said === 'alive') return null;
  if (answer.state === 'known' && answer.value.said === 'silent') return silent(of, egressId, known);
  // The question depends on the status that LiveKit lists.
  if (evidence.looked.state === 'not-asked') return ask({ ask: 'egresses' });
  if (listed.state === 'not-asked') return ask({ ask: 'egress', egressId });
  if (listed.state === 'unavailable') return null;
  // One that LiveKit has forgotten is known by its worker alone.
  const status = listed.value?.status ?? 'ACTIVE';
  if (isFinal(status) || (answer.state === 'known' && answer.value.askedAs === status)) return null;
  return ask({ ask: 'worker', egressId, listed: status });
}

function isLongSilent({ silentAt }: WorkerEvidence, { workerLostAfterMs }: Limits): boolean {
  const lasted = (silentAt.at(-1) ?? 0) - (silentAt[0] ?? 0);
  return silentAt.length >= THRESHOLDS.leastSilences && lasted >= workerLostAfterMs;
}

function silent(of: Case, egressId: string, known: WorkerEvidence): Verdict | null {
  const { evidence, now, limits } = of;
  const { silentAt, listed } = known;
  if (!isLongSilent(known, limits)) return null;
  if (listed.state === 'not-asked') return ask({ ask: 'egress', egressId });
  if (listed.state === 'unavailable' || listed.value === null || isFinal(listed.value.status)) return null;
  const { status } = listed.value;
  const proof = proofOf(of, egressId, { listed: status, since: silentAt.at(-1) ?? 0, patient: true });
  if (proof.state === 'open') return ask(proof.question);
  if (proof.state === 'none') return null;
  if (evidence.media.state === 'not-asked') return ask({ ask: 'media' });
  // A bucket that is unavailable must not keep the meeting from being recorded further; it is looked into afterwards.
  const media = evidence.media.state === 'known' ? evidence.media.value : null;
  return {
    do: 'apply',
    fact: { kind: 'recorder-lost', egressId, media, at: now },
    cause: 'recorder-check',
    reason: `its worker has not answered since ${new Date(silentAt[0] ?? 0).toISOString()}, while ${CONTROLS[proof.control]}`,
  };
}

/** Whether the silence of one worker says anything of it. `none`: it does not, as far as can be found out now. */
type Proof =
  | { readonly state: 'none' }
  | { readonly state: 'open'; readonly question: Question }
  | { readonly state: 'proven'; readonly control: Control };
type Control = keyof typeof CONTROLS;

/** The silence that is to be proven. `patient`: LiveKit may take half a minute to say that nobody is there. */
interface Silence {
  readonly listed: EgressStatus | null;
  readonly since: number;
  readonly patient: boolean;
}

/** Somebody answers, and right after that this one is silent once more: so a message bus that was away ends nothing when it comes back. */
function proofOf(of: Case, egressId: string, silence: Silence): Proof {
  const { listed, since } = silence;
  const known = workerOf(of.evidence, egressId);
  const { another, confirmed } = known;
  if (another.state === 'not-asked')
    return { state: 'open', question: { ask: 'another-worker', egressId, since } };
  if (another.state === 'unavailable') return { state: 'none' };
  const control = another.value ? 'there' : controlOf(of, known, silence);
  if (control === null) return { state: 'none' };
  if (typeof control !== 'string') return { state: 'open', question: control };
  if (confirmed.state === 'not-asked')
    return { state: 'open', question: { ask: 'worker-again', egressId, listed } };
  return confirmed.state === 'known' && confirmed.value === 'silent'
    ? { state: 'proven', control }
    : { state: 'none' };
}

const CONTROLS = {
  there: 'other workers answer',
  left: 'its recorder has left a room in which people publish',
} as const;

/** The control: other workers answer, or the recorder has left a room that goes on. Null: nothing shows that a worker could answer. */
function controlOf(
  { recording, evidence }: Case,
  { presence }: WorkerEvidence,
  { listed, since, patient }: Silence,
): Control | Question | null {
  const { fleet, fleetInTheEnd, room } = evidence;
  if (fleet.state === 'not-asked') return { ask: 'fleet', since };
  if (fleet.state === 'known' && fleet.value) return 'there';
  // It may have left because it was stopped as soon as the message bus was back: then it is ending by now, or answers.
  if (listed !== null && listed !== 'ENDING' && presence !== 'unknown') {
    if (room.state === 'not-asked') return { ask: 'room' };
    const goesOn = room.state === 'known' && room.value.open && room.value.numPublishers > 0;
    const sameSession =
      recording.roomSid === null ||
      (room.state === 'known' && room.value.open && room.value.sid === recording.roomSid);
    if (goesOn && sameSession && (presence === 'left' || !room.value.activeRecording)) return 'left';
  }
  if (!patient) return null;
  if (fleetInTheEnd.state === 'not-asked') return { ask: 'fleet-in-the-end', since };
  return fleetInTheEnd.state === 'known' && fleetInTheEnd.value ? 'there' : null;
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
export function nextTime({ recording, evidence, now, limits }: Case): number | null {
  const times: (number | null)[] = [
    startDeadlineOf(recording, limits.startTimeoutMs),
    durationLimitOf(recording),
    recoveryTime(recording),
    deletionTime(recording, now),
    continuationTime(recording, evidence, now),
    ...watchedEgresses(recording).map((id) => workerTime(recording, workerOf(evidence, id), now, limits)),
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

function workerTime(recording: StoredRecording, known: WorkerEvidence, now: number, limits: Limits): number {
  const dueAt = dueToAsk(recording, known, limits);
  // It had its turn in this run, and nothing could be learned: it has the next one after the usual time.
  return dueAt <= now ? now + intervalOf(known, limits) : dueAt;
}

/** When its worker is asked next, ms. */
function dueToAsk(recording: StoredRecording, known: WorkerEvidence, limits: Limits): number {
  const last = lastAskedAt(known);
  if (known.nudgedAt !== null && known.nudgedAt > (last ?? 0)) return 0;
  return (last ?? reportedAt(recording)) + intervalOf(known, limits);
}

/** Before it was ever asked, what LiveKit reported of its egress is the sign of its worker's life; after a loss of Redis nothing is. */
function reportedAt({ upkeep, requestedAt }: StoredRecording): number {
  return upkeep.returned ? 0 : (upkeep.activeSince ?? requestedAt);
}

function intervalOf({ silentAt }: WorkerEvidence, limits: Limits): number {
  return silentAt.length > 0 ? limits.workerLostAfterMs / 3 : limits.workerCheckEveryMs;
}

function workerOf(evidence: Evidence, egressId: string): WorkerEvidence {
  return evidence.workers.get(egressId) ?? UNKNOWN_WORKER;
}

/** Ends are told with the media that the bucket has, which is asked for last. */
function withMedia({ media }: Evidence, then: (media: MediaSeen | null) => Verdict): Verdict | null {
  if (media.state === 'not-asked') return ask({ ask: 'media' });
  return media.state === 'unavailable' ? null : then(media.value);
}
