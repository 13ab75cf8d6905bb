import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { SystemClock } from '../kernel/clock.js';
import { type LiveKitOutcome, emitTelemetry } from '../kernel/telemetry.js';
import { failSpan, traced } from '../kernel/tracing.js';

export type TwirpMethod = `${'Egress' | 'RoomService'}/${string}`;

/** Twirp's error codes with the HTTP status that each comes with. */
export const TWIRP_STATUS = {
  canceled: 408,
  unknown: 500,
  invalid_argument: 400,
  malformed: 400,
  deadline_exceeded: 408,
  not_found: 404,
  bad_route: 404,
  already_exists: 409,
  permission_denied: 403,
  unauthenticated: 401,
  resource_exhausted: 429,
  failed_precondition: 412,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
} as const;

export type TwirpCode = keyof typeof TWIRP_STATUS;

/**
 * What became of one request, as data: who asks decides which answer means what.
 * `code` and `msg` come from a JSON error body whose code is Twirp's and fits its status: LiveKit's own word. Else they
 * are null, since a proxy before LiveKit answers 404 and 503 in its own name, and the body was not read: one of
 * LiveKit's echoes our token. `msg` is LiveKit's own text and goes through `sanitizeEgressError` before anybody sees it.
 */
export type TwirpAnswer<T> = { readonly kind: 'ok'; readonly message: T } | TwirpRefusal | TwirpSilence;

/** Also a 200 that can't be read: then without a code. */
export interface TwirpRefusal {
  readonly kind: 'error';
  readonly status: number;
  readonly code: TwirpCode | null;
  readonly msg: string | null;
}

/** No answer, or only a part of one. `reason` is a name (ECONNREFUSED, TimeoutError, TOO_LARGE), never a text of LiveKit's. */
export interface TwirpSilence {
  readonly kind: 'silence';
  readonly timedOut: boolean;
  readonly reason: string;
}

export interface TwirpRequest<T> {
  readonly method: TwirpMethod;
  readonly message: { toJsonString(): string };
  readonly answer: {
    fromJsonString(json: string, options: { ignoreUnknownFields: boolean }): T | Promise<T>;
  };
  readonly grant: VideoGrant;
  readonly limitMs: number;
  /** LiveKit is told the limit as well, and begins nothing for this request once it is over. */
  readonly tellLimit?: boolean;
  /** How long an answer may be; 1 MiB unless said otherwise. */
  readonly mostBytes?: number;
}

/** A timer of Node that is to take longer rings at once; no connection waits for weeks. */
const LONGEST_LIMIT_MS = 2 ** 31 - 1;

/** The reason of an answer that was not read to its end. */
export const TOO_LARGE = 'TOO_LARGE';

const MOST_BYTES = 1024 * 1024;

/** livekit-server ends the request's context after so many ms (protocol, utils/xtwirp/timeout.go), whoever still waits for it. */
export const LIMIT_HEADER = 'x-twirp-timeout-ms';

/** A token must outlive the longest request and a clock that is off. */
const TOKEN_TTL = '10m';
/** For so long the next request with the same grant shows the same one: a signature costs more than the rest of a request. */
const TOKEN_REUSED_MS = 60_000;
const MOST_TOKENS = 256;
/** Tokens are signed by this machine's clock. */
const LOCAL = new SystemClock();

/**
 * One Twirp request over HTTP, asked once. The SDK's own clients throw for every answer but 200, read the error bodies
 * into their messages, refuse a start without an output and repeat requests elsewhere when an answer was lost; a
 * repeated start is a second recording.
 */
export class TwirpConnection {
  /** By grant, the oldest first. */
  private readonly tokens = new Map<string, { readonly jwt: Promise<string>; readonly from: number }>();

  constructor(private readonly server: { url: string; apiKey: string; apiSecret: string }) {}

  async ask<T>(request: TwirpRequest<T>): Promise<TwirpAnswer<T>> {
    const begun = performance.now();
    const { method } = request;
    const attributes = { 'rpc.system.name': 'twirp', 'rpc.method': `livekit.${method}` };
    return await traced(
      `livekit ${method}`,
      attributes,
      async (span) => {
        const answer = await this.askOnce(request);
        const outcome = outcomeOf(answer);
        const seconds = (performance.now() - begun) / 1_000;
        emitTelemetry('livekit-request', { method, outcome, seconds });
        if (answer.kind === 'error') span.setAttribute('http.response.status_code', answer.status);
        // "No such egress" is an answer like another one.
        if (outcome !== 'ok' && outcome !== 'refused') failSpan(span, outcome);
        return answer;
      },
      'of-another',
    );
  }

  private async askOnce<T>(request: TwirpRequest<T>): Promise<TwirpAnswer<T>> {
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${await this.token(request.grant)}`,
      ...(request.tellLimit && { [LIMIT_HEADER]: String(Math.max(1, Math.floor(request.limitMs))) }),
    };
    const body = request.message.toJsonString();
    let received: { response: Response; text: string | null };
    try {
      const response = await fetch(this.addressOf(request.method), {
        method: 'POST',
        headers,
        body,
        // A redirected POST comes back as a GET, whose 404 would look like LiveKit's "not found".
        redirect: 'manual',
        signal: AbortSignal.timeout(Math.min(request.limitMs, LONGEST_LIMIT_MS)),
      });
      received = { response, text: await readJsonText(response, request.mostBytes ?? MOST_BYTES) };
    } catch (error) {
      return toSilence(error);
    }
    return toAnswer(received.response, received.text, request);
  }

  private token(grant: VideoGrant): Promise<string> {
    const key = JSON.stringify(grant);
    const known = this.tokens.get(key);
    const now = LOCAL.now();
    // A clock that was set back signs anew.
    if (known && now >= known.from && now < known.from + TOKEN_REUSED_MS) return known.jwt;
    const token = new AccessToken(this.server.apiKey, this.server.apiSecret, { ttl: TOKEN_TTL });
    token.addGrant(grant);
    const jwt = token.toJwt();
    this.tokens.delete(key);
    this.tokens.set(key, { jwt, from: now });
    if (this.tokens.size > MOST_TOKENS) this.tokens.delete(this.tokens.keys().next().value!);
    return jwt;
  }

  private addressOf(method: TwirpMethod): string {
    return `${this.server.url.replace(/^ws/, 'http').replace(/\/+$/, '')}/twirp/livekit.${method}`;
  }
}

function outcomeOf(answer: TwirpAnswer<unknown>): LiveKitOutcome {
  if (answer.kind === 'ok') return 'ok';
  if (answer.kind === 'silence') return answer.timedOut ? 'timeout' : 'unreachable';
  return answer.status >= 400 && answer.status < 500 ? 'refused' : 'failed';
}

/** Null: not declared as JSON, and so not read at all. Throws TooLarge as soon as more has come than may. */
async function readJsonText(response: Response, mostBytes: number): Promise<string | null> {
  if (!response.headers.get('content-type')?.startsWith('application/json')) {
    await response.body?.cancel();
    return null;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    // Leaving the loop ends the connection.
    if (length > mostBytes) throw new TooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

class TooLarge extends Error {
  readonly code = TOO_LARGE;
}

async function toAnswer<T>(
  response: Response,
  text: string | null,
  request: TwirpRequest<T>,
): Promise<TwirpAnswer<T>> {
  const { status } = response;
  const unread: TwirpRefusal = { kind: 'error', status, code: null, msg: null };
  if (text === null) return unread;
  try {
    if (response.ok) {
      return {
        kind: 'ok',
        message: await request.answer.fromJsonString(text, { ignoreUnknownFields: true }),
      };
    }
    const { code, msg }: { code?: unknown; msg?: unknown } = Object(JSON.parse(text));
    if (!isCode(code) || TWIRP_STATUS[code] !== status) return unread;
    return { ...unread, code, msg: typeof msg === 'string' ? msg : null };
  } catch {
    // Declared as JSON and is none, or not the message we asked for: an answer all the same, without a code.
    return unread;
  }
}

function isCode(code: unknown): code is TwirpCode {
  return typeof code === 'string' && Object.hasOwn(TWIRP_STATUS, code);
}

/** `fetch` says "fetch failed" and hides the reason (ECONNREFUSED, ENOTFOUND, …) in its cause. */
function toSilence(error: unknown): TwirpSilence {
  const name = textOf(error, 'name') ?? 'Error';
  const reason = textOf(propertyOf(error, 'cause'), 'code') ?? textOf(error, 'code') ?? name;
  return { kind: 'silence', timedOut: name === 'TimeoutError', reason };
}

function propertyOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function textOf(value: unknown, key: string): string | undefined {
  const property = propertyOf(value, key);
  return typeof property === 'string' ? property : undefined;
}
