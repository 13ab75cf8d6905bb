import { createClient } from 'graphql-ws';
import type { RecordingEvent } from './contract.js';
import { EVENTS } from './documents.js';
import { ApiError, serverUrl, toApiErrors } from './graphql.js';

export type Connection = 'connecting' | 'live' | 'reconnecting';

export interface Listener {
  event(event: RecordingEvent): void;
  connection(now: Connection): void;
  /** Following is over: the log does not reach back to the cursor, or the credential is refused. */
  ended(error: ApiError): void;
}

const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
const LONGEST_PAUSE_MS = 10_000;
const REFUSED_CLOSE_CODES = [4401, 4403];
const ENDING_CODES = ['CURSOR_EXPIRED', 'CURSOR_INVALID', 'UNAUTHENTICATED', 'FORBIDDEN'];

/**
 * Follows every recording from `after` on, through lost connections: each new subscription goes on from the cursor of
 * the last event that arrived. Returns what ends it.
 */
export function followEvents(credential: string, after: string, listener: Listener): () => void {
  let cursor = after;
  let failures = 0;
  let stopped = false;
  let pongDue: ReturnType<typeof setTimeout> | undefined;

  const client = createClient({
    url: () => serverUrl('graphql').href.replace(/^http/, 'ws'),
    connectionParams: { authorization: `Bearer ${credential}` },
    keepAlive: PING_EVERY_MS,
    connectionAckWaitTimeout: PING_EVERY_MS,
    retryAttempts: Infinity,
    retryWait: (attempts) => pause(attempts),
    shouldRetry: (problem) => !isRefusal(problem),
    on: {
      connected: () => listener.connection('live'),
      closed: () => {
        clearTimeout(pongDue);
        if (!stopped) listener.connection('reconnecting');
      },
      // A connection can die without a word (a laptop that slept): only a missing pong tells.
      ping: (received) => {
        if (!received) pongDue = setTimeout(() => client.terminate(), PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(pongDue);
      },
    },
  });

  function subscribe(): void {
    let failure: ApiError | null = null;
    client.subscribe<{ recordingEvents: RecordingEvent }>(
      // A getter, because the client sends the same payload again after every lost connection.
      {
        query: EVENTS,
        variables: Object.defineProperty({}, 'after', { enumerable: true, get: () => cursor }),
      },
      {
        next: ({ data, errors }) => {
          if (!data?.recordingEvents) {
            failure =
              toApiErrors(errors ?? [])[0] ?? new ApiError('INTERNAL', 'an event came without content');
            return;
          }
          failures = 0;
          cursor = data.recordingEvents.cursor;
          listener.event(data.recordingEvents);
        },
        error: (problem) => void again(toError(problem)),
        complete: () => void again(failure),
      },
    );
  }

  async function again(failure: ApiError | null): Promise<void> {
    if (stopped) return;
    if (failure && ENDING_CODES.includes(failure.code)) {
      stop();
      listener.ended(failure);
      return;
    }
    listener.connection('reconnecting');
    await pause(failures++);
    if (!stopped) subscribe();
  }

  function stop(): void {
    stopped = true;
    clearTimeout(pongDue);
    void client.dispose();
  }

  listener.connection('connecting');
  subscribe();
  return stop;
}

/** Half a second at first, doubling; cut short when the browser finds its network again. */
function pause(attempts: number): Promise<void> {
  const ms = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** Math.min(attempts, 10)) * (0.75 + Math.random() / 2);
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener('online', done);
  });
}

function isRefusal(problem: unknown): problem is { code: number; reason: string } {
  return (
    typeof problem === 'object' &&
    problem !== null &&
    'code' in problem &&
    typeof problem.code === 'number' &&
    REFUSED_CLOSE_CODES.includes(problem.code)
  );
}

function toError(problem: unknown): ApiError {
  if (Array.isArray(problem)) return toApiErrors(problem)[0] ?? new ApiError('INTERNAL', 'the server failed');
  if (isRefusal(problem)) {
    return new ApiError('UNAUTHENTICATED', problem.reason || 'the key is not accepted any more');
  }
  return new ApiError('UNREACHABLE', 'the connection was lost');
}
