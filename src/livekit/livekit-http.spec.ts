import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { aConfig } from '../../test/support/a-config.js';
import {
  GOLDEN_CASES,
  type GoldenCall,
  GOLDEN_KEYS,
  goldenCase,
} from '../../test/support/golden-payloads.js';
import { isTallyError } from '../kernel/errors.js';
import { HttpLiveKit } from './livekit-http.js';
import type { StartEgress } from './livekit.types.js';

type Answer = Pick<GoldenCall, 'status' | 'content_type' | 'response'>;
interface Asked {
  readonly path: string;
  readonly authorization: string;
  readonly body: Record<string, unknown>;
}

/** What the server under the adapter does with a request; `silent` takes it and says nothing. */
type Behaviour = (asked: Asked) => Answer | 'silent' | 'hang-up';

const START: StartEgress = {
  roomName: 'audio',
  layout: 'grid',
  preset: 'H264_720P_30',
  audioOnly: true,
  output: { kind: 'file', filepath: 'a.ogg' },
};

let server: Server;
let behaviour: Behaviour;
let asked: Asked[];

beforeAll(async () => {
  server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

beforeEach(() => {
  asked = [];
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const one: Asked = {
    path: request.url ?? '',
    authorization: request.headers.authorization ?? '',
    body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>,
  };
  asked.push(one);
  const answer = behaviour(one);
  if (answer === 'hang-up') return void request.socket.destroy();
  if (answer === 'silent') return;
  response.writeHead(answer.status, { 'content-type': answer.content_type }).end(answer.response);
}

function livekit(env: Record<string, string> = {}): HttpLiveKit {
  const { port } = server.address() as AddressInfo;
  return new HttpLiveKit(
    aConfig({
      LIVEKIT_URL: `ws://127.0.0.1:${port}`,
      LIVEKIT_API_KEY: GOLDEN_KEYS.apiKey,
      LIVEKIT_API_SECRET: GOLDEN_KEYS.apiSecret,
      ...env,
    }),
  );
}

function json(status: number, body: unknown): Answer {
  return { status, content_type: 'application/json', response: JSON.stringify(body) };
}

function refusal(status: number, code: string, msg = 'no'): Answer {
  return json(status, { code, msg });
}

/** The golden answer to a method with this status, and what the note or the id says where there are several. */
function golden(name: string, method: string, status: number, note = ''): Answer {
  const found = goldenCase(name).calls.find(
    (call) =>
      call.method.endsWith(`/${method}`) && call.status === status && JSON.stringify(call).includes(note),
  );
  if (!found) throw new Error(`${name} holds no ${method} with ${status} ${note}`);
  return found;
}

const always =
  (answer: Answer): Behaviour =>
  () =>
    answer;

async function failureOf(promise: Promise<unknown>): Promise<{ message: string; everything: string }> {
  const error: unknown = await promise.then(
    (value) => new Error(`it did not fail but gave ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!isTallyError(error, 'LIVEKIT_UNAVAILABLE')) throw error;
  const { cause } = error;
  return {
    message: error.message,
    everything: [
      error.message,
      cause instanceof Error ? `${cause.message} ${JSON.stringify(cause)}` : cause,
    ].join(' '),
  };
}

describe('a start', () => {
  it.each([
    [
      'a room that is not open',
      golden('refusals', 'StartRoomCompositeEgress', 404),
      404,
      'requested room does not exist',
    ],
    [
      'a missing output',
      golden('refusals', 'StartRoomCompositeEgress', 400, 'no output'),
      400,
      'invalid field: output',
    ],
    ['bad credentials', golden('refusals', 'ListEgress', 401, 'unknown key'), 401, 'refused our credentials'],
    ['too many requests', refusal(429, 'resource_exhausted'), 429, '429'],
    [
      'something in between that is not LiveKit',
      { ...golden('refusals', 'Nope', 404), content_type: 'text/html' },
      404,
      'check LIVEKIT_URL',
    ],
  ])('is refused for %s, with the reason in words', async (_case, answer, status, why) => {
    behaviour = always(answer);
    const outcome = await livekit().startEgress(START);
    expect(outcome).toMatchObject({ kind: 'refused', status, why: expect.stringContaining(why) });
  });

  it.each([
    ['no worker was there', golden('worker-killed', 'StartRoomCompositeEgress', 503), 503],
    ['its worker failed', golden('launch-failed', 'StartRoomCompositeEgress', 500), 500],
    ['its worker answered late', refusal(408, 'deadline_exceeded'), 408],
    ['its id was taken already', refusal(409, 'already_exists', 'egress already exists'), 409],
    ['a proxy gave up', { status: 504, content_type: 'text/html', response: '<html>' }, 504],
    [
      'the answer was no egress',
      { status: 200, content_type: 'application/json', response: '{"egress_id":' },
      200,
    ],
    ['it was sent elsewhere', { status: 302, content_type: 'text/html', response: '' }, 302],
  ])('has an unknown outcome when %s, though an answer came', async (_case, answer, status) => {
    behaviour = always(answer);
    expect(await livekit().startEgress(START)).toMatchObject({ kind: 'unknown', answered: true, status });
  });

  it('has an unknown outcome without an answer when the answer is lost', async () => {
    behaviour = () => 'hang-up';
    expect(await livekit().startEgress(START)).toMatchObject({
      kind: 'unknown',
      answered: false,
      status: null,
    });
  });

  it('has an unknown outcome when no answer comes within its own limit, and is asked once', async () => {
    behaviour = () => 'silent';
    const outcome = await livekit({ LIVEKIT_START_TIMEOUT: '77ms' }).startEgress(START);
    expect(outcome).toEqual({
      kind: 'unknown',
      answered: false,
      status: null,
      why: 'LiveKit did not answer StartRoomCompositeEgress within 0.077 s',
    });
    expect(asked).toHaveLength(1);
  });

  it('is accepted with the egress as it is', async () => {
    behaviour = always(golden('audio-complete', 'StartRoomCompositeEgress', 200));
    expect(await livekit().startEgress(START)).toMatchObject({
      kind: 'accepted',
      egress: { egressId: 'EG_kb9t2XUApQX2', status: 'STARTING', filepath: 'tl/recordings/audio/rec_1.ogg' },
    });
    expect(asked).toMatchObject([
      {
        path: '/twirp/livekit.Egress/StartRoomCompositeEgress',
        body: { roomName: 'audio', audioOnly: true },
      },
    ]);
  });
});

describe('a stop', () => {
  it.each([
    [
      'is taken',
      golden('audio-complete', 'StopEgress', 200),
      { kind: 'stopping', egress: { status: 'ENDING' } },
    ],
    [
      'before it began aborts it',
      golden('stopped-while-starting', 'StopEgress', 200),
      { kind: 'stopping', egress: { status: 'ABORTED' } },
    ],
    [
      'of what has ended names its status',
      golden('audio-complete', 'StopEgress', 412),
      { kind: 'not-stoppable', status: 'COMPLETE' },
    ],
    [
      'of what is ending without a worker names that too',
      refusal(
        412,
        'failed_precondition',
        'twirp error unknown: egress with status EGRESS_ENDING cannot be stopped',
      ),
      { kind: 'not-stoppable', status: 'ENDING' },
    ],
    ['of an unknown egress says so', golden('audio-complete', 'StopEgress', 404), { kind: 'not-known' }],
    [
      'without a worker is not answered by one',
      golden('worker-killed', 'StopEgress', 408),
      { kind: 'no-answer-from-worker' },
    ],
    [
      'without a worker, on an older server',
      golden('worker-killed', 'UpdateStream', 503),
      { kind: 'no-answer-from-worker' },
    ],
  ])('%s', async (_case, answer, outcome) => {
    behaviour = always(answer);
    expect(await livekit().stopEgress('EG_1')).toMatchObject(outcome);
  });
});

describe('the question whether a worker lives', () => {
  it.each([
    ['alive', golden('audio-complete', 'UpdateStream', 400)],
    ['alive', golden('audio-complete', 'StopEgress', 200)],
    ['silent', golden('worker-killed', 'UpdateStream', 503)],
    ['not-askable', golden('audio-complete', 'UpdateStream', 412)],
    ['not-known', golden('audio-complete', 'UpdateStream', 404)],
  ])('is answered %s', async (word, answer) => {
    behaviour = always(answer);
    expect(await livekit().askWorker('EG_1')).toBe(word);
    expect(asked).toMatchObject([{ path: '/twirp/livekit.Egress/UpdateStream', body: { egressId: 'EG_1' } }]);
  });

  it.each([
    ['alive', golden('audio-complete', 'StopEgress', 200)],
    ['silent', golden('worker-killed', 'StopEgress', 408)],
    ['silent', refusal(412, 'failed_precondition', 'egress with status EGRESS_ENDING cannot be stopped')],
    ['not-askable', golden('audio-complete', 'StopEgress', 412)],
    ['not-known', golden('audio-complete', 'StopEgress', 404)],
  ])('is answered %s while the egress is ending', async (word, answer) => {
    behaviour = always(answer);
    expect(await livekit().askEndingWorker('EG_1')).toBe(word);
  });

  it.each([
    ['there', golden('refusals', 'StartRoomCompositeEgress', 400, 'no output')],
    ['room-not-open', golden('refusals', 'StartRoomCompositeEgress', 404)],
    ['nobody', golden('worker-killed', 'StartRoomCompositeEgress', 503)],
  ])('is answered %s for the fleet', async (word, answer) => {
    behaviour = always(answer);
    expect(await livekit().askFleet('refuse')).toBe(word);
    expect(asked).toMatchObject([{ body: { roomName: 'refuse' } }]);
    expect(Object.keys(asked[0]!.body)).toEqual(['roomName']);
  });
});

describe('what LiveKit does not know', () => {
  it('is null or false, and an empty list for a room', async () => {
    behaviour = ({ path }) =>
      path.endsWith('/ListRooms')
        ? golden('refusals', 'ListRooms', 200)
        : path.endsWith('/ListParticipants')
          ? golden('refusals', 'ListParticipants', 200)
          : golden('audio-complete', 'ListEgress', 404);
    const lk = livekit();
    expect(await lk.findRoom('none-of-these')).toBeNull();
    expect(await lk.listParticipants('none-of-these')).toEqual([]);
    expect(await lk.findEgress('EG_unknown00000')).toBeNull();
    expect(await lk.findEgress('')).toBeNull();
    expect(await lk.removeRecorder('none-of-these', 'EG_1')).toBe(false);
    await lk.checkAccess();
  });

  it('is not taken for a no when it was not LiveKit that answered', async () => {
    behaviour = always({ status: 404, content_type: 'text/html', response: '<html>' });
    const lk = livekit();
    for (const question of [
      lk.findEgress('EG_1'),
      lk.stopEgress('EG_1'),
      lk.askWorker('EG_1'),
      lk.removeRecorder('r', 'EG_1'),
    ]) {
      expect((await failureOf(question)).message).toContain('check LIVEKIT_URL');
    }
    behaviour = always({ status: 503, content_type: 'text/html', response: '<html>' });
    for (const question of [lk.stopEgress('EG_1'), lk.askWorker('EG_1'), lk.askFleet('r')])
      await failureOf(question);
  });
});

describe('a question that could not be asked', () => {
  const QUESTIONS: Record<string, (lk: HttpLiveKit) => Promise<unknown>> = {
    findRoom: (lk) => lk.findRoom('r'),
    listRooms: (lk) => lk.listRooms(),
    listParticipants: (lk) => lk.listParticipants('r'),
    stopEgress: (lk) => lk.stopEgress('EG_1'),
    findEgress: (lk) => lk.findEgress('EG_1'),
    listEgresses: (lk) => lk.listEgresses({ roomName: 'r', active: true }),
    askWorker: (lk) => lk.askWorker('EG_1'),
    askEndingWorker: (lk) => lk.askEndingWorker('EG_1'),
    askFleet: (lk) => lk.askFleet('r'),
    removeRecorder: (lk) => lk.removeRecorder('r', 'EG_1'),
    sendData: (lk) => lk.sendData('r', 't', new Uint8Array()),
    checkAccess: (lk) => lk.checkAccess(),
  };

  it.each(Object.entries(QUESTIONS))('is never a no: %s', async (_name, question) => {
    behaviour = always(refusal(500, 'unknown', 'dial tcp 10.0.0.1:6379: connection refused'));
    const refused = await failureOf(question(livekit()));
    expect(refused.message).toMatch(/^LiveKit answered \w+ with 500$/);
    expect(refused.everything).toContain('unknown: dial tcp [address]: connection refused');

    behaviour = () => 'silent';
    const impatient = livekit({
      LIVEKIT_TIMEOUT: '40ms',
      LIVEKIT_STOP_TIMEOUT: '40ms',
      LIVEKIT_START_TIMEOUT: '40ms',
    });
    expect((await failureOf(question(impatient))).message).toMatch(
      /^LiveKit did not answer \w+ within 0.04 s$/,
    );

    const nowhere = livekit({ LIVEKIT_URL: 'http://127.0.0.1:1' });
    expect((await failureOf(question(nowhere))).message).toMatch(
      /^LiveKit can't be reached \(.+\); check LIVEKIT_URL$/,
    );
  });

  it('says that our credentials were refused, and neither it nor its cause holds the token that LiveKit echoes', async () => {
    behaviour = ({ authorization }) => ({
      status: 401,
      content_type: 'text/plain; charset=utf-8',
      response: `invalid token: ${authorization.slice('Bearer '.length)}, error: bad signature`,
    });
    for (const question of Object.values(QUESTIONS)) {
      const { message, everything } = await failureOf(question(livekit()));
      expect(message).toBe('LiveKit refused our credentials; check LIVEKIT_API_KEY and LIVEKIT_API_SECRET');
      const [, token] = asked.at(-1)!.authorization.split(' ');
      for (const part of token!.split('.')) expect(everything).not.toContain(part);
    }
  });

  it('keeps the token out of what it says also when LiveKit should echo it as JSON', async () => {
    behaviour = ({ authorization }) => refusal(500, 'internal', `bad header ${authorization}`);
    const { everything } = await failureOf(livekit().listRooms());
    for (const part of asked.at(-1)!.authorization.split(' ')[1]!.split('.'))
      expect(everything).not.toContain(part);
  });

  it('is asked with a token that carries the grant for it alone', async () => {
    behaviour = always(json(200, {}));
    const lk = livekit();
    await lk.listRooms();
    await lk.listParticipants('r1');
    await lk.listEgresses();
    const grants = asked.map(({ authorization }) => {
      const claims = Buffer.from(authorization.split('.')[1]!, 'base64url').toString('utf8');
      return (JSON.parse(claims) as { video: unknown }).video;
    });
    expect(grants).toEqual([{ roomList: true }, { roomAdmin: true, room: 'r1' }, { roomRecord: true }]);
  });
});

describe('data for a room', () => {
  it('goes out reliably with its topic, to those who are named, and to nobody when nobody is', async () => {
    behaviour = always(golden('audio-complete', 'SendData', 200));
    const lk = livekit();
    await lk.sendData('audio', 'tallylight.recording', Buffer.from('{}'));
    await lk.sendData('audio', 'tallylight.recording', Buffer.from('{}'), ['ada']);
    await lk.sendData('audio', 'tallylight.recording', Buffer.from('{}'), []);
    const packet = { room: 'audio', data: 'e30=', topic: 'tallylight.recording' };
    expect(asked.map(({ body }) => body)).toEqual([packet, { ...packet, destinationIdentities: ['ada'] }]);
  });
});

describe('every stop that a real server answered', () => {
  it('has an outcome of its own', async () => {
    const calls = GOLDEN_CASES.flatMap(({ calls: all }) => all);
    const outcomes = new Set<string>();
    for (const call of calls.filter(({ method }) => method.endsWith('/StopEgress'))) {
      behaviour = always(call);
      outcomes.add(`${call.status} ${(await livekit().stopEgress('EG_1')).kind}`);
    }
    expect([...outcomes].sort()).toEqual([
      '200 stopping',
      '404 not-known',
      '408 no-answer-from-worker',
      '412 not-stoppable',
    ]);
  });
});
