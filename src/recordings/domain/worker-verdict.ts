import type { EgressStatus } from '../../livekit/livekit.types.js';
import { ask, type Case, type Limits, type Question, type Verdict } from './case.js';
import { type Evidence, isStill, lastAskedAt, UNKNOWN_WORKER, type WorkerEvidence } from './evidence.js';
import { isFinal, type StoredRecording } from './recording.js';
import { watchedEgresses } from './slot.js';
import { THRESHOLDS } from './thresholds.js';

/**
 * Whether the worker of each egress lives. LiveKit itself says nothing when it dies, and a recorder that is still shown in
 * the room proves nothing: only an answer is a sign of life, and only LiveKit's own word that nobody serves this egress is
 * silence. A request that failed was no question.
 */
export function workers(of: Case): Verdict | null {
  for (const egressId of watchedEgresses(of.recording)) {
    const found = worker(of, egressId);
    if (found !== null) return found;
  }
  return null;
}

function worker(of: Case, egressId: string): Verdict | null {
  const { recording, evidence, now } = of;
  const known = workerOf(evidence, egressId);
  const { answer, listed } = known;
  if (answer.state === 'not-asked' && now < dueToAsk(of, egressId)) return null;
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

export function isLongSilent(
  { silentAt }: Pick<WorkerEvidence, 'silentAt'>,
  { workerLostAfterMs }: Pick<Limits, 'workerLostAfterMs'>,
): boolean {
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
export function proofOf(of: Case, egressId: string, silence: Silence): Proof {
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

export const CONTROLS = {
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

export function workerTime(of: Case, egressId: string): number {
  const dueAt = dueToAsk(of, egressId);
  // It had its turn in this run, and nothing could be learned: it has the next one after the usual time.
  return dueAt <= of.now ? of.now + intervalOf(of, egressId) : dueAt;
}

/** When its worker is asked next, ms. */
function dueToAsk(of: Case, egressId: string): number {
  const known = workerOf(of.evidence, egressId);
  const last = lastAskedAt(known);
  if (known.nudgedAt !== null && known.nudgedAt > (last ?? 0)) return 0;
  return (last ?? reportedAt(of.recording)) + intervalOf(of, egressId);
}

/** Before it was ever asked, what LiveKit reported of its egress is the sign of its worker's life; after a loss of Redis nothing is. */
function reportedAt({ upkeep, requestedAt }: StoredRecording): number {
  return upkeep.returned ? 0 : (upkeep.activeSince ?? requestedAt);
}

/** One whose media does not come is asked as often as one that was silent. */
function intervalOf({ recording, evidence, limits }: Case, egressId: string): number {
  const { progress } = evidence.segments;
  const isInDoubt =
    workerOf(evidence, egressId).silentAt.length > 0 ||
    (egressId === recording.egressId && progress.state === 'known' && isStill(progress.value));
  return isInDoubt ? limits.workerLostAfterMs / 3 : limits.workerCheckEveryMs;
}

export function workerOf(evidence: Evidence, egressId: string): WorkerEvidence {
  return evidence.workers.get(egressId) ?? UNKNOWN_WORKER;
}
