import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { type LiveKitOutcome, tellHappening } from '../kernel/happenings.js';

export type TwirpMethod = `${'Egress' | 'RoomService'}/${string}`;

/**
 * What became of one request, as data: who asks decides which answer means what.
 * `code` and `msg` come from a JSON error body, else they are null and the body was not read: one of LiveKit's echoes
 * our token. `msg` is LiveKit's own text and goes through `sanitizeEgressError` before anybody sees it.
 */
export type TwirpAnswer<T> = { readonly kind: 'ok'; readonly message: T } | TwirpRefusal | TwirpSilence;

/** Also a 200 that can't be read: then without a code. */
export interface TwirpRefusal {
  readonly kind: 'error';
  readonly status: number;
  readonly code: string | null;
  readonly msg: string | null;
}

/** No answer, or only a part of one. `reason` is a name (ECONNREFUSED, TimeoutError), never a text of LiveKit's. */
export interface TwirpSilence {
  readonly kind: 'silence';
  readonly timedOut: boolean;
  readonly reason: string;
}

export interface TwirpRequest<T> {
  readonly method: TwirpMethod;
  readonly message: { toJsonString(): string };
  readonly answer: { fromJsonString(json: string, options: { ignoreUnknownFields: boolean }): T };
  readonly grant: VideoGrant;
  readonly limitMs: number;
}

/** A timer of Node that is to take longer rings at once; no connection waits for weeks. */
const LONGEST_LIMIT_MS = 2 ** 31 - 1;

/** What LiveKit lists of a day with tens of thousands of egresses is smaller. */
const MOST_BYTES = 64 * 1_024 * 1_024;

/** A token must outlive the longest request and a clock that is off. */
const TOKEN_TTL = '10m';

/**
 * One Twirp request over HTTP, asked once. The SDK's own clients throw for every answer but 200, read the error bodies
 * into their messages, refuse a start without an output and repeat requests elsewhere when an answer was lost; a
 * repeated start is a second recording.
 */
export class TwirpConnection {
  constructor(private readonly server: { url: string; apiKey: string; apiSecret: string }) {}

  async ask<T>(request: TwirpRequest<T>): Promise<TwirpAnswer<T>> {
    const begun = performance.now();
    const answer = await this.askOnce(request);
    const seconds = (performance.now() - begun) / 1_000;
    tellHappening('livekit-request', { method: request.method, outcome: outcomeOf(answer), seconds });
    return answer;
  }

  private async askOnce<T>(request: TwirpRequest<T>): Promise<TwirpAnswer<T>> {
    const token = new AccessToken(this.server.apiKey, this.server.apiSecret, { ttl: TOKEN_TTL });
    token.addGrant(request.grant);
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${await token.toJwt()}` };
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
      received = { response, text: await readJsonText(response) };
    } catch (error) {
      return toSilence(error);
    }
    return toAnswer(received.response, received.text, request);
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

/** Null: not declared as JSON, and so not read at all. */
async function readJsonText(response: Response): Promise<string | null> {
  if (!response.headers.get('content-type')?.startsWith('application/json')) {
    await response.body?.cancel();
    return null;
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > MOST_BYTES)
      throw Object.assign(new Error('an answer without end'), { code: 'ANSWER_TOO_LONG' });
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function toAnswer<T>(response: Response, text: string | null, request: TwirpRequest<T>): TwirpAnswer<T> {
  const unread: TwirpRefusal = { kind: 'error', status: response.status, code: null, msg: null };
  if (text === null) return unread;
  try {
    if (response.ok) {
      return { kind: 'ok', message: request.answer.fromJsonString(text, { ignoreUnknownFields: true }) };
    }
    const { code, msg }: { code?: unknown; msg?: unknown } = Object(JSON.parse(text));
    if (typeof code !== 'string') return unread;
    return { ...unread, code, msg: typeof msg === 'string' ? msg : null };
  } catch {
    // Declared as JSON and is none, or not the message we asked for: an answer all the same, without a code.
    return unread;
  }
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
