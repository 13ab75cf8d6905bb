import { AccessToken } from 'livekit-server-sdk';
import { eventually } from '../../../test/support/eventually.js';
import {
  type GoldenCall,
  type GoldenCase,
  GOLDEN_KEYS,
  goldenCase,
} from '../../../test/support/golden-payloads.js';
import { type RunningSimulator, startSimulator } from './start-simulator.js';
import { scaledTimings } from './timings.js';

interface Director {
  /** Before the first call; absent: somebody publishes in the room. */
  readonly setting?: (simulator: RunningSimulator, room: string) => void;
  /** Right before a call. */
  readonly before?: (simulator: RunningSimulator, call: GoldenCall, egressId: string) => void;
  /** Fields in which the real answer speaks of its own machine. */
  readonly unlike?: readonly string[];
}

/** How each case that was recorded on a real server is brought about here. */
const CASES: Record<string, Director> = {
  'audio-complete': {},
  'video-complete': {},
  'stopped-while-starting': { setting: () => undefined },
  'room-deleted-while-active': {},
  'limit-reached': {
    before: ({ engine }, call, egressId) => {
      if (call.method.endsWith('ListEgress')) engine.endEgress(egressId, 'limit-reached');
    },
  },
  'upload-refused': {
    setting: ({ engine }, room) => {
      engine.openRoom(room);
      engine.setFault({ name: 'upload-refused', room });
    },
    unlike: ['error'],
  },
  'launch-failed': {
    setting: ({ engine }, room) => {
      engine.openRoom(room);
      engine.setFault({ name: 'handler-failed', room });
    },
    unlike: ['code', 'msg', 'error'],
  },
  'worker-killed': {
    before: ({ engine }, call) => {
      if (call.note === 'worker dead') engine.killWorker({ withChild: false });
    },
  },
  'file-and-segments': {},
  refusals: { setting: () => undefined },
};

/** Fast, but for the uploads: a second stop must find the egress ENDING. */
const FAST = scaledTimings(0.03);
const TIMINGS = {
  ...FAST,
  audio: { ...FAST.audio, uploadMs: 400 },
  browser: { ...FAST.browser, uploadMs: 400 },
};

/** Of a 200, only these must be equal and not only of the same kind. */
const EQUAL_FIELDS = ['status', 'source_type', 'error', 'error_code', 'details', 'code', 'msg', 'meta'];

/** What an egress has uploaded. */
const written: string[] = [];

describe('what a real server answered and told, asked of the simulator', () => {
  it.each(Object.keys(CASES))('%s', async (name) => {
    written.length = 0;
    const golden = goldenCase(name);
    const director = CASES[name] ?? {};
    const simulator = await startSimulator({
      ...GOLDEN_KEYS,
      timings: TIMINGS,
      writeMedia: async ({ filepath }) => {
        written.push(filepath);
      },
    });
    const told: Record<string, unknown>[] = [];
    simulator.engine.setReceiver(async ({ body }) => {
      told.push(JSON.parse(body.toString()));
      return { status: 200 };
    });
    try {
      const room = roomOf(golden);
      (director.setting ?? (() => simulator.engine.openRoom(room)))(simulator, room);
      const pairs = [
        ...(await replay(simulator, golden, director)),
        ...(await compareWebhooks(golden, told)),
      ];
      expect(pairs.map(({ what, ours }) => ({ what, seen: ours }))).toEqual(
        pairs.map(({ what, theirs }) => ({ what, seen: theirs })),
      );
    } finally {
      await simulator.close();
    }
  });
});

/** What is to be equal, here and on the real server. */
interface Pair {
  readonly what: string;
  readonly ours: unknown;
  readonly theirs: unknown;
}

async function replay(simulator: RunningSimulator, golden: GoldenCase, director: Director): Promise<Pair[]> {
  const pairs: Pair[] = [];
  let egressId = '';
  for (const call of golden.calls) {
    const request = { ...call.request };
    if (typeof request['egress_id'] === 'string' && !request['egress_id'].startsWith('EG_unknown')) {
      request['egress_id'] = egressId;
    }
    await untilReady(simulator, call, egressId, director);
    const { status, type, body } = await ask(simulator, call, request);
    const what = `${call.method} ${call.note ?? ''}`;
    pairs.push({ what, ours: [status, type], theirs: [call.status, call.content_type] });
    const isJson = type === 'application/json';
    pairs.push(
      ...(isJson
        ? compareBodies(what, body, call.response, director.unlike)
        : [{ what, ours: body, theirs: call.response }]),
    );
    if (status === 200 && call.method.includes('Start'))
      egressId = String(Object(JSON.parse(body)).egress_id);
  }
  return pairs;
}

function compareBodies(what: string, body: string, response: string, unlike: readonly string[] = []): Pair[] {
  const ours: unknown = JSON.parse(body);
  const theirs: unknown = JSON.parse(response);
  return [
    { what, ours: shapeOf(ours, theirs), theirs: shapeOf(theirs, ours) },
    { what, ours: equalFields(ours, unlike), theirs: equalFields(theirs, unlike) },
  ];
}

/** A real server was given its time between the calls; here what it showed then is waited for. */
async function untilReady(
  simulator: RunningSimulator,
  call: GoldenCall,
  egressId: string,
  director: Director,
): Promise<void> {
  if (egressId === '') return;
  const { engine } = simulator;
  const listed = () => Object(engine.egress(egressId)?.toJson()).status ?? 'EGRESS_STARTING';
  const isFirstAfterStart = listed() === 'EGRESS_STARTING';
  const waitsForSignal = call.response.includes('EGRESS_ABORTED');
  if (isFirstAfterStart && !waitsForSignal) {
    await eventually(() => listed() === 'EGRESS_ACTIVE' || `the egress is ${listed()}`);
  }
  if (isFirstAfterStart && waitsForSignal) {
    const recorder = () => engine.rooms.list([]).some(({ activeRecording }) => activeRecording);
    await eventually(() => recorder() || 'no recorder is in the room');
  }
  if (call.response.includes('"segment_count":"1"')) {
    await eventually(() => written.some((path) => path.endsWith('live.m3u8')) || 'there is no segment yet');
  }
  director.before?.(simulator, call, egressId);
  const shown = /"items":\[\{.*"status":"(EGRESS_\w+)"/.exec(call.response)?.[1];
  if (shown) await eventually(() => listed() === shown || `the egress is ${listed()}, not ${shown}`);
}

async function ask(
  simulator: RunningSimulator,
  call: GoldenCall,
  request: Record<string, unknown>,
): Promise<{ status: number; type: string | null; body: string }> {
  const answer = await fetch(`${simulator.url}/twirp/${call.method}`, {
    method: 'POST',
    headers: { authorization: await authorizationFor(call) },
    body: JSON.stringify(request),
  });
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() };
}

async function authorizationFor(call: GoldenCall): Promise<string> {
  if (call.note === 'malformed header') return 'Basic nothing';
  const key = call.note === 'unknown key' ? 'nokey' : GOLDEN_KEYS.apiKey;
  const token = new AccessToken(key, GOLDEN_KEYS.apiSecret);
  const room = String(call.request['room'] ?? '');
  const grants = { roomList: true, roomCreate: true, roomAdmin: true, room };
  token.addGrant(call.note === 'grant missing' ? grants : { ...grants, roomRecord: true });
  return `Bearer ${await token.toJwt()}`;
}

type Told = Record<string, unknown>;

/** The same events about the egress in the same order, and all that is told of rooms and recorders with the same fields. */
async function compareWebhooks(golden: GoldenCase, told: readonly Told[]): Promise<Pair[]> {
  const theirs = golden.webhooks.map(({ body }): Told => JSON.parse(body));
  const theirEgress = theirs.filter(isEgress);
  await eventually(
    () => told.filter(isEgress).length === theirEgress.length || `told: ${told.map(nameOf).join()}`,
  );
  const order = { what: 'order', ours: told.filter(isEgress).map(nameOf), theirs: theirEgress.map(nameOf) };
  const shapes = told
    .filter((event) => isEgress(event) || isOfRoomOrRecorder(event))
    .flatMap((ours): Pair[] => {
      const same = theirs.find(
        (event) => nameOf(event) === nameOf(ours) && isRecorder(event) === isRecorder(ours),
      );
      if (!same) return [];
      return [
        {
          what: nameOf(ours),
          ours: shapeOf(comparable(ours), same),
          theirs: shapeOf(comparable(same), ours),
        },
      ];
    });
  return [order, ...shapes];
}

function isOfRoomOrRecorder(event: Told): boolean {
  return String(event['event']).startsWith('room_') || isRecorder(event);
}

function isRecorder({ participant }: Told): boolean {
  return String(Object(participant).identity).startsWith('EG_');
}

/** Shown late, or said by a client of its own abilities. */
const INCOMPARABLE = ['numParticipants', 'numPublishers', 'clientProtocol', 'capabilities'];

function comparable(event: Told): Told {
  return JSON.parse(
    JSON.stringify(event, (name, value: unknown) => (INCOMPARABLE.includes(name) ? undefined : value)),
  );
}

function isEgress({ event }: Told): boolean {
  return String(event).startsWith('egress_');
}

function nameOf({ event, egressInfo }: Told): string {
  return `${String(event)} ${Object(egressInfo).status ?? ''}`;
}

/** Names and kinds, without values; of a list the first item, and nothing where the other side has none. */
function shapeOf(value: unknown, other: unknown): unknown {
  if (Array.isArray(value)) {
    const isComparable = value.length > 0 && Array.isArray(other) && other.length > 0;
    return isComparable ? [shapeOf(value[0], other[0])] : 'list';
  }
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, shapeOf(Object(value)[name], Object(other)[name])]));
}

function equalFields(value: unknown, unlike: readonly string[]): unknown {
  const item: unknown = Object(value).items?.[0] ?? value;
  const fields = EQUAL_FIELDS.filter((name) => !unlike.includes(name));
  return Object.fromEntries(fields.map((name) => [name, Object(item)[name]]));
}

function roomOf({ calls }: GoldenCase): string {
  const start = calls.find(({ method }) => method.endsWith('StartRoomCompositeEgress'));
  return String(start?.request['room_name']);
}
