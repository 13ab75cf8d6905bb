import { type Client, createClient } from 'graphql-ws';
import type { RecordingEvent } from './contract.js';
import { EVENTS } from './documents.js';
import { ApiError, serverUrl, toApiErrors } from './graphql.js';
import { pause } from './pause.js';
import { textOf } from './typed.js';

export type Connection = 'connecting' | 'live' | 'reconnecting';

export interface Listener {
  event(event: RecordingEvent): void;
  connection(now: Connection): void;
  /** Anything came from the server, be it only a sign of life. */
  heard(): void;
  /** Following is over: the log does not reach back to the cursor, or the credential is refused. */
  ended(error: ApiError): void;
}

interface Next {
  readonly data?: { readonly recordingEvents: RecordingEvent } | null;
  readonly errors?: Parameters<typeof toApiErrors>[0];
}

export const PING_EVERY_MS = 5_000;
export const PONG_WITHIN_MS = 3_000;
const ACK_WITHIN_MS = 10_000;
const REFUSED_CLOSE_CODES = [4401, 4403];
const ENDING_CODES = ['CURSOR_EXPIRED', 'CURSOR_INVALID', 'UNAUTHENTICATED', 'FORBIDDEN'];

/**
 * Follows every recording from a cursor on, through lost connections: each new subscription goes on from the cursor of
 * the last event that arrived.
 */
export class EventFollower {
  private readonly client: Client;
  private failures = 0;
  private stopped = false;
  private pongDue: ReturnType<typeof setTimeout> | undefined;
  private readonly hangUp = (): void => this.client.terminate();

  constructor(
    credential: string,
    private cursor: string,
    private readonly listener: Listener,
  ) {
    this.client = createClient({
      url: () => serverUrl('graphql').href.replace(/^http/, 'ws'),
      connectionParams: { authorization: `Bearer ${credential}` },
      keepAlive: PING_EVERY_MS,
      connectionAckWaitTimeout: ACK_WITHIN_MS,
      retryAttempts: Infinity,
      retryWait: pause,
      shouldRetry: (problem) => !isRefusal(problem),
      on: {
        connected: () => {
          listener.heard();
          listener.connection('live');
        },
        closed: () => this.closed(),
        ping: (received) => this.pinged(received),
        pong: (received) => received && this.ponged(),
      },
    });
  }

  start(): void {
    this.listener.connection('connecting');
    window.addEventListener('offline', this.hangUp);
    this.subscribe();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.pongDue);
    window.removeEventListener('offline', this.hangUp);
    void this.client.dispose();
  }

  private subscribe(): void {
    const { listener } = this;
    let failure: ApiError | null = null;
    // A getter, because the client sends the same payload again after every lost connection.
    const variables = Object.defineProperty({}, 'after', { enumerable: true, get: () => this.cursor });
    this.client.subscribe(
      { query: textOf(EVENTS), variables },
      {
        next: ({ data, errors }: Next) => {
          listener.heard();
          if (!data?.recordingEvents) {
            failure =
              toApiErrors(errors ?? [])[0] ?? new ApiError('INTERNAL', 'an event came without content');
            return;
          }
          this.failures = 0;
          this.cursor = data.recordingEvents.cursor;
          listener.event(data.recordingEvents);
        },
        error: (problem) => void this.resubscribe(toError(problem)),
        complete: () => void this.resubscribe(failure),
      },
    );
  }

  private async resubscribe(failure: ApiError | null): Promise<void> {
    if (this.stopped) return;
    if (failure && ENDING_CODES.includes(failure.code)) {
      this.stop();
      this.listener.ended(failure);
      return;
    }
    this.listener.connection('reconnecting');
    await pause(this.failures++);
    if (!this.stopped) this.subscribe();
  }

  private closed(): void {
    clearTimeout(this.pongDue);
    if (!this.stopped) this.listener.connection('reconnecting');
  }

  /** A connection can die without a word (a laptop that slept): only a missing pong tells. */
  private pinged(received: boolean): void {
    if (received) this.listener.heard();
    else this.pongDue = setTimeout(this.hangUp, PONG_WITHIN_MS);
  }

  private ponged(): void {
    clearTimeout(this.pongDue);
    this.listener.heard();
  }
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
