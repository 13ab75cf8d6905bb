import { BOUNDS } from './bounds.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The closed table of codes of the public contract. `retry`: the same call may succeed later without a change by the caller. */
export const ERROR_TABLE = {
  UNAUTHENTICATED: { http: 401, log: 'debug', retry: false },
  FORBIDDEN: { http: 403, log: 'debug', retry: false },
  BAD_USER_INPUT: { http: 400, log: 'debug', retry: false },
  ROOM_NOT_FOUND: { http: 404, log: 'debug', retry: false },
  ROOM_NOT_OPEN: { http: 409, log: 'debug', retry: false },
  ROOM_ALREADY_EXISTS: { http: 409, log: 'debug', retry: false },
  ROOM_HAS_NO_PARTICIPANTS: { http: 409, log: 'debug', retry: false },
  ROOM_HAS_RECORDINGS: { http: 409, log: 'debug', retry: false },
  ROOM_HAS_ACTIVE_RECORDING: { http: 409, log: 'debug', retry: false },
  RECORDING_DISABLED: { http: 409, log: 'debug', retry: false },
  RECORDING_NOT_FOUND: { http: 404, log: 'debug', retry: false },
  RECORDING_NOT_IN_ROOM: { http: 409, log: 'debug', retry: false },
  RECORDING_ALREADY_STARTED: { http: 409, log: 'debug', retry: false },
  RECORDING_ALREADY_STOPPED: { http: 409, log: 'debug', retry: false },
  RECORDING_CANNOT_BE_STOPPED_WHILE_STARTING: { http: 409, log: 'debug', retry: false },
  RECORDING_NOT_STOPPED: { http: 409, log: 'debug', retry: false },
  RECORDING_START_TIMEOUT: { http: 504, log: 'warn', retry: false },
  RECORDING_START_REJECTED: { http: 502, log: 'warn', retry: false },
  RECORDING_START_FAILED: { http: 502, log: 'warn', retry: false },
  MEDIA_GONE: { http: 410, log: 'debug', retry: false },
  RANGE_NOT_SATISFIABLE: { http: 416, log: 'debug', retry: false },
  CURSOR_INVALID: { http: 400, log: 'debug', retry: false },
  CURSOR_EXPIRED: { http: 410, log: 'debug', retry: false },
  IDEMPOTENCY_KEY_REUSED: { http: 409, log: 'debug', retry: false },
  LIVEKIT_UNAVAILABLE: { http: 503, log: 'error', retry: true },
  STORAGE_UNAVAILABLE: { http: 503, log: 'error', retry: true },
  REDIS_UNAVAILABLE: { http: 503, log: 'error', retry: true },
  RATE_LIMITED: { http: 429, log: 'info', retry: true },
  NOT_FOUND: { http: 404, log: 'debug', retry: false },
  API_KEY_NOT_FOUND: { http: 404, log: 'debug', retry: false },
  SHARE_LINK_NOT_FOUND: { http: 404, log: 'debug', retry: false },
  WEBHOOK_ENDPOINT_NOT_FOUND: { http: 404, log: 'debug', retry: false },
  WEBHOOK_URL_REFUSED: { http: 400, log: 'debug', retry: false },
  INTERNAL: { http: 500, log: 'error', retry: true },
} as const satisfies Record<string, { http: number; log: LogLevel; retry: boolean }>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface ErrorSubject {
  recordingId?: string;
  roomId?: string;
  /** For BAD_USER_INPUT: the input field at fault, as a path of the client's own input. */
  field?: string;
  /** For RATE_LIMITED: in s. */
  retryAfter?: number;
}

export interface ErrorOptions extends ErrorSubject {
  /** Kept for the log, never shown to a client. */
  cause?: unknown;
}

/** Every refusal or fault that reaches a client. The message is for a person: what, which and what to do. */
export class TallyError extends Error {
  readonly subject: ErrorSubject;

  constructor(
    readonly code: ErrorCode,
    message: string,
    { cause, ...subject }: ErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TallyError';
    this.subject = withoutLongIds(subject);
  }
}

/** An id that nothing can have is not repeated: it may be as long as a request. */
function withoutLongIds(subject: ErrorSubject): ErrorSubject {
  const named = Object.entries(subject).filter(
    ([, text]) => typeof text !== 'string' || text.length <= BOUNDS.id,
  );
  return Object.fromEntries(named);
}

export function isTallyError(error: unknown, code?: ErrorCode): error is TallyError {
  return error instanceof TallyError && (code === undefined || error.code === code);
}

export function badInput(field: string, problem: string): TallyError {
  return new TallyError('BAD_USER_INPUT', `${field}: ${problem}`, { field });
}
