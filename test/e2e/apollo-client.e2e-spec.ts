import { join } from 'node:path';
import { WebSocket } from 'ws';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { DELETE, STOP } from '../support/operations.js';
import { becomes, openRoom, roomIsFree, started } from '../support/recording-life.js';

/** As much of docs/examples/apollo-client.ts as is used here; its own types are checked by the contract tests. */
interface Example {
  readonly RECORDINGS: object;
  readonly HISTORY: object;
  readonly typePolicies: object;
  createTallylightClient(url: string, key: string, webSocketImpl: unknown): ExampleClient;
  follow(client: ExampleClient, onError: (error: unknown) => void): () => void;
  applyEvent(cache: ExampleCache, event: object): void;
}
interface ExampleClient {
  readonly cache: ExampleCache;
  query<T>(options: object): Promise<{ data: T }>;
  watchQuery(options: object): ExampleList;
  stop(): void;
}
interface ExampleList {
  subscribe(next: (result: { readonly data?: unknown }) => void): { unsubscribe(): void };
  fetchMore(options: object): Promise<unknown>;
  getCurrentResult(): { readonly data?: ListSeen };
}
interface ExampleCache {
  extract(): Record<string, Record<string, unknown> | undefined>;
}
interface Seen {
  readonly id: string;
  readonly status: string;
  readonly version: number;
}
interface ListSeen {
  readonly recordings: {
    readonly edges: readonly { readonly node: Seen }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    readonly eventCursor: string;
  };
}

describe('the example of Apollo Client in the docs', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let example: Example;
  let client: ExampleClient;
  let gql: (text: TemplateStringsArray) => object;
  const enders: (() => void)[] = [];

  beforeAll(async () => {
    const named = ['@apollo/client', join(__dirname, '../../docs/examples/apollo-client.ts')] as const;
    const [apollo, loaded]: readonly unknown[] = await Promise.all(named.map((name) => import(name)));
    ({ gql } = apollo as { gql: typeof gql });
    example = loaded as Example;
    stack = await startStack();
    instance = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(() => {
    client = example.createTallylightClient(instance.url, ADMIN_KEY, WebSocket);
  });
  afterEach(() => {
    for (const end of enders.splice(0)) end();
    client.stop();
  });

  const record = async (room: string): Promise<Seen> => {
    await openRoom(stack, instance, room);
    const { id } = await started(instance, room);
    await instance.graphql(STOP, { id });
    const ended = await becomes(instance, id, { status: 'COMPLETE' });
    await roomIsFree(stack, room);
    return ended;
  };
  const watch = (variables: object = {}): ExampleList => {
    const list = client.watchQuery({ query: example.RECORDINGS, variables });
    const subscription = list.subscribe(() => undefined);
    enders.push(() => subscription.unsubscribe());
    return list;
  };
  const shown = (list: ExampleList): readonly Seen[] =>
    list.getCurrentResult().data?.recordings?.edges?.map(({ node }) => node) ?? [];
  const shows = (list: ExampleList, id: string, status: string | null): Promise<unknown> =>
    eventually(() => {
      const now = shown(list).find((one) => one.id === id)?.status ?? null;
      return now === status || `${id} is shown as ${now}`;
    });

  it('shows a recording from its start to its deletion without being asked to', async () => {
    await openRoom(stack, instance, 'followed');
    const list = watch();
    enders.push(
      example.follow(client, (error) => {
        throw error;
      }),
    );
    const { id } = await started(instance, 'followed');
    await shows(list, id, 'ACTIVE');
    await instance.graphql(STOP, { id });
    await shows(list, id, 'COMPLETE');
    await roomIsFree(stack, 'followed');
    await instance.graphql(DELETE, { id });
    await shows(list, id, null);
    expect(client.cache.extract()[`Recording:${id}`]).toBeUndefined();
  });

  it('joins the pages of a list, and follows from the first of them', async () => {
    const ids = [];
    for (const room of ['page-1', 'page-2', 'page-3']) ids.unshift((await record(room)).id);
    const list = watch({ first: 2 });
    await eventually(() => shown(list).length === 2 || 'the first page is not there');
    const { recordings: first } = list.getCurrentResult().data!;
    await record('page-4');
    await list.fetchMore({ variables: { after: first.pageInfo.endCursor } });
    await eventually(() => shown(list).length >= 3 || `${shown(list).length} are shown`);
    expect(
      shown(list)
        .map((one) => one.id)
        .slice(0, 3),
    ).toEqual(ids);
    const { recordings: both } = list.getCurrentResult().data!;
    expect(both.eventCursor).toBe(first.eventCursor);
    expect(both.pageInfo.endCursor).not.toBe(first.pageInfo.endCursor);
  });

  it('takes neither what a recording was once nor an event of before for what it is now', async () => {
    const { id, version } = await record('history');
    const list = watch();
    await shows(list, id, 'COMPLETE');
    const { data } = await client.query<{ recording: { history: { edges: readonly unknown[] } } }>({
      query: example.HISTORY,
      variables: { id },
    });
    expect(data.recording.history.edges).toHaveLength(version);
    const recording = shown(list).find((one) => one.id === id)!;
    example.applyEvent(client.cache, {
      type: 'STATUS_CHANGED',
      recording: { ...recording, version: version - 1, status: 'ACTIVE' },
    });
    expect(shown(list).find((one) => one.id === id)).toMatchObject({ status: 'COMPLETE', version });
  });

  it('has one key for each thing, and none for what is part of another', async () => {
    const { id } = await record('keys');
    await client.query({
      query: gql`
        query {
          viewer {
            name
            role
          }
          system {
            state
            checks {
              name
              state
            }
            recorders {
              kind
              availability
            }
            incidents {
              id
              kind
            }
          }
          sweeps {
            name
            lastRun {
              id
              findings {
                kind
              }
            }
          }
          room(id: "keys") {
            id
            live {
              sid
            }
            recordingSettings {
              layout
            }
            recordings {
              nodes {
                id
                coverage {
                  coveredMs
                }
              }
            }
          }
        }
      `,
    });
    await client.query({
      query: gql`
        query {
          room(id: "keys") {
            id
            recordingSettings {
              preset
            }
          }
        }
      `,
    });
    const cached = client.cache.extract();
    const kinds = new Set(Object.keys(cached).map((key) => key.split(':')[0]));
    expect([...kinds].filter((kind) => kind !== '__META').sort()).toEqual(
      ['ROOT_QUERY', 'Recording', 'Room', 'Sweep', 'SweepRun', 'System', 'Viewer'].sort(),
    );
    expect(cached[`Recording:${id}`]).toBeDefined();
    expect(cached['Room:keys']?.recordingSettings).toMatchObject({
      layout: 'GRID',
      preset: 'H264_720P_30',
    });
  });
});
