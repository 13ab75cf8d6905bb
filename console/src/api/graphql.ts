import { type Operation, textOf } from './typed.js';

/** A refusal in the server's own words, or `UNREACHABLE` when no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** Where in the answer the hole is: `['rooms', 'nodes', 2, 'live']`. */
    readonly path: readonly (string | number)[] = [],
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** What was answered; `errors` tell which nullable fields are holes and not facts. */
export interface Answer<T> {
  readonly data: T;
  readonly errors: readonly ApiError[];
}

interface RawError {
  readonly message?: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string };
}
interface RawBody {
  readonly data?: unknown;
  readonly errors?: readonly RawError[];
  readonly error?: { readonly code?: string; readonly message?: string };
}

/** Longer than the server waits for anything it was asked for here. */
const ANSWER_WITHIN_MS = 60_000;

/** Errors as they come inside a GraphQL answer or over the WebSocket. */
export function toApiErrors(errors: readonly RawError[]): ApiError[] {
  return errors.map(
    (e) => new ApiError(e.extensions?.code ?? 'INTERNAL', e.message ?? 'the server failed', e.path),
  );
}

/** Where this page lives, also below a path of a proxy. Read once: the address moves on while the page stays. */
export const HOME = new URL('.', document.baseURI);

/** An address on the server that sent this page. */
export function serverUrl(path: string): URL {
  return new URL(path.replace(/^\//, ''), HOME);
}

/** Nothing where an operation takes no variables. */
type Taken<V> = Record<string, never> extends V ? [variables?: V] : [variables: V];

/** The server as one credential sees it. */
export class Api {
  constructor(readonly credential: string) {}

  /** All of the answer or the first error, thrown. */
  async ask<T, V>(operation: Operation<T, V>, ...[variables]: Taken<V>): Promise<T> {
    const { data, errors } = await this.askPartly(operation, ...([variables] as Taken<V>));
    if (errors[0]) throw errors[0];
    return data;
  }

  /** What could be answered, with the errors of the fields that could not; throws where nothing could. */
  async askPartly<T, V>(operation: Operation<T, V>, ...[variables]: Taken<V>): Promise<Answer<T>> {
    const body = await this.post({ query: textOf(operation), variables });
    const errors = toApiErrors(body.errors ?? []);
    if (body.data === undefined || body.data === null) {
      throw errors[0] ?? new ApiError('INTERNAL', 'the server answered without data');
    }
    return { data: body.data as T, errors };
  }

  private async post(operation: object): Promise<RawBody> {
    const response = await fetch(serverUrl('graphql'), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        authorization: `Bearer ${this.credential}`,
      },
      body: JSON.stringify(operation),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    }).catch((error: unknown) => {
      throw new ApiError('UNREACHABLE', `the server could not be reached (${messageOf(error)})`);
    });
    return readBody(response);
  }
}

/** The body of an answer; an error body outside GraphQL is thrown with its own code. */
export async function readBody(response: Response): Promise<RawBody> {
  const body = (await response.json().catch((error: unknown) => {
    throw new ApiError(
      response.ok ? 'INTERNAL' : `HTTP ${response.status}`,
      `the server's answer could not be read (${messageOf(error)})`,
    );
  })) as RawBody;
  if (body.error) {
    throw new ApiError(
      body.error.code ?? `HTTP ${response.status}`,
      body.error.message ?? 'the server refused',
    );
  }
  return body;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
