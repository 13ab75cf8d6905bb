import { Incidents } from '../../src/incidents/incidents.port.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { HookReceiver } from '../support/hook-receiver.js';
import { createRoom, DELETE, readRecording, STOP } from '../support/operations.js';
import { becomes, livekitToken, openRoom, started } from '../support/recording-life.js';

const ENDPOINT = 'id url events roomIds enabled disabledReason failingSince backlog';
const DELIVERY =
  'id type recordingId status payload attempts { at httpStatus durationMs error } nextAttemptAt createdAt';
const CREATE = `mutation($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { secret endpoint { ${ENDPOINT} } } }`;
const UPDATE = `mutation($input: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $input) { ${ENDPOINT} } }`;
const ROTATE = `mutation($id: ID!, $overlap: Int) { rotateWebhookSecret(id: $id, overlapSeconds: $overlap) { secret endpoint { id } } }`;
const REMOVE = `mutation($id: ID!) { deleteWebhookEndpoint(id: $id) { id } }`;
const TEST = `mutation($id: ID!) { testWebhookEndpoint(id: $id) { ${DELIVERY} } }`;
const REDELIVER = `mutation($id: ID!) { redeliverWebhook(deliveryId: $id) { id status } }`;
const RECOVER = `mutation($id: ID!, $since: DateTime!) { recoverWebhooks(endpointId: $id, since: $since) }`;
const READ = `query($id: ID!, $status: WebhookDeliveryStatus) { webhookEndpoint(id: $id) { ${ENDPOINT} deliveries(status: $status) { nodes { ${DELIVERY} } } } }`;
const ALL = [
  ...[
    'RECORDING_REQUESTED',
    'RECORDING_STARTED',
    'RECORDING_UPDATED',
    'RECORDING_ENDED',
    'RECORDING_DELETED',
  ],
  ...['INCIDENT_OPENED', 'INCIDENT_CLOSED'],
];

interface DeliverySeen {
  readonly id: string;
  readonly status: string;
  readonly type: string;
  readonly payload: { readonly type: string };
  readonly attempts: readonly { readonly httpStatus: number | null; readonly error: string | null }[];
}
interface EndpointSeen {
  readonly id: string;
  readonly enabled: boolean;
  readonly backlog: number;
  readonly failingSince: string | null;
  readonly disabledReason: string | null;
  readonly deliveries: { readonly nodes: readonly DeliverySeen[] };
}
interface Made {
  readonly secret: string;
  readonly endpoint: EndpointSeen;
}

describe('webhooks out', () => {
  let stack: TestStack;
  let one: TestInstance;
  let receivers: HookReceiver[] = [];
  let rooms = 0;

  beforeAll(async () => {
    stack = await startStack({ WEBHOOK_ALLOW_PRIVATE: 'true' });
    one = await stack.start();
  });
  afterAll(() => stack.close());
  afterEach(async () => {
    const { data } = await one.graphql<{ webhookEndpoints: { id: string }[] }>('{ webhookEndpoints { id } }');
    for (const { id } of data.webhookEndpoints) await one.graphql(REMOVE, { id });
    for (const receiver of receivers) await receiver.close();
    receivers = [];
  });

  const listen = async (): Promise<HookReceiver> => {
    const receiver = await HookReceiver.listen();
    receivers.push(receiver);
    return receiver;
  };
  const create = async (receiver: HookReceiver, input: object = {}): Promise<Made> => {
    const answer = await one.graphql<{ createWebhookEndpoint: Made } | null>(CREATE, {
      input: { url: receiver.url, events: ALL, ...input },
    });
    if (!answer.data) throw new Error(`${answer.code} ${answer.errors[0]?.message}`);
    receiver.secret = answer.data.createWebhookEndpoint.secret;
    return answer.data.createWebhookEndpoint;
  };
  const read = async (id: string, status?: string): Promise<EndpointSeen> => {
    const answer = await one.graphql<{ webhookEndpoint: EndpointSeen }>(READ, { id, status });
    if (answer.code) throw new Error(answer.errors[0]?.message);
    return answer.data.webhookEndpoint;
  };
  const newRoom = async (): Promise<string> => {
    const room = `hooked-${(rooms += 1)}`;
    await openRoom(stack, one, room);
    return room;
  };
  const record = async (room?: string): Promise<string> => {
    const { id } = await started(one, room ?? (await newRoom()));
    await one.graphql(STOP, { id });
    await becomes(one, id, { status: 'COMPLETE' });
    return id;
  };
  const told = (receiver: HookReceiver, id: string, type: string): Promise<void> =>
    eventually(async () => receiver.of(id).some((hook) => hook.type === type) || `no ${type} of ${id} yet`);

  it('tell every change of a recording, signed, in order and without a gap', async () => {
    const receiver = await listen();
    const { secret, endpoint } = await create(receiver);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{40,}=*$/);
    const id = await record();
    await told(receiver, id, 'recording.ended');
    const recording = await readRecording(one, id);
    await one.graphql(DELETE, { id });
    await told(receiver, id, 'recording.deleted');
    const hooks = receiver.of(id);
    expect(receiver.disbelieved).toEqual([]);
    const versions = hooks.map((hook) => hook.body.data.version);
    expect(versions).toEqual(versions.map((_, i) => i + 1));
    const types = hooks.map(({ type }) => type);
    expect(types[0]).toBe('recording.requested');
    expect(types.filter((type) => type !== 'recording.updated')).toEqual([
      ...['recording.requested', 'recording.started', 'recording.ended', 'recording.deleted'],
    ]);
    const ended = hooks.find(({ type }) => type === 'recording.ended');
    expect(ended?.body).toEqual({
      type: 'recording.ended',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      data: {
        recording: expect.objectContaining({
          ...{ id, status: 'COMPLETE', mediaPath: `/recordings/${id}/media`, roomId: recording.roomId },
          ...{ startedAt: recording.startedAt, endedAt: recording.endedAt, labels: {}, continues: null },
        }) as object,
        ...{ previousStatus: 'ENDING', version: expect.any(Number) as number, cause: 'livekit' },
      },
    });
    expect(JSON.stringify(ended?.body)).not.toContain('mediaUrl');
    expect(new Set(hooks.map((hook) => hook.id)).size).toBe(hooks.length);
    await eventually(async () => (await read(endpoint.id)).backlog === 0 || 'some wait');
    const { nodes } = (await read(endpoint.id, 'DELIVERED')).deliveries;
    expect(nodes.map((delivery) => delivery.id)).toEqual(hooks.map((hook) => hook.id).toReversed());
    expect(nodes[0]).toMatchObject({
      payload: hooks.at(-1)?.body,
      attempts: [{ httpStatus: 200, error: null }],
    });
  });

  it('tell an endpoint what it asked for, of the rooms it asked for, from when it was made', async () => {
    const [before, mine] = [await newRoom(), await newRoom()];
    await record(before);
    const receiver = await listen();
    await create(receiver, { events: ['RECORDING_ENDED'], roomIds: [mine] });
    await record(before);
    const id = await record(mine);
    await told(receiver, id, 'recording.ended');
    expect(receiver.came.map(({ type, recording }) => [type, recording.id])).toEqual([
      ['recording.ended', id],
    ]);
  });

  it('hold back what is behind a failure, of that recording alone, and try again', async () => {
    const receiver = await listen();
    let poor: string | null = null;
    let failures = 0;
    receiver.manner = ({ recording, type }) => {
      if (type === 'recording.started' && recording.roomId === poor && failures < 1) {
        failures += 1;
        return 503;
      }
      return 200;
    };
    const { endpoint } = await create(receiver);
    poor = await newRoom();
    const [first, second] = [await record(poor), await record()];
    await told(receiver, second, 'recording.ended');
    expect(receiver.of(first).map(({ type }) => type)).not.toContain('recording.started');
    expect(receiver.of(first).map(({ type }) => type)).not.toContain('recording.ended');
    const waiting = await read(endpoint.id, 'PENDING');
    expect(waiting.failingSince === null || waiting.backlog > 0).toBe(true);
    expect(waiting.deliveries.nodes.find(({ attempts }) => attempts.length > 0)?.attempts).toMatchObject([
      { httpStatus: 503, error: 'answered 503' },
    ]);
    await told(receiver, first, 'recording.ended');
    const versions = receiver.of(first).map(({ recording }) => recording.version);
    expect(versions).toEqual(versions.map((_, i) => i + 1));
    expect((await read(endpoint.id)).failingSince).toBeNull();
  });

  it('cost the others nothing where one receiver is dead, and follow no redirect', async () => {
    const [dead, moved, well] = [await listen(), await listen(), await listen()];
    dead.manner = () => null;
    moved.manner = () => 302;
    const [ofDead, ofMoved] = [await create(dead), await create(moved)];
    await create(well);
    const id = await record();
    const at = Date.now();
    await told(well, id, 'recording.ended');
    expect(Date.now() - at).toBeLessThan(4_000);
    await eventually(
      async () =>
        (await read(ofDead.endpoint.id)).deliveries.nodes.some(
          ({ attempts }) => attempts[0]?.error === 'no answer within 5 s',
        ) || 'no attempt has failed yet',
    );
    expect(moved.came.map(({ path }) => path)).not.toContain('/elsewhere');
    const { deliveries } = await read(ofMoved.endpoint.id);
    expect(deliveries.nodes.some(({ attempts }) => attempts[0]?.httpStatus === 302)).toBe(true);
  });

  it('are signed with both secrets while one is rotated', async () => {
    const receiver = await listen();
    const { endpoint, secret } = await create(receiver);
    const rotated = await one.graphql<{ rotateWebhookSecret: Made }>(ROTATE, {
      id: endpoint.id,
      overlap: 60,
    });
    const tested = await one.graphql<{ testWebhookEndpoint: DeliverySeen }>(TEST, { id: endpoint.id });
    expect(tested.data.testWebhookEndpoint).toMatchObject({
      status: 'DELIVERED',
      attempts: [{ httpStatus: 200 }],
    });
    expect(receiver.came.at(-1)?.signatures).toHaveLength(2);
    receiver.secret = rotated.data.rotateWebhookSecret.secret;
    await one.graphql(TEST, { id: endpoint.id });
    expect(receiver.came).toHaveLength(2);
    await one.graphql(ROTATE, { id: endpoint.id, overlap: 0 });
    receiver.secret = secret;
    const refused = await one.graphql<{ testWebhookEndpoint: DeliverySeen }>(TEST, { id: endpoint.id });
    expect(refused.data.testWebhookEndpoint).toMatchObject({
      status: 'FAILED',
      attempts: [{ httpStatus: 401 }],
    });
  });

  it('are sent again by hand, one by one or all since then', async () => {
    const receiver = await listen();
    const { endpoint } = await create(receiver);
    const since = new Date().toISOString();
    const id = await record();
    await told(receiver, id, 'recording.ended');
    const [last] = (await read(endpoint.id, 'DELIVERED')).deliveries.nodes;
    const again = await one.graphql<{ redeliverWebhook: DeliverySeen }>(REDELIVER, { id: last?.id });
    expect(again.data.redeliverWebhook).toEqual({ id: last?.id, status: 'PENDING' });
    await eventually(
      async () => receiver.came.filter((hook) => hook.id === last?.id).length === 2 || 'not sent again',
    );
    const count = receiver.of(id).length;
    const recovered = await one.graphql<{ recoverWebhooks: number }>(RECOVER, { id: endpoint.id, since });
    expect(recovered.data.recoverWebhooks).toBeGreaterThanOrEqual(4);
    await eventually(
      async () => receiver.of(id).length >= count + recovered.data.recoverWebhooks || 'not all have come',
    );
  });

  it('wait for who runs jobs, however short the log is kept and whatever dies in between', async () => {
    const api = await stack.start({ ROLE: 'api', EVENT_LOG_RETENTION: '1s' });
    const receiver = await listen();
    await create(receiver, { events: ['RECORDING_REQUESTED', 'RECORDING_ENDED'] });
    const id = await record();
    await told(receiver, id, 'recording.ended');
    await api.close();
    receiver.manner = () => 500;
    const later = await record();
    await eventually(async () => {
      const lanes = await stack.redisClient.keys('{tl}:webhooks:lane:*');
      return lanes.some((key) => key.endsWith(later)) || 'no delivery is filed';
    });
    receiver.manner = () => 200;
    await told(receiver, later, 'recording.ended');
  });

  it('tell nothing to an endpoint that is switched off, and go on when it is switched on', async () => {
    const receiver = await listen();
    const { endpoint } = await create(receiver);
    const off = await one.graphql<{ updateWebhookEndpoint: EndpointSeen }>(UPDATE, {
      input: { id: endpoint.id, enabled: false },
    });
    expect(off.data.updateWebhookEndpoint).toMatchObject({
      enabled: false,
      disabledReason: 'switched off by key:admin',
    });
    const unheard = await record();
    await one.graphql(UPDATE, { input: { id: endpoint.id, enabled: true, events: ['RECORDING_ENDED'] } });
    const heard = await record();
    await told(receiver, heard, 'recording.ended');
    expect(receiver.came.map(({ recording }) => recording.id)).not.toContain(unheard);
    expect(receiver.came.map(({ type }) => type)).toEqual(['recording.ended']);
  });

  it('have secrets at rest that only this deployment can read, and come back from the storage', async () => {
    const receiver = await listen();
    const { endpoint, secret } = await create(receiver, { events: ['RECORDING_ENDED'] });
    const row = await stack.redisClient.hget('{tl}:kept:endpoints', endpoint.id);
    expect(row).not.toContain(secret.slice(8, 20));
    await stack.redisClient.flushall();
    await eventually(
      async () =>
        (await one.graphql<{ webhookEndpoint: EndpointSeen | null } | null>(READ, { id: endpoint.id })).data
          ?.webhookEndpoint?.id === endpoint.id || 'not back yet',
    );
    const id = await record();
    await told(receiver, id, 'recording.ended');
  });

  it('tell of incidents, when they open and when they close, those that are for every room', async () => {
    const [all, some] = [await listen(), await listen()];
    await create(all, { events: ['INCIDENT_OPENED', 'INCIDENT_CLOSED'] });
    await create(some, { events: ['INCIDENT_OPENED', 'INCIDENT_CLOSED'], roomIds: ['a'] });
    const incidents = one.app.get(Incidents, { strict: false });
    for (let times = 0; times < 3; times += 1)
      await incidents.open('breaker_open', 'STALE_RECORDINGS', 'look');
    for (let times = 0; times < 3; times += 1) await incidents.close('breaker_open', 'STALE_RECORDINGS');
    await eventually(async () => all.taken.length >= 2 || 'not told yet');
    expect(all.taken.map(({ type }) => type)).toEqual(['incident.opened', 'incident.closed']);
    expect(all.taken[1]?.body.data.incident).toMatchObject({
      ...{ kind: 'breaker_open', subject: 'STALE_RECORDINGS', detail: 'look' },
      closedAt: expect.stringMatching(/Z$/) as string,
    });
    expect(some.came).toEqual([]);
  });

  it('are managed by no one but an ADMIN of every room', async () => {
    const recorder = await livekitToken({ roomAdmin: true });
    const input = { url: 'https://example.com', events: ['RECORDING_ENDED'] };
    const asked: [string, object][] = [
      [CREATE, { input }],
      [UPDATE, { input: { id: 'whe_x' } }],
      [ROTATE, { id: 'whe_x' }],
      [REMOVE, { id: 'whe_x' }],
      [TEST, { id: 'whe_x' }],
      [REDELIVER, { id: 'whd_x' }],
      [RECOVER, { id: 'whe_x', since: new Date().toISOString() }],
    ];
    for (const [query, variables] of asked) {
      expect([query, (await one.graphql(query, variables, recorder)).code]).toEqual([query, 'FORBIDDEN']);
      if (query === CREATE) continue;
      const code = query === REDELIVER ? 'NOT_FOUND' : 'WEBHOOK_ENDPOINT_NOT_FOUND';
      expect([query, (await one.graphql(query, variables)).code]).toEqual([query, code]);
    }
    expect((await one.graphql('{ webhookEndpoints { id } }', {}, recorder)).code).toBe('FORBIDDEN');
    expect((await one.graphql(READ, { id: 'whe_x' })).data).toEqual({ webhookEndpoint: null });
  });

  it.each([
    [{ url: 'ftp://example.com', events: ['RECORDING_ENDED'] }, 'BAD_USER_INPUT'],
    [{ url: 'not an address', events: ['RECORDING_ENDED'] }, 'BAD_USER_INPUT'],
    [{ url: 'https://example.com', events: [] }, 'BAD_USER_INPUT'],
    [{ url: 'https://example.com', events: ['RECORDING_ENDED'], roomIds: [] }, 'BAD_USER_INPUT'],
    [{ url: 'https://user:secret@example.com', events: ['RECORDING_ENDED'] }, 'WEBHOOK_URL_REFUSED'],
  ])('are refused as %j with %s', async (input, code) => {
    expect((await one.graphql(CREATE, { input })).code).toBe(code);
  });

  describe('without WEBHOOK_ALLOW_PRIVATE', () => {
    let strict: TestInstance;
    beforeAll(async () => {
      strict = await stack.start({ WEBHOOK_ALLOW_PRIVATE: 'false' });
    });

    it.each([
      ...['http://127.0.0.1:9/', 'http://localhost/', 'http://[::1]/', 'http://[::ffff:127.0.0.1]/'],
      ...['http://10.1.2.3/', 'http://192.168.0.1/', 'http://169.254.169.254/latest', 'http://100.64.0.1/'],
      ...[
        'http://[fd00:ec2::254]/',
        'http://2130706433/',
        'http://0x7f.1/',
        'http://0/',
        'http://redis:6379/',
      ],
    ])('refuse %s', async (url) => {
      const refused = await strict.graphql(CREATE, { input: { url, events: ['RECORDING_ENDED'] } });
      expect(refused.code).toBe('WEBHOOK_URL_REFUSED');
    });

    it('connect to no such address, whoever stored it', async () => {
      const receiver = await listen();
      const { endpoint } = await create(receiver);
      const tested = await strict.graphql<{ testWebhookEndpoint: DeliverySeen }>(TEST, { id: endpoint.id });
      expect(tested.data.testWebhookEndpoint.status).toBe('FAILED');
      expect(tested.data.testWebhookEndpoint.attempts[0]?.error).toContain('public ones alone');
      expect(receiver.came).toEqual([]);
    });
  });

  it('are not needed for a room to be recorded', async () => {
    await createRoom(one, 'unheard');
    expect((await one.graphql('{ webhookEndpoints { id } }')).data).toEqual({ webhookEndpoints: [] });
  });
});
