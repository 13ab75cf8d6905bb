// Apollo Client 4 with Tallylight: cache keys, pages and live updates. docs/clients.md gives the reasons.
import { ApolloClient, type ApolloCache, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import type { FieldPolicy, FieldReadFunction, TypedDocumentNode, TypePolicies } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { createClient } from 'graphql-ws';

/** `first` and `after` choose a page of a list; every other argument (`keyArgs`) names another list. */
function pages(keyArgs: string[] | false): FieldPolicy {
  const { read, merge } = relayStylePagination(keyArgs);
  if (typeof merge !== 'function') throw new Error('Apollo merges pages by a function');
  const mergePage: typeof merge = (existing, incoming, options) => {
    // Events are followed from the first page on: a later page's cursor would skip what happened between the two.
    const { eventCursor } = (existing ?? {}) as { readonly eventCursor?: string };
    const keep = options.args?.after && eventCursor !== undefined ? { eventCursor } : {};
    return merge(existing, incoming && { ...incoming, ...keep }, options);
  };
  return { keyArgs, read, merge: mergePage };
}

/** What `recording(id:)` answers may be there already, from a list or an event. */
function known(__typename: string): FieldReadFunction {
  return (read, { args, toReference }) => read ?? toReference({ __typename, id: args?.id });
}

/**
 * Types with an `id` are cached by `__typename:id`, Apollo's default. It stays the default, because `keyFields: ['id']` would
 * refuse a Recording without an id, as it is asked for in a history.
 */
export const typePolicies: TypePolicies = {
  Query: {
    fields: {
      recording: known('Recording'),
      room: known('Room'),
      recordings: pages(['filter', 'sort']),
      rooms: pages(['nameContains', 'open']),
      apiKeys: pages(false),
      auditLog: pages(false),
    },
  },
  Recording: { fields: { history: pages(false) } },
  Room: { fields: { recordings: pages(['filter', 'sort']), recordingSettings: { merge: true } } },
  WebhookEndpoint: { fields: { deliveries: pages(['status']) } },
  // One of each for whoever asks.
  Viewer: { keyFields: [] },
  System: { keyFields: [] },
  Sweep: { keyFields: ['name'] },
};

export interface RecordingSeen {
  readonly __typename: 'Recording';
  readonly id: string;
  readonly version: number;
  readonly roomId: string;
  readonly roomName: string;
  readonly status: string;
  readonly endReason: string | null;
  readonly error: string | null;
  readonly requestedAt: string;
  readonly durationMs: number | null;
  readonly sizeBytes: number | null;
  readonly mediaPath: string | null;
}

export interface RecordingEvent {
  readonly cursor: string;
  readonly type: 'REQUESTED' | 'STATUS_CHANGED' | 'UPDATED' | 'DELETED';
  readonly recording: RecordingSeen;
}

/** Always with `id` and `version`: one says which, the other how new. */
export const SEEN = gql`
  fragment Seen on Recording {
    id
    version
    roomId
    roomName
    status
    endReason
    error
    requestedAt
    durationMs
    sizeBytes
    mediaPath
  }
`;

export interface RecordingsAnswer {
  readonly recordings: {
    readonly edges: readonly { readonly cursor: string; readonly node: RecordingSeen }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    readonly totalCount: number | null;
    readonly eventCursor: string;
  };
}

/** The next page: `fetchMore({ variables: { after: pageInfo.endCursor } })`. */
export const RECORDINGS: TypedDocumentNode<RecordingsAnswer, { first?: number; after?: string | null }> = gql`
  query Recordings($first: Int = 20, $after: String) {
    recordings(first: $first, after: $after) {
      edges {
        cursor
        node {
          ...Seen
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
      eventCursor
    }
  }
  ${SEEN}
`;

export const EVENTS: TypedDocumentNode<{ readonly recordingEvents: RecordingEvent }, { after: string }> = gql`
  subscription Events($after: String) {
    recordingEvents(after: $after) {
      cursor
      type
      recording {
        ...Seen
      }
    }
  }
  ${SEEN}
`;

/** What each event left behind is a Recording of then: without its id, it is not taken for the one of now. */
export const HISTORY = gql`
  query History($id: ID!, $after: String) {
    recording(id: $id) {
      id
      history(first: 50, after: $after) {
        edges {
          cursor
          node {
            cursor
            type
            at
            cause
            recording {
              version
              status
              error
            }
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`;

/** `url` as `https://recordings.example.com`; `key` is an API key or a LiveKit access token. */
export function createTallylightClient(url: string, key: string, webSocketImpl?: unknown): ApolloClient {
  const authorization = `Bearer ${key}`;
  const http = new HttpLink({ uri: `${url}/graphql`, headers: { authorization } });
  const events = new GraphQLWsLink(
    createClient({
      url: `${url.replace(/^http/, 'ws')}/graphql`,
      connectionParams: { authorization },
      // `follow` subscribes again by itself, from the last cursor that it has seen.
      retryAttempts: 0,
      webSocketImpl,
    }),
  );
  return new ApolloClient({
    cache: new InMemoryCache({ typePolicies }),
    link: ApolloLink.split(({ operationType }) => String(operationType) === 'subscription', events, http),
  });
}

/** Takes an event into the cache, unless something newer is there. */
export function applyEvent(cache: ApolloCache, { type, recording }: RecordingEvent): void {
  const id = cache.identify({ __typename: 'Recording', id: recording.id });
  if (type === 'DELETED') {
    // It leaves every list that holds it, too.
    cache.evict({ id });
    cache.gc();
    return;
  }
  const read = cache.readFragment<{ readonly version: number }>({ id, fragment: VERSION });
  if (read && read.version >= recording.version) return;
  cache.writeFragment({ id, fragment: SEEN, data: recording });
}

const VERSION = gql`
  fragment Version on Recording {
    version
  }
`;

const REFRESH_AFTER_MS = 1_000;
const AGAIN_AFTER_MS = [500, 1_000, 2_000, 5_000, 10_000];

/**
 * Reads the first page, then follows what happens from there on: in this order nothing is missed. Answers how to stop.
 * `onError` gets what needs a person, such as a key that was revoked; all else is tried again.
 */
export function follow(client: ApolloClient, onError: (error: unknown) => void): () => void {
  let stopped = false;
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let refresh: ReturnType<typeof setTimeout> | undefined;
  let subscription = { unsubscribe: (): void => undefined };
  let heard: RecordingEvent[] = [];

  const again = (task: () => void): void => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(task, AGAIN_AFTER_MS[Math.min(tries++, AGAIN_AFTER_MS.length - 1)]);
  };

  /** Which lists a recording is in now, only the server knows; of what it answers, an event may be newer. */
  const readLists = async (): Promise<void> => {
    refresh = undefined;
    heard = [];
    await client.refetchQueries({ include: [RECORDINGS] });
    for (const event of heard) applyEvent(client.cache, event);
  };

  const take = (event: RecordingEvent): void => {
    tries = 0;
    applyEvent(client.cache, event);
    if (refresh !== undefined) return void heard.push(event);
    heard = [event];
    refresh = setTimeout(() => void readLists().catch(onError), REFRESH_AFTER_MS);
  };

  const subscribe = (after: string): void => {
    let cursor = after;
    let problem: unknown;
    // Not by Apollo's own write, which would take in also what is older than what is known.
    const events = client.subscribe({ query: EVENTS, variables: { after }, fetchPolicy: 'no-cache' });
    subscription = events.subscribe({
      next: ({ data, error }) => {
        problem = error;
        if (!data) return;
        cursor = data.recordingEvents.cursor;
        take(data.recordingEvents);
      },
      complete: () => {
        if (isRefusal(problem)) onError(problem);
        // The log does not reach back that far any more: what is so now is where it goes on.
        else again(codeOf(problem).startsWith('CURSOR_') ? start : () => subscribe(cursor));
      },
    });
  };

  const start = (): void => {
    const page = client.query({ query: RECORDINGS, variables: {}, fetchPolicy: 'network-only' });
    page.then(
      ({ data }) => {
        if (!stopped && data) subscribe(data.recordings.eventCursor);
      },
      () => again(start),
    );
  };

  start();
  return () => {
    stopped = true;
    clearTimeout(timer);
    clearTimeout(refresh);
    subscription.unsubscribe();
  };
}

function codeOf(problem: unknown): string {
  return CombinedGraphQLErrors.is(problem) ? String(problem.errors[0]?.extensions?.code) : String(problem);
}

/** A credential that is not taken, or not any more, closes the WebSocket with 4401. */
function isRefusal(problem: unknown): boolean {
  return /UNAUTHENTICATED|FORBIDDEN|Socket closed with event 4401/.test(codeOf(problem));
}
