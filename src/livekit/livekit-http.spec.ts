import { GOLDEN_CASES } from '../../test/support/golden-payloads.js';
import {
  failureOf,
  goldenAnswer,
  ScriptedLiveKit,
  twirpAnswer,
  twirpRefusal,
} from '../../test/support/scripted-livekit.js';
import { readEgressPage } from './egress-page.js';
import type { StartEgress } from './livekit.types.js';

const START: StartEgress = {
  roomName: 'audio',
  layout: 'grid',
  preset: 'H264_720P_30',
  audioOnly: true,
  segments: null,
  output: { kind: 'file', filepath: 'a.ogg' },
};

let server: ScriptedLiveKit;

beforeAll(async () => {
  server = await ScriptedLiveKit.start();
});

beforeEach(() => {
  server.asked = [];
});

afterAll(() => server.close());

describe('a start', () => {
  it.each([
    [
      'a room that is not open',
      goldenAnswer('refusals', 'StartRoomCompositeEgress', 404),
      404,
      'requested room does not exist',
    ],
    [
      'a missing output',
      goldenAnswer('refusals', 'StartRoomCompositeEgress', 400, 'no output'),
      400,
      'invalid field: output',
    ],
    [
      'bad credentials',
      goldenAnswer('refusals', 'ListEgress', 401, 'unknown key'),
      401,
      'refused our credentials',
    ],
    ['too many requests', twirpRefusal(429, 'resource_exhausted'), 429, '429'],
    [
      'something in between that is not LiveKit',
      { ...goldenAnswer('refusals', 'Nope', 404), content_type: 'text/html' },
      404,
      'check LIVEKIT_URL',
    ],
  ])('is refused for %s, with the reason in words', async (_case, answer, status, why) => {
    server.always(answer);
    const outcome = await server.livekit().startEgress(START);
    expect(outcome).toMatchObject({ kind: 'refused', status, why: expect.stringContaining(why) });
  });

  it.each([
    ['no worker was there', goldenAnswer('worker-killed', 'StartRoomCompositeEgress', 503), 503],
    ['its worker failed', goldenAnswer('launch-failed', 'StartRoomCompositeEgress', 500), 500],
    ['its worker answered late', twirpRefusal(408, 'deadline_exceeded'), 408],
    ['its id was taken already', twirpRefusal(409, 'already_exists', 'egress already exists'), 409],
  ])('has an unknown outcome when %s, though an answer came', async (_case, answer, status) => {
    server.always(answer);
    expect(await server.livekit().startEgress(START)).toMatchObject({
      kind: 'unknown',
      answered: true,
      status,
    });
  });

  it.each([
    ['a proxy gave up', { status: 504, content_type: 'text/html', response: '<html>' }],
    ['a proxy found nobody', { status: 502, content_type: 'text/plain', response: 'Bad Gateway' }],
    ['a proxy speaks JSON', twirpAnswer(503, { message: 'no healthy upstream' })],
    ["a proxy's JSON has a code too", twirpAnswer(503, { code: 'upstream_timeout', msg: 'x' })],
    ["Twirp's code comes with another status", twirpAnswer(504, { code: 'unavailable', msg: 'x' })],
    ['the caller had gone for it', { status: 499, content_type: 'text/html', response: '' }],
    ['half an egress', { status: 200, content_type: 'application/json', response: '{"egress_id":' }],
    ['it was sent elsewhere', { status: 302, content_type: 'text/html', response: '' }],
  ])('may still be under way when LiveKit itself gave no answer: %s', async (_case, answer) => {
    server.always(answer);
    const { status } = answer;
    expect(await server.livekit().startEgress(START)).toMatchObject({
      kind: 'unknown',
      answered: false,
      status,
    });
  });

  it('that nobody took says what to do before it says what LiveKit said', async () => {
    server.always(goldenAnswer('worker-killed', 'StartRoomCompositeEgress', 503));
    const outcome = await server.livekit().startEgress(START);
    expect(outcome).toMatchObject({
      why: expect.stringMatching(
        /^no egress worker answers .+: LiveKit answered .+ no response from servers$/,
      ),
    });
  });

  it('has an unknown outcome without an answer when the answer is lost', async () => {
    server.behaviour = () => 'hang-up';
    expect(await server.livekit().startEgress(START)).toMatchObject({
      kind: 'unknown',
      answered: false,
      status: null,
    });
  });

  it('has an unknown outcome when no answer comes within its own limit, and is asked once', async () => {
    server.behaviour = () => 'silent';
    const outcome = await server.livekit({ LIVEKIT_START_TIMEOUT: '77ms' }).startEgress(START);
    expect(outcome).toEqual({
      kind: 'unknown',
      answered: false,
      status: null,
      why: 'LiveKit did not answer StartRoomCompositeEgress within 0.077 s',
    });
    expect(server.asked).toHaveLength(1);
  });

  it('is given up sooner where whoever asks has less time left', async () => {
    server.behaviour = () => 'silent';
    const outcome = await server.livekit().startEgress({ ...START, withinMs: 66 });
    expect(outcome).toMatchObject({ kind: 'unknown', why: expect.stringContaining('within 0.066 s') });
    // And LiveKit begins nothing for it after that, whoever passes it on.
    expect(server.asked).toMatchObject([{ limit: '66' }]);
  });

  it('is accepted with the egress as it is', async () => {
    server.always(goldenAnswer('audio-complete', 'StartRoomCompositeEgress', 200));
    expect(await server.livekit().startEgress(START)).toMatchObject({
      kind: 'accepted',
      egress: { egressId: 'EG_kb9t2XUApQX2', status: 'STARTING', filepath: 'tl/recordings/audio/rec_1.ogg' },
    });
    expect(server.asked).toMatchObject([
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
      goldenAnswer('audio-complete', 'StopEgress', 200),
      { kind: 'stopping', egress: { status: 'ENDING' } },
    ],
    [
      'before it began aborts it',
      goldenAnswer('stopped-while-starting', 'StopEgress', 200),
      { kind: 'stopping', egress: { status: 'ABORTED' } },
    ],
    [
      'of what has ended names its status',
      goldenAnswer('audio-complete', 'StopEgress', 412),
      { kind: 'not-stoppable', status: 'COMPLETE' },
    ],
    [
      'of what is ending without a worker names that too',
      twirpRefusal(
        412,
        'failed_precondition',
        'twirp error unknown: egress with status EGRESS_ENDING cannot be stopped',
      ),
      { kind: 'not-stoppable', status: 'ENDING' },
    ],
    [
      'of an unknown egress says so',
      goldenAnswer('audio-complete', 'StopEgress', 404),
      { kind: 'not-known' },
    ],
    [
      'without a worker is not answered by one',
      goldenAnswer('worker-killed', 'StopEgress', 408),
      { kind: 'no-answer-from-worker' },
    ],
    [
      'without a worker, on an older server',
      goldenAnswer('worker-killed', 'UpdateStream', 503),
      { kind: 'no-answer-from-worker' },
    ],
  ])('%s', async (_case, answer, outcome) => {
    server.always(answer);
    expect(await server.livekit().stopEgress('EG_1')).toMatchObject(outcome);
  });
});

describe('the question whether a worker lives', () => {
  it.each([
    ['alive', goldenAnswer('audio-complete', 'UpdateStream', 400)],
    ['alive', goldenAnswer('audio-complete', 'StopEgress', 200)],
    ['silent', goldenAnswer('worker-killed', 'UpdateStream', 503)],
    ['not-askable', goldenAnswer('audio-complete', 'UpdateStream', 412)],
    ['not-known', goldenAnswer('audio-complete', 'UpdateStream', 404)],
  ])('is answered %s', async (word, answer) => {
    server.always(answer);
    expect(await server.livekit().askWorker('EG_1')).toBe(word);
    expect(server.asked).toMatchObject([
      { path: '/twirp/livekit.Egress/UpdateStream', body: { egressId: 'EG_1' } },
    ]);
  });

  it.each([
    ['alive', goldenAnswer('audio-complete', 'StopEgress', 200)],
    ['silent', goldenAnswer('worker-killed', 'StopEgress', 408)],
    [
      'silent',
      twirpRefusal(412, 'failed_precondition', 'egress with status EGRESS_ENDING cannot be stopped'),
    ],
    ['not-askable', goldenAnswer('audio-complete', 'StopEgress', 412)],
    ['not-known', goldenAnswer('audio-complete', 'StopEgress', 404)],
  ])('is answered %s while the egress is ending', async (word, answer) => {
    server.always(answer);
    expect(await server.livekit().askEndingWorker('EG_1')).toBe(word);
  });

  it.each([
    ['there', goldenAnswer('refusals', 'StartRoomCompositeEgress', 400, 'no output')],
    ['room-not-open', goldenAnswer('refusals', 'StartRoomCompositeEgress', 404)],
    ['nobody', goldenAnswer('worker-killed', 'StartRoomCompositeEgress', 503)],
  ])('is answered %s for the fleet', async (word, answer) => {
    server.always(answer);
    expect(await server.livekit().askFleet('refuse', 'room_composite')).toBe(word);
    expect(server.asked).toMatchObject([{ body: { roomName: 'refuse' } }]);
    expect(Object.keys(server.asked[0]!.body)).toEqual(['roomName']);
  });

  it('is stopped where a worker takes the question for a start', async () => {
    server.always(goldenAnswer('audio-complete', 'StartRoomCompositeEgress', 200));
    expect(await server.livekit().askFleet('refuse', 'room_composite')).toBe('there');
    expect(server.asked.at(-1)).toMatchObject({
      path: '/twirp/livekit.Egress/StopEgress',
      body: { egressId: 'EG_kb9t2XUApQX2' },
    });
  });
});

describe('a list of egresses', () => {
  const ended = (egress_id: string): object => ({ egress_id, room_name: 'r', status: 'EGRESS_COMPLETE' });

  it('is read to its last page', async () => {
    const pages: Record<string, object> = {
      '': { items: [ended('EG_1')], next_page_token: { token: 'b' } },
      b: { items: [ended('EG_2')], next_page_token: { token: 'c' } },
      c: { items: [ended('EG_3')], next_page_token: null },
    };
    server.behaviour = ({ body }) => {
      const token = (body.pageToken as { token: string } | undefined)?.token ?? '';
      return twirpAnswer(200, pages[token]);
    };
    const listed = await server.livekit().listEgresses({ roomName: 'r' });
    expect(listed.map(({ egressId }) => egressId)).toEqual(['EG_1', 'EG_2', 'EG_3']);
    expect(server.asked.map(({ body }) => body.roomName)).toEqual(['r', 'r', 'r']);
  });

  it('without an end is no list', async () => {
    let page = 0;
    server.behaviour = () => twirpAnswer(200, { items: [], next_page_token: { token: `${(page += 1)}` } });
    expect((await failureOf(server.livekit().listEgresses())).message).toContain('pages');
  });

  it('of thousands leaves time for others while it is read', async () => {
    const items = Array.from({ length: 3_000 }, (_, i) => ended(`EG_${i}`));
    let [turns, reading] = [0, true];
    const others = (async () => {
      for (; reading; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    })();
    const json = JSON.stringify({ items, next_page_token: null });
    expect((await readEgressPage(json)).egresses).toHaveLength(3_000);
    reading = false;
    await others;
    expect(turns).toBeGreaterThan(20);
  });

  it('that is none is not taken for an empty one', async () => {
    for (const page of [[], { items: {} }, 'x', { items: [7] }]) {
      server.always(twirpAnswer(200, page));
      expect((await failureOf(server.livekit().listEgresses())).message).toContain('LIVEKIT_URL');
    }
  });
});

describe('an answer without an end', () => {
  it('is given up at its bound, whatever was asked', async () => {
    const room = JSON.stringify({ rooms: [], filler: 'x'.repeat(2 * 1024 * 1024) });
    server.always({ status: 200, content_type: 'application/json', response: room });
    expect((await failureOf(server.livekit().stopEgress('EG_1'))).message).toContain('larger than');
    expect(await server.livekit().startEgress(START)).toMatchObject({ kind: 'unknown', answered: false });
  });
});

describe('what LiveKit does not know', () => {
  it('is null or false, and an empty list for a room', async () => {
    server.behaviour = ({ path }) =>
      path.endsWith('/ListRooms')
        ? goldenAnswer('refusals', 'ListRooms', 200)
        : path.endsWith('/ListParticipants')
          ? goldenAnswer('refusals', 'ListParticipants', 200)
          : goldenAnswer('audio-complete', 'ListEgress', 404);
    const lk = server.livekit();
    expect(await lk.findRoom('none-of-these')).toBeNull();
    expect(await lk.listParticipants('none-of-these')).toEqual([]);
    expect(await lk.findEgress('EG_unknown00000')).toBeNull();
    expect(await lk.findEgress('')).toBeNull();
    expect(await lk.removeRecorder('none-of-these', 'EG_1')).toBe(false);
    await lk.checkAccess();
  });

  it('is not taken for a no when it was not LiveKit that answered', async () => {
    server.always({ status: 404, content_type: 'text/html', response: '<html>' });
    const lk = server.livekit();
    for (const question of [
      lk.findEgress('EG_1'),
      lk.stopEgress('EG_1'),
      lk.askWorker('EG_1'),
      lk.removeRecorder('r', 'EG_1'),
    ]) {
      expect((await failureOf(question)).message).toContain('check LIVEKIT_URL');
    }
    server.always({ status: 503, content_type: 'text/html', response: '<html>' });
    for (const question of [lk.stopEgress('EG_1'), lk.askWorker('EG_1'), lk.askFleet('r', 'room_composite')])
      await failureOf(question);
  });
});

describe('data for a room', () => {
  it('goes out reliably with its topic, to those who are named, and to nobody when nobody is', async () => {
    server.always(goldenAnswer('audio-complete', 'SendData', 200));
    const lk = server.livekit();
    await lk.sendData('audio', 'tallylight.recording', Buffer.from('{}'));
    await lk.sendData('audio', 'tallylight.recording', Buffer.from('{}'), ['ada']);
    await lk.sendData('audio', 'tallylight.recording', Buffer.from('{}'), []);
    const packet = { room: 'audio', data: 'e30=', topic: 'tallylight.recording' };
    expect(server.asked.map(({ body }) => body)).toEqual([
      packet,
      { ...packet, destinationIdentities: ['ada'] },
    ]);
  });
});

describe('every stop that a real server answered', () => {
  it('has an outcome of its own', async () => {
    const calls = GOLDEN_CASES.flatMap(({ calls: all }) => all);
    const outcomes = new Set<string>();
    for (const call of calls.filter(({ method }) => method.endsWith('/StopEgress'))) {
      server.always(call);
      outcomes.add(`${call.status} ${(await server.livekit().stopEgress('EG_1')).kind}`);
    }
    expect([...outcomes].sort()).toEqual([
      '200 stopping',
      '404 not-known',
      '408 no-answer-from-worker',
      '412 not-stoppable',
    ]);
  });
});
