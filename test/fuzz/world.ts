import { Redis } from 'ioredis';
import { httpReceiver } from '../../src/livekit/simulator/webhook-http.js';
import { ADMIN_KEY, API_SECRET, type GraphqlAnswer, startStack, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { createRoom, STOP } from '../support/operations.js';
import { becomes, livekitToken, started } from '../support/recording-life.js';
import { ProcessUnderTest } from './process-under-test.js';

/** What a client may know of a world: values that mean something there, for the fuzzer to use, bend and mix up. */
export interface Facts {
  /** `Authorization` values by whose they are. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly ids: readonly string[];
  readonly cursors: readonly string[];
  readonly mediaPaths: readonly string[];
  readonly mediaBytes: number;
}

/** A deployment with something in it: open rooms only where `live`, as what runs changes what is stored by itself. */
export interface World {
  readonly instance: ProcessUnderTest;
  readonly facts: Facts;
  readonly redis: Redis;
  readonly folder: string;
  /** Texts that are in no answer, whoever asks: places, secrets. */
  readonly secrets: readonly string[];
  readonly live: boolean;
  close(): Promise<void>;
}

const ROOMS = ['daily', 'Weekly Standup', 'équipe-été'];
const QUIET = '6h';
const ENV = {
  RECORDING_START_TIMEOUT: '500ms',
  SWEEP_LIVEKIT_RECONCILIATION_EVERY: QUIET,
  WEBHOOK_ALLOW_PRIVATE: 'true',
  DEPLOYMENT_ID: 'fuzz',
};

type Ask = <T = Record<string, unknown>>(query: string, variables?: object) => Promise<GraphqlAnswer<T>>;

export async function startWorld({ live }: { readonly live: boolean }): Promise<World> {
  const stack = await startStack(ENV);
  const instance = await ProcessUnderTest.start(stack.env).catch(async (error: unknown) => {
    await stack.close();
    throw error;
  });
  stack.simulator.setReceiver(httpReceiver(`${instance.url}/livekit/webhook`, new AbortController().signal));
  const facts = await furnish(stack, instance);
  if (live) for (const room of ROOMS) stack.simulator.openRoom(room);
  return {
    instance,
    facts,
    live,
    redis: stack.redisClient,
    folder: stack.storageFolder,
    secrets: [
      API_SECRET,
      ADMIN_KEY,
      stack.storageFolder,
      process.cwd(),
      `127.0.0.1:${stack.redis.port}`,
      new URL(stack.env.LIVEKIT_URL ?? '').host,
      'node_modules',
    ],
    close: async () => {
      await instance.stop();
      await stack.close();
    },
  };
}

async function furnish(stack: TestStack, instance: ProcessUnderTest): Promise<Facts> {
  const ask: Ask = (query, variables = {}) => askAsAdmin(instance.url, query, variables);
  const door = { graphql: ask };
  const recordings: string[] = [];
  for (const room of ROOMS) {
    await createRoom(door, room);
    stack.simulator.openRoom(room);
    const id = await startedInTheEnd(door, room);
    await ask(STOP, { id });
    await becomes(door, id, { status: 'COMPLETE' });
    stack.simulator.closeRoom(room);
    recordings.push(id);
  }
  const made = await makeAccess(ask, recordings[0] ?? '');
  const listed = await ask<Listed>(LISTED);
  const { recordings: page, rooms, auditLog, apiKeys } = listed.data;
  const media = await ask<{ recording: { mediaUrl: string; sizeBytes: number } }>(
    'query($id: ID!) { recording(id: $id) { mediaUrl sizeBytes } }',
    { id: recordings[0] },
  );
  const { pathname, search } = new URL(media.data.recording.mediaUrl);
  return {
    credentials: {
      ...made.credentials,
      admin: `Bearer ${ADMIN_KEY}`,
      joins: `Bearer ${await livekitToken({ roomJoin: true, room: 'daily' })}`,
      administers: `Bearer ${await livekitToken({ roomAdmin: true, room: 'daily' }, 'bob')}`,
    },
    ids: [...ROOMS, ...recordings, ...made.ids],
    cursors: [
      page.eventCursor,
      ...[page, rooms, auditLog, apiKeys].map(({ pageInfo }) => pageInfo.endCursor),
    ],
    mediaPaths: [`${pathname}${search}`, ...recordings.map((id) => `/recordings/${id}/media`), ...made.paths],
    mediaBytes: media.data.recording.sizeBytes,
  };
}

/** On a busy machine the first tries may be too slow for the simulated worker. */
async function startedInTheEnd(door: Parameters<typeof started>[0], room: string): Promise<string> {
  let id = '';
  await eventually(
    async () => {
      id = (await started(door, room, { labels: { team: 'a', n: 1 } })).id;
      return true;
    },
    { withinMs: 20_000, everyMs: 200 },
  );
  return id;
}

interface Page {
  readonly pageInfo: { readonly endCursor: string };
}
interface Listed {
  readonly recordings: Page & { readonly eventCursor: string };
  readonly rooms: Page;
  readonly auditLog: Page;
  readonly apiKeys: Page;
}
const LISTED = `{
  recordings(first: 1) { eventCursor pageInfo { endCursor } } rooms(first: 1) { pageInfo { endCursor } }
  auditLog(first: 1) { pageInfo { endCursor } } apiKeys(first: 1) { pageInfo { endCursor } }
}`;

async function makeAccess(
  ask: Ask,
  recordingId: string,
): Promise<Pick<Facts, 'ids' | 'credentials'> & { readonly paths: readonly string[] }> {
  const key = async (role: string, roomIds: readonly string[] | null) => {
    const { data } = await ask<{ createApiKey: { secret: string; apiKey: { id: string } } }>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }',
      { input: { name: role, role, roomIds } },
    );
    return { id: data.createApiKey.apiKey.id, bearer: `Bearer ${data.createApiKey.secret}` };
  };
  const [recorder, viewer] = [await key('RECORDER', null), await key('VIEWER', ['daily'])];
  const { data } = await ask<{
    createShareLink: { url: string; shareLink: { id: string } };
    createWebhookEndpoint: { endpoint: { id: string } };
    deleteRecordings: { id: string };
  }>(
    `mutation($id: ID!) {
      createShareLink(input: { recordingId: $id, allowDownload: true }) { url shareLink { id } }
      createWebhookEndpoint(input: { url: "http://127.0.0.1:9/", events: [INCIDENT_OPENED] }) { endpoint { id } }
      deleteRecordings(ids: [$id], dryRun: true) { id }
    }`,
    { id: recordingId },
  );
  const share = new URL(data.createShareLink.url).pathname;
  return {
    credentials: { recorder: recorder.bearer, viewer: viewer.bearer },
    ids: [
      recorder.id,
      viewer.id,
      data.createShareLink.shareLink.id,
      data.createWebhookEndpoint.endpoint.id,
      data.deleteRecordings.id,
    ],
    paths: [share, `${share}/media`],
  };
}

async function askAsAdmin<T>(url: string, query: string, variables: object): Promise<GraphqlAnswer<T>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as Partial<GraphqlAnswer<T>>;
  const errors = body.errors ?? [];
  const code = errors.length === 0 ? null : String(errors[0]?.extensions.code);
  return { status: response.status, data: body.data as T, errors, code };
}
