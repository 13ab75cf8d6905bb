import { EgressInfo } from '@livekit/protocol';
import { TallyError } from '../kernel/errors.js';
import { parseEgressStatus, sanitizeEgressError, toEgressSeen } from './livekit.mapping.js';
import type { EgressStatus, FleetAnswer, StartOutcome, StopOutcome, WorkerAnswer } from './livekit.types.js';
import type { TwirpAnswer, TwirpRefusal, TwirpSilence } from './twirp.js';

/** One request as its error messages name it. */
export interface Asked {
  /** `ListRooms` */
  readonly name: string;
  readonly limitMs: number;
}

type NotOk = TwirpRefusal | TwirpSilence;

/**
 * Twirp's codes with the HTTP status each comes with. Both must be right: a proxy before LiveKit answers 404 and 503
 * in its own name, which says nothing about an egress.
 */
const CODE_STATUS = {
  invalid_argument: 400,
  not_found: 404,
  deadline_exceeded: 408,
  failed_precondition: 412,
  unavailable: 503,
} as const;

function isRefusal(answer: NotOk, code: keyof typeof CODE_STATUS): answer is TwirpRefusal {
  return answer.kind === 'error' && answer.code === code && answer.status === CODE_STATUS[code];
}

export function toStartOutcome(answer: TwirpAnswer<EgressInfo>, asked: Asked): StartOutcome {
  if (answer.kind === 'ok') return { kind: 'accepted', egress: toEgressSeen(answer.message) };
  const why = describe(answer, asked);
  if (answer.kind === 'silence') return { kind: 'unknown', answered: false, status: null, why };
  const { status } = answer;
  const isDefinite = status >= 400 && status < 500 && status !== 408 && status !== 409;
  if (isDefinite) return { kind: 'refused', status, why };
  // A proxy's own 502, 503 or 504 ends nothing: the request may still be on its way behind it.
  return { kind: 'unknown', answered: answer.code !== null, status, why };
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

/** The answer to a start without any output, which only a worker can refuse. */
export function toFleetAnswer(answer: TwirpAnswer<unknown>, asked: Asked): FleetAnswer {
  if (answer.kind !== 'ok') {
    if (isRefusal(answer, 'invalid_argument')) return 'there';
    if (isRefusal(answer, 'not_found')) return 'room-not-open';
    if (isRefusal(answer, 'unavailable')) return 'nobody';
    throw unavailable(answer, asked);
  }
  throw new TallyError('LIVEKIT_UNAVAILABLE', `LiveKit accepted a ${asked.name} without an output`);
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
  const words = sanitizeEgressError((answer.msg ?? '').replace(/^twirp error \w+: /, ''));
  return [own, sanitizeEgressError(answer.code), ...(words ? [words] : [])].join(': ');
}

/** From `egress with status EGRESS_COMPLETE cannot be stopped`, whatever stands before it. */
function statusNamedIn(refusal: TwirpRefusal): EgressStatus | null {
  const word = /\bEGRESS_[A-Z_]+\b/.exec(refusal.msg ?? '')?.[0];
  return word ? parseEgressStatus(word) : null;
}
