import { EgressInfo } from '@livekit/protocol';
import { TallyError } from '../kernel/errors.js';
import { meaningOf, sanitizeEgressError } from './egress-errors.js';
import { parseEgressStatus, toEgressSeen } from './livekit.mapping.js';
import type { EgressStatus, FleetAnswer, StartOutcome, StopOutcome, WorkerAnswer } from './livekit.types.js';
import {
  TOO_LARGE,
  type TwirpAnswer,
  type TwirpCode,
  type TwirpRefusal,
  type TwirpSilence,
} from './twirp.js';

/** One request as its error messages name it. */
export interface Asked {
  /** `ListRooms` */
  readonly name: string;
  readonly limitMs: number;
}

type NotOk = TwirpRefusal | TwirpSilence;

function isRefusal(answer: NotOk, code: TwirpCode): answer is TwirpRefusal {
  return answer.kind === 'error' && answer.code === code;
}

/** Of 4xx those that leave it open whether the request goes on: timeouts, a conflict, a caller who went away. */
const OPEN_STATUS = new Set([408, 409, 425, 499]);

/**
 * A proxy's own 502, 503 or 504 says that it waited no longer; the request may go on behind it, so only what LiveKit
 * says itself counts as an answer. A refusal with 4xx has come no further than to who refused it.
 */
export function toStartOutcome(answer: TwirpAnswer<EgressInfo>, asked: Asked): StartOutcome {
  if (answer.kind === 'ok') return { kind: 'accepted', egress: toEgressSeen(answer.message) };
  const why = explained(answer, asked);
  if (answer.kind === 'silence') return { kind: 'unknown', answered: false, status: null, why };
  const { status, code } = answer;
  const isDefinite = status >= 400 && status < 500 && !OPEN_STATUS.has(status);
  if (isDefinite) return { kind: 'refused', status, why };
  return { kind: 'unknown', answered: code !== null, status, why };
}

export function toStopOutcome(answer: TwirpAnswer<EgressInfo>, asked: Asked): StopOutcome {
  if (answer.kind === 'ok') return { kind: 'stopping', egress: toEgressSeen(answer.message) };
  if (isRefusal(answer, 'not_found')) return { kind: 'not-known' };
  // Older servers say "unavailable" where newer ones say "deadline exceeded".
  if (isRefusal(answer, 'deadline_exceeded') || isRefusal(answer, 'unavailable')) {
    return { kind: 'no-answer-from-worker' };
  }
  const status = isRefusal(answer, 'failed_precondition') ? statusNamedIn(answer) : null;
  if (status !== null) return { kind: 'not-stoppable', status };
  throw unavailable(answer, asked);
}

/** The answer to UpdateStream without anything to update. */
export function toWorkerAnswer(answer: TwirpAnswer<unknown>, asked: Asked): WorkerAnswer {
  if (answer.kind === 'ok' || isRefusal(answer, 'invalid_argument')) return 'alive';
  if (isRefusal(answer, 'unavailable')) return 'silent';
  if (isRefusal(answer, 'failed_precondition')) return 'not-askable';
  if (isRefusal(answer, 'not_found')) return 'not-known';
  throw unavailable(answer, asked);
}

/** The answer to StopEgress for an egress that is ENDING. */
export function toEndingWorkerAnswer(answer: TwirpAnswer<EgressInfo>, asked: Asked): WorkerAnswer {
  const outcome = toStopOutcome(answer, asked);
  switch (outcome.kind) {
    case 'stopping':
      return 'alive';
    case 'no-answer-from-worker':
      return 'silent';
    case 'not-stoppable':
      return outcome.status === 'ENDING' ? 'silent' : 'not-askable';
    case 'not-known':
      return 'not-known';
  }
}

/** The answer to a start without any output, which only a worker can refuse, or take: what it took has to be stopped. */
export function toFleetAnswer(answer: TwirpAnswer<EgressInfo>, asked: Asked): FleetAnswer {
  if (answer.kind === 'ok' || isRefusal(answer, 'invalid_argument')) return 'there';
  if (isRefusal(answer, 'not_found')) return 'room-not-open';
  if (isRefusal(answer, 'unavailable')) return 'nobody';
  throw unavailable(answer, asked);
}

/** The message, null where LiveKit says "not found"; throws for everything else. */
export function orNotFound<T>(answer: TwirpAnswer<T>, asked: Asked): T | null {
  if (answer.kind === 'ok') return answer.message;
  if (isRefusal(answer, 'not_found')) return null;
  throw unavailable(answer, asked);
}

export function orThrow<T>(answer: TwirpAnswer<T>, asked: Asked): T {
  if (answer.kind === 'ok') return answer.message;
  throw unavailable(answer, asked);
}

/** The message is our own sentence, for clients; the cause holds what may be read of LiveKit's, for the log. */
function unavailable(answer: NotOk, asked: Asked): TallyError {
  const cause = new Error(describe(answer, asked));
  cause.name = 'LiveKitAnswer';
  return new TallyError('LIVEKIT_UNAVAILABLE', sentence(answer, asked), { cause });
}

function sentence(answer: NotOk, { name, limitMs }: Asked): string {
  if (answer.kind === 'silence') {
    if (answer.timedOut) return `LiveKit did not answer ${name} within ${limitMs / 1_000} s`;
    if (answer.reason === TOO_LARGE) return `what LiveKit answered ${name} is larger than is ever read`;
    return `LiveKit can't be reached (${answer.reason}); check LIVEKIT_URL`;
  }
  if (answer.status === 401) {
    return 'LiveKit refused our credentials; check LIVEKIT_API_KEY and LIVEKIT_API_SECRET';
  }
  if (answer.code === null || answer.code === 'bad_route') {
    return `what answered ${name} with ${answer.status} does not speak like LiveKit; check LIVEKIT_URL`;
  }
  return `LiveKit answered ${name} with ${answer.status}`;
}

/** A 401 keeps its text to itself: it may name our key or hold our token. */
function describe(answer: NotOk, asked: Asked): string {
  const own = sentence(answer, asked);
  if (answer.kind === 'silence' || answer.status === 401 || answer.code === null) return own;
  const words = sanitizeEgressError(wordsOf(answer));
  return [own, answer.code, ...(words ? [words] : [])].join(': ');
}

/** As `describe`, behind what it means and what to do, where that is known. */
function explained(answer: NotOk, asked: Asked): string {
  const described = describe(answer, asked);
  const meaning = answer.kind === 'error' && answer.status !== 401 ? meaningOf(wordsOf(answer)) : null;
  return meaning === null ? described : `${meaning}: ${described}`;
}

/** What came over LiveKit's message bus has a few words before it. */
function wordsOf({ msg }: TwirpRefusal): string {
  return (msg ?? '').replace(/^twirp error \w+: /, '');
}

/** From `egress with status EGRESS_COMPLETE cannot be stopped`, whatever stands before it. */
function statusNamedIn(refusal: TwirpRefusal): EgressStatus | null {
  const word = /\bEGRESS_[A-Z_]+\b/.exec(refusal.msg ?? '')?.[0];
  return word ? parseEgressStatus(word) : null;
}
