import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { SystemClock } from '../../src/kernel/clock.js';
import { JwtWebhookVerifier } from '../../src/livekit/jwt-webhook.verifier.js';
import { RefusedWebhooks } from '../../src/livekit/refused-webhooks.js';
import { type RunningSimulator, startSimulator } from '../../src/livekit/simulator/start-simulator.js';
import { scaledTimings } from '../../src/livekit/simulator/timings.js';
import { aConfig } from '../support/a-config.js';
import { eventually } from '../support/eventually.js';
import { type GoldenCall, GOLDEN_KEYS, goldenCase } from '../support/golden-payloads.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const ALL: VideoGrant = { roomRecord: true, roomList: true, roomCreate: true, roomAdmin: true };
const FAST = scaledTimings(0.05);
const TIMINGS = {
  ...FAST,
  audio: { ...FAST.audio, uploadMs: 400 },
  browser: { ...FAST.browser, uploadMs: 400 },
};

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

let simulator: RunningSimulator;
let webhooks: WebhookReceiver;
/** The simulator's ids under those of the payloads. */
let ids: Map<string, string>;

beforeEach(async () => {
  const config = aConfig({ LIVEKIT_API_KEY: GOLDEN_KEYS.apiKey, LIVEKIT_API_SECRET: GOLDEN_KEYS.apiSecret });
  webhooks = await WebhookReceiver.listen(
    new JwtWebhookVerifier(config, new SystemClock(), new RefusedWebhooks(new SystemClock())),
  );
  simulator = await startSimulator({
    ...GOLDEN_KEYS,
    webhookUrl: webhooks.url,
    timings: TIMINGS,
    writeMedia: () => Promise.resolve(),
  });
  ids = new Map();
});

afterEach(async () => {
  await simulator.close();
  await webhooks.close();
});

async function authorizationFor({ note, request }: GoldenCall): Promise<string> {
  if (note === 'malformed header') return 'nothing of the kind';
  const key = note === 'unknown key' ? 'nokey' : GOLDEN_KEYS.apiKey;
  const token = new AccessToken(key, GOLDEN_KEYS.apiSecret);
  const room = request.room ?? request.room_name;
  token.addGrant(
    note === 'grant missing' ? { roomList: true } : { ...ALL, ...(typeof room === 'string' ? { room } : {}) },
  );
  return `Bearer ${await token.toJwt()}`;
}

/** Asks the simulator what the real server was asked. */
async function replay(
  call: GoldenCall,
): Promise<{ status: number; contentType: string | null; text: string }> {
  const body = [...ids].reduce(
    (text, [golden, ours]) => text.replaceAll(golden, ours),
    JSON.stringify(call.request),
  );
  const response = await fetch(`${simulator.url}/twirp/${call.method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: await authorizationFor(call) },
    body,
  });
  const text = await response.text();
  if (call.method.includes('/Start') && response.ok) ids.set(idIn(call.response), idIn(text));
  return { status: response.status, contentType: response.headers.get('content-type'), text };
}

const idIn = (text: string): string => (JSON.parse(text) as { egress_id: string }).egress_id;

/** What a publisher's own client brought along; the simulator has none. */
const OF_THE_CLIENT = ['capabilities', 'client_protocol', 'clientProtocol'];

/** What a payload says apart from its names, numbers and instants: zero and empty stay, and so do words in capitals. */
function shapeOf(value: Json, name = ''): Json {
  if (Array.isArray(value)) {
    if (name === 'tracks') return value.length > 0;
    return [...new Set(value.map((item) => JSON.stringify(shapeOf(item))))].toSorted();
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([key]) => !OF_THE_CLIENT.includes(key));
    const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted.map(([key, item]) => [key, shapeOf(item, key)]));
  }
  if (typeof value === 'number') return value === 0 ? 0 : 'a number';
  if (typeof value !== 'string' || value === '') return value;
  // First of all: an id can happen to be made of capitals alone, like a protocol's word.
  const id = /^(EG|RM|PA|TR|EV)_(?=\w{12})/.exec(value);
  if (id !== null) return id[0];
  if (EXACT.test(value)) return value;
  if (/^\d+$/.test(value)) return value === '0' ? '0' : 'digits';
  return 'a text';
}

/** Words of a protocol, and the egress' own about its end. */
const EXACT =
  /^([A-Z0-9_]*[A-Z][A-Z0-9_]*|(egress|room|participant|track)_[a-z]+|End reason: .*|Start signal .*)$/;

async function expectSame(call: GoldenCall): Promise<void> {
  const ours = await replay(call);
  const parse = (text: string): Json =>
    call.content_type.startsWith('application/json') ? (JSON.parse(text) as Json) : text;
  const shape = call.status === 200 ? shapeOf : (json: Json): Json => json;
  expect({
    method: call.method,
    status: ours.status,
    type: ours.contentType,
    body: shape(parse(ours.text)),
  }).toEqual({
    method: call.method,
    status: call.status,
    type: call.content_type,
    body: shape(parse(call.response)),
  });
}

/** Each of the case's (first) webhooks has come with the same content, in whatever order between its room and its egress. */
async function expectWebhooks(name: string, first = Infinity): Promise<void> {
  const shapes = (bodies: readonly string[]): string[] =>
    [...new Set(bodies.map((body) => JSON.stringify(shapeOf(JSON.parse(body) as Json))))]
      .filter((shape) => !shape.includes('"track_'))
      .toSorted();
  const wanted = shapes(
    goldenCase(name)
      .webhooks.slice(0, first)
      .map(({ body }) => body),
  );
  await eventually(() => webhooks.bodies.length >= wanted.length || 'webhooks are missing');
  await eventually(() => {
    expect(shapes(webhooks.bodies)).toEqual(wanted);
    return true;
  });
}

function recorderHasJoined(): Promise<void> {
  return eventually(
    () => webhooks.events.some(({ kind }) => kind === 'participant-joined') || 'no recorder has joined',
  );
}

function untilStatus(status: string): Promise<void> {
  return eventually(() => {
    const [egress] = simulator.engine.egresses();
    return egress?.toJsonString().includes(`EGRESS_${status}`) || `the egress is not ${status}`;
  });
}

it('the simulator refuses in the words of a real server', async () => {
  for (const call of goldenCase('refusals').calls) await expectSame(call);
  await expectWebhooks('refusals');
});

it('the simulator answers like a real server from the start of an egress to its end', async () => {
  simulator.engine.openRoom('audio', { publishers: ['somebody'] });
  for (const call of goldenCase('audio-complete').calls) {
    const isFirstLook = call.method.endsWith('/ListEgress') && call.response.includes('EGRESS_ACTIVE');
    if (isFirstLook) await untilStatus('ACTIVE');
    if (call.response.includes('EGRESS_COMPLETE')) await untilStatus('COMPLETE');
    await expectSame(call);
  }
  await expectWebhooks('audio-complete', 9);
});

it('the simulator stays as silent as a real server whose worker was killed', async () => {
  simulator.engine.openRoom('zombie', { publishers: ['somebody'] });
  const [start, ...questions] = goldenCase('worker-killed').calls;
  await expectSame(start!);
  await untilStatus('ACTIVE');
  simulator.engine.killWorker({ withChild: false });
  for (const call of questions) await expectSame(call);
});

it('the simulator aborts like a real server what had not begun', async () => {
  for (const call of goldenCase('stopped-while-starting').calls) {
    if (call.method.endsWith('/StopEgress')) await recorderHasJoined();
    await expectSame(call);
  }
  await expectWebhooks('stopped-while-starting');
});
