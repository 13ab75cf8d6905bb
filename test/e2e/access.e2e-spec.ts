import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { UnsecuredJWT } from 'jose';
import { buildSchema } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ADMIN_KEY,
  API_KEY,
  API_SECRET,
  startStack,
  type TestInstance,
  type TestStack,
} from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { createRoom, STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';

const HERE = 'Team.A';
const THERE = 'elsewhere';

type Right = 'read' | 'start' | 'stop' | 'share' | 'delete' | 'administer';
const VIEWER: readonly Right[] = ['read'];
const RECORDER: readonly Right[] = ['read', 'start', 'stop', 'share'];
const DELETER: readonly Right[] = [...RECORDER, 'delete'];
const ADMIN: readonly Right[] = [...DELETER, 'administer'];

/** Whoever asks: what it should be able to do, and where. `all` every room, `here` the one that is asked for, `there` another. */
interface Asker {
  readonly credential: () => Promise<string | null> | string | null;
  readonly rights: readonly Right[];
  readonly reach: 'all' | 'here' | 'there';
}

/** What is asked. `about` decides how who may not is refused. */
interface Operation {
  readonly query: (ids: Ids) => string;
  readonly right: Right;
  readonly about: 'room' | 'new-room' | 'deployment' | 'caller';
  /** As what something that may not be seen is refused. */
  readonly hidden?: string;
  /** What an allowed one is answered, beside success: the rest of the operation has its own reasons. */
  readonly passed?: string;
}

interface Ids {
  recording: string;
  live: string;
  link: string;
  bulk: string;
}

const room = (
  right: Right,
  query: Operation['query'],
  passed?: string,
  hidden = 'ROOM_NOT_FOUND',
): Operation => ({
  ...{ right, query, hidden, about: 'room' },
  ...(passed && { passed }),
});
const recording = (right: Right, query: Operation['query'], passed?: string): Operation =>
  room(right, query, passed, 'RECORDING_NOT_FOUND');
const deployment = (query: Operation['query'], passed?: string): Operation => ({
  ...{ right: 'administer', about: 'deployment', query },
  ...(passed && { passed }),
});
const caller = (query: Operation['query']): Operation => ({ right: 'read', about: 'caller', query });

/** Every operation of the contract, by its name. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  recording: recording(
    'read',
    ({ recording: id }) => `{ recording(id: "${id}") { id history { nodes { cause } } } }`,
  ),
  recordings: caller(() => '{ recordings { totalCount } }'),
  room: room('read', () => `{ room(id: "${HERE}") { id recordings { totalCount } } }`),
  rooms: caller(() => '{ rooms { totalCount } }'),
  bulkDeletion: caller(({ bulk }) => `{ bulkDeletion(id: "${bulk}") { id } }`),
  sweeps: deployment(() => '{ sweeps { name } }'),
  viewer: caller(() => '{ viewer { name } }'),
  system: caller(() => '{ system { state } }'),
  apiKeys: deployment(() => '{ apiKeys { totalCount } }'),
  webhookEndpoints: deployment(() => '{ webhookEndpoints { id } }'),
  webhookEndpoint: deployment(() => '{ webhookEndpoint(id: "whe_x") { id } }'),
  auditLog: deployment(() => '{ auditLog { nodes { action } } }'),
  startRecording: room(
    'start',
    () => `mutation { startRecording(input: { roomId: "${HERE}" }) { id } }`,
    'RECORDING_ALREADY_STARTED',
  ),
  stopRecording: recording(
    'stop',
    ({ recording: id }) => `mutation { stopRecording(id: "${id}") { id } }`,
    'RECORDING_ALREADY_STOPPED',
  ),
  deleteRecording: recording(
    'delete',
    ({ live }) => `mutation { deleteRecording(id: "${live}") { id } }`,
    'RECORDING_NOT_STOPPED',
  ),
  deleteRecordings: room(
    'delete',
    ({ recording: id }) =>
      `mutation { deleteRecordings(ids: ["${id}"], roomId: "${HERE}", dryRun: true) { id } }`,
  ),
  deleteRoomRecordings: room(
    'delete',
    () => `mutation { deleteRoomRecordings(roomId: "${HERE}", dryRun: true) { id } }`,
  ),
  createRoom: {
    ...{ right: 'administer', about: 'new-room', passed: 'ROOM_ALREADY_EXISTS' },
    query: () => `mutation { createRoom(input: { id: "${HERE}", name: "x" }) { id } }`,
  },
  updateRoom: room('administer', () => `mutation { updateRoom(input: { id: "${HERE}", name: "x" }) { id } }`),
  deleteRoom: room(
    'administer',
    () => `mutation { deleteRoom(id: "${HERE}") { id } }`,
    'ROOM_HAS_ACTIVE_RECORDING',
  ),
  runSweep: deployment(() => 'mutation { runSweep(name: RETENTION, dryRun: true) { acted } }'),
  createApiKey: deployment(
    () =>
      'mutation { createApiKey(input: { name: "x", role: ADMIN, expiresAt: "2000-01-01T00:00:00Z" }) { secret } }',
    'BAD_USER_INPUT',
  ),
  rotateApiKey: deployment(() => 'mutation { rotateApiKey(id: "key_x") { secret } }', 'API_KEY_NOT_FOUND'),
  revokeApiKey: deployment(() => 'mutation { revokeApiKey(id: "key_x") { id } }', 'API_KEY_NOT_FOUND'),
  createShareLink: recording(
    'share',
    ({ recording: id }) => `mutation { createShareLink(input: { recordingId: "${id}" }) { url } }`,
    'BAD_USER_INPUT',
  ),
  revokeShareLink: room(
    'share',
    ({ link }) => `mutation { revokeShareLink(id: "${link}") { id } }`,
    undefined,
    'SHARE_LINK_NOT_FOUND',
  ),
  createWebhookEndpoint: deployment(
    () =>
      'mutation { createWebhookEndpoint(input: { url: "http://127.0.0.1", events: [RECORDING_ENDED] }) { secret } }',
    'WEBHOOK_URL_REFUSED',
  ),
  updateWebhookEndpoint: deployment(
    () => 'mutation { updateWebhookEndpoint(input: { id: "whe_x" }) { id } }',
    'WEBHOOK_ENDPOINT_NOT_FOUND',
  ),
  rotateWebhookSecret: deployment(
    () => 'mutation { rotateWebhookSecret(id: "whe_x") { secret } }',
    'WEBHOOK_ENDPOINT_NOT_FOUND',
  ),
  deleteWebhookEndpoint: deployment(
    () => 'mutation { deleteWebhookEndpoint(id: "whe_x") { id } }',
    'WEBHOOK_ENDPOINT_NOT_FOUND',
  ),
  testWebhookEndpoint: deployment(
    () => 'mutation { testWebhookEndpoint(id: "whe_x") { id } }',
    'WEBHOOK_ENDPOINT_NOT_FOUND',
  ),
  redeliverWebhook: deployment(
    () => 'mutation { redeliverWebhook(deliveryId: "whd_x") { id } }',
    'NOT_FOUND',
  ),
  recoverWebhooks: deployment(
    () => 'mutation { recoverWebhooks(endpointId: "whe_x", since: "2020-01-01T00:00:00Z") }',
    'WEBHOOK_ENDPOINT_NOT_FOUND',
  ),
};
/** Asked over a WebSocket; see below. */
const SUBSCRIPTIONS = ['recordingEvents', 'bulkDeletionProgress'];

describe('who may do what', () => {
  let stack: TestStack;
  let one: TestInstance;
  const ids: Ids = { recording: '', live: '', link: '', bulk: '' };
  let cursor = '';

  beforeAll(async () => {
    stack = await startStack({ RATE_LIMIT: 'off' });
    one = await stack.start();
    await openRoom(stack, one, HERE);
    await createRoom(one, THERE);
    const page = await one.graphql<{ recordings: { eventCursor: string } }>('{ recordings { eventCursor } }');
    cursor = page.data.recordings.eventCursor;
    ids.recording = (await started(one, HERE)).id;
    await one.graphql(STOP, { id: ids.recording });
    await becomes(one, ids.recording, { status: 'COMPLETE' });
    await eventually(async () => {
      const { data } = await one.graphql<{ startRecording: { id: string } | null } | null>(
        `mutation { startRecording(input: { roomId: "${HERE}" }) { id } }`,
      );
      ids.live = data?.startRecording?.id ?? '';
      return ids.live !== '' || 'the room is still held';
    });
    const link = await one.graphql<{ createShareLink: { shareLink: { id: string } } }>(
      `mutation { createShareLink(input: { recordingId: "${ids.recording}" }) { shareLink { id } } }`,
    );
    ids.link = link.data.createShareLink.shareLink.id;
    const bulk = await one.graphql<{ deleteRoomRecordings: { id: string } }>(
      `mutation { deleteRoomRecordings(roomId: "${HERE}", dryRun: true) { id } }`,
    );
    ids.bulk = bulk.data.deleteRoomRecordings.id;
  });
  afterAll(() => stack.close());

  const key = async (role: string, more: object = {}): Promise<{ id: string; secret: string }> => {
    const { data, errors } = await one.graphql<{
      createApiKey: { secret: string; apiKey: { id: string } };
    } | null>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }',
      { input: { name: `${role} of a test`, role, ...more } },
    );
    if (!data) throw new Error(errors[0]?.message);
    return { id: data.createApiKey.apiKey.id, secret: data.createApiKey.secret };
  };
  const ofKey = (role: string, rights: readonly Right[], reach: Asker['reach']): Asker => {
    const roomIds = reach === 'all' ? null : [reach === 'here' ? HERE : THERE];
    return { rights, reach, credential: async () => (await key(role, { roomIds })).secret };
  };
  const token = (grant: VideoGrant, { secret = API_SECRET, ttl = 600 } = {}): Promise<string> => {
    const made = new AccessToken(API_KEY, secret, { identity: 'ann', ttl });
    made.addGrant(grant);
    return made.toJwt();
  };
  const ofToken = (grant: VideoGrant, rights: readonly Right[], reach: Asker['reach']): Asker => ({
    ...{ rights, reach },
    credential: () => token(grant),
  });
  const nobody = (credential: Asker['credential']): Asker => ({ credential, rights: [], reach: 'there' });

  const ASKERS: Readonly<Record<string, Asker>> = {
    'the key of the environment': { credential: () => ADMIN_KEY, rights: ADMIN, reach: 'all' },
    'an ADMIN key': ofKey('ADMIN', ADMIN, 'all'),
    'an ADMIN key for this room': ofKey('ADMIN', ADMIN, 'here'),
    'an ADMIN key for another room': ofKey('ADMIN', ADMIN, 'there'),
    'a RECORDER key': ofKey('RECORDER', RECORDER, 'all'),
    'a RECORDER key for this room': ofKey('RECORDER', RECORDER, 'here'),
    'a RECORDER key for another room': ofKey('RECORDER', RECORDER, 'there'),
    'a VIEWER key': ofKey('VIEWER', VIEWER, 'all'),
    'a VIEWER key for this room': ofKey('VIEWER', VIEWER, 'here'),
    'a VIEWER key for another room': ofKey('VIEWER', VIEWER, 'there'),
    'a token with roomJoin': ofToken({ roomJoin: true }, VIEWER, 'all'),
    'a token with roomJoin here': ofToken({ roomJoin: true, room: HERE }, VIEWER, 'here'),
    'a token with roomJoin elsewhere': ofToken({ roomJoin: true, room: THERE }, VIEWER, 'there'),
    'a token with roomRecord here': ofToken({ roomRecord: true, room: HERE }, RECORDER, 'here'),
    'a token with roomRecord elsewhere': ofToken({ roomRecord: true, room: THERE }, RECORDER, 'there'),
    'a token with roomAdmin': ofToken({ roomAdmin: true }, DELETER, 'all'),
    'a token with roomAdmin here': ofToken({ roomAdmin: true, room: HERE }, DELETER, 'here'),
    'a token with roomAdmin elsewhere': ofToken({ roomAdmin: true, room: THERE }, DELETER, 'there'),
    ...Object.fromEntries(
      [
        '',
        'Team',
        'Team.',
        'Team.A2',
        'team.a',
        'TEAM.A',
        'Team%2EA',
        'Team.A ',
        ' Team.A',
        'Team.A\u0000',
        'Team.A/',
        './Team.A',
        '*',
        'Team\u3002A',
      ].map((name) => [
        `a token with roomAdmin for ${JSON.stringify(name)}`,
        ofToken({ roomAdmin: true, room: name }, DELETER, 'there'),
      ]),
    ),
    ...Object.fromEntries(
      ['Team', 'Team.A2', 'team.a', 'Team%2EA', ' Team.A', '*'].map((name) => [
        `a RECORDER key for ${JSON.stringify(name)}`,
        {
          ...{ rights: RECORDER, reach: 'there' },
          credential: async () => (await key('RECORDER', { roomIds: [name] })).secret,
        } satisfies Asker,
      ]),
    ),
    'a key that was rotated, within its overlap': {
      ...{ rights: RECORDER, reach: 'all' },
      credential: async () => {
        const { id, secret } = await key('RECORDER');
        await one.graphql(`mutation { rotateApiKey(id: "${id}", overlapSeconds: 600) { secret } }`);
        return secret;
      },
    },
    'a key that was rotated, past its overlap': nobody(async () => {
      const { id, secret } = await key('ADMIN');
      await one.graphql(`mutation { rotateApiKey(id: "${id}", overlapSeconds: 0) { secret } }`);
      return secret;
    }),
    'a key that was revoked': nobody(async () => {
      const { id, secret } = await key('ADMIN');
      await one.graphql(`mutation { revokeApiKey(id: "${id}") { id } }`);
      return secret;
    }),
    'a key that has expired': nobody(async () => {
      const { secret } = await key('ADMIN', { expiresAt: new Date(Date.now() + 50).toISOString() });
      await new Promise((resolve) => setTimeout(resolve, 60));
      return secret;
    }),
    nobody: nobody(() => null),
    'an empty bearer': nobody(() => ''),
    'a key of nobody': nobody(() => 'tl_000000000000000000000000000000000000000000000000'),
    'a token that has expired': nobody(async () => {
      const made = new AccessToken(API_KEY, API_SECRET, { identity: 'ann', ttl: -10 });
      made.addGrant({ roomAdmin: true });
      return made.toJwt();
    }),
    'a token of another key pair': nobody(() => token({ roomAdmin: true }, { secret: 'x'.repeat(40) })),
    'a token without a signature': nobody(() =>
      new UnsecuredJWT({ video: { roomAdmin: true } }).setIssuer(API_KEY).setExpirationTime('1h').encode(),
    ),
    'a token without a grant': nobody(() => token({ canPublish: true })),
  };

  const mayHere = ({ rights, reach }: Asker, right: Right): boolean =>
    reach !== 'there' && rights.includes(right);
  const expected = (asker: Asker, { right, about, hidden, passed }: Operation): string => {
    if (asker.rights.length === 0) return 'UNAUTHENTICATED';
    const allowed = passed ?? 'allowed';
    if (about === 'caller') return 'allowed';
    if (about === 'deployment')
      return asker.reach === 'all' && asker.rights.includes(right) ? allowed : 'FORBIDDEN';
    if (about === 'new-room') return mayHere(asker, right) ? allowed : 'FORBIDDEN';
    if (asker.reach === 'there') return hidden ?? 'hidden';
    return asker.rights.includes(right) ? allowed : 'FORBIDDEN';
  };
  const ask = async (credential: string | null, query: string): Promise<{ code: string; data: unknown }> => {
    const response = await fetch(`${one.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(credential !== null && { authorization: `Bearer ${credential}` }),
      },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = (await response.json()) as {
      data?: unknown;
      errors?: { extensions: { code: string } }[];
    };
    return { code: errors?.[0]?.extensions.code ?? 'allowed', data };
  };
  /** Shows nothing at all. */
  const stranger = (): Client =>
    createClient({
      url: `${one.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
  const statusOf = async (credential: string | null, path: string): Promise<number> => {
    const headers = new Headers(credential === null ? {} : { authorization: `Bearer ${credential}` });
    const response = await fetch(`${one.url}${path}`, { headers });
    await response.arrayBuffer();
    return response.status;
  };

  it('is asked of every operation that the contract has', () => {
    const schema = buildSchema(readFileSync(join(__dirname, '../../contract/schema.graphql'), 'utf8'));
    const named = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
      (type) => Object.keys(type?.getFields() ?? {}),
    );
    expect(named.filter((name) => !(name in OPERATIONS) && !SUBSCRIPTIONS.includes(name))).toEqual([]);
  });

  const check = async (asker: Asker, credential: string | null): Promise<void> => {
    const answers: Record<string, string> = {};
    const wanted: Record<string, string> = {};
    const data: Record<string, unknown> = {};
    for (const [name, operation] of Object.entries(OPERATIONS)) {
      const answer = await ask(credential, operation.query(ids));
      // An operation that was let in may also have succeeded, for reasons of its own.
      const isIn = answer.code === 'allowed' && operation.about !== 'caller';
      answers[name] = isIn ? (operation.passed ?? 'allowed') : answer.code;
      wanted[name] = expected(asker, operation);
      data[name] = answer.data;
    }
    expect(answers).toEqual(wanted);
    const isSomebody = asker.rights.length > 0;
    const sees = asker.reach !== 'there';
    if (isSomebody) {
      expect(data.recordings).toEqual({ recordings: { totalCount: sees ? 2 : 0 } });
      const rooms = { all: /:2}/, here: /:1}/, there: /:[01]}/ }[asker.reach];
      expect(JSON.stringify(data.rooms)).toMatch(rooms);
      const mayFollow = sees && asker.rights.includes('administer');
      expect(data.bulkDeletion).toEqual({ bulkDeletion: mayFollow ? { id: ids.bulk } : null });
    }
    const http = {
      media: await statusOf(credential, `/recordings/${ids.recording}/media`),
      archive: await statusOf(credential, `/recordings/archive?ids=${ids.recording}`),
      metrics: await statusOf(credential, '/metrics'),
      queues: await statusOf(credential, '/admin/queues'),
    };
    const media = !isSomebody ? 401 : sees ? 200 : 404;
    const pages = !isSomebody
      ? 401
      : asker.reach === 'all' && asker.rights.includes('administer')
        ? 200
        : 403;
    expect(http).toEqual({ media, archive: media, metrics: pages, queues: pages });
  };

  it.each(Object.keys(ASKERS))('%s', async (name) => {
    const asker = ASKERS[name]!;
    await check(asker, await asker.credential());
  });

  it.each(Object.keys(ASKERS))('%s, over a WebSocket', async (name) => {
    const asker = ASKERS[name]!;
    const credential = await asker.credential();
    const first = async (query: string): Promise<string> => {
      const client = credential === null ? stranger() : one.subscriber(credential);
      try {
        for await (const { data, errors } of client.iterate({ query })) {
          return data ? 'allowed' : String(errors?.[0]?.extensions?.code);
        }
        return 'ended';
      } catch (error) {
        const { code } = error as { code?: number };
        return code === 4401 ? 'UNAUTHENTICATED' : JSON.stringify(error);
      } finally {
        await client.dispose();
      }
    };
    const isSomebody = asker.rights.length > 0;
    const sees = asker.reach !== 'there';
    expect({
      recordingEvents: await first(
        `subscription { recordingEvents(roomId: "${HERE}", after: "${cursor}") { type } }`,
      ),
      bulkDeletionProgress: await first(`subscription { bulkDeletionProgress(id: "${ids.bulk}") { id } }`),
    }).toEqual({
      recordingEvents: !isSomebody ? 'UNAUTHENTICATED' : sees ? 'allowed' : 'ROOM_NOT_FOUND',
      bulkDeletionProgress: !isSomebody
        ? 'UNAUTHENTICATED'
        : sees && asker.rights.includes('administer')
          ? 'allowed'
          : 'BAD_USER_INPUT',
    });
  });

  it('is the same after a rebuild', async () => {
    const made = [];
    for (const name of [
      ...['an ADMIN key', 'an ADMIN key for this room', 'a RECORDER key', 'a RECORDER key for another room'],
      ...['a RECORDER key for "team.a"', 'a VIEWER key for this room', 'a VIEWER key for another room'],
      ...['a key that was rotated, within its overlap', 'a key that was rotated, past its overlap'],
      ...['a key that was revoked', 'a key that has expired', 'a token with roomAdmin here'],
      ...['a token with roomRecord elsewhere', 'a token with roomAdmin for "Team"', 'nobody'],
      ...['a token that has expired', 'a token of another key pair', 'a token without a signature'],
    ])
      made.push([ASKERS[name]!, await ASKERS[name]!.credential()] as const);
    await stack.redisClient.flushall();
    await eventually(
      async () => (await ask(ADMIN_KEY, '{ rooms { totalCount } }')).code === 'allowed' || 'not whole',
    );
    const bulk = await one.graphql<{ deleteRoomRecordings: { id: string } }>(
      `mutation { deleteRoomRecordings(roomId: "${HERE}", dryRun: true) { id } }`,
    );
    ids.bulk = bulk.data.deleteRoomRecordings.id;
    for (const [asker, credential] of made) await check(asker, credential);
  });
});
