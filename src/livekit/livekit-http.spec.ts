import { GOLDEN_CASES } from '../../test/support/golden-payloads.js';
import {
  failureOf,
  goldenAnswer,
  ScriptedLiveKit,
  twirpRefusal,
} from '../../test/support/scripted-livekit.js';
import type { StartEgress } from './livekit.types.js';

const START: StartEgress = {
  roomName: 'audio',
  layout: 'grid',
  preset: 'H264_720P_30',
  audioOnly: true,
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
    ['a proxy gave up', { status: 504, content_type: 'text/html', response: '<html>' }, 504],
    [
      'the answer was no egress',
      { status: 200, content_type: 'application/json', response: '{"egress_id":' },
      200,
    ],
    ['it was sent elsewhere', { status: 302, content_type: 'text/html', response: '' }, 302],
  ])("may still be on its way when %s: no answer is LiveKit's own", async (_case, answer, status) => {
    server.always(answer);
    expect(await server.livekit().startEgress(START)).toMatchObject({
      kind: 'unknown',
      answered: false,
      status,
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
    expect(await server.livekit().askFleet('refuse')).toBe(word);
    expect(server.asked).toMatchObject([{ body: { roomName: 'refuse' } }]);
    expect(Object.keys(server.asked[0]!.body)).toEqual(['roomName']);
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
    for (const question of [lk.stopEgress('EG_1'), lk.askWorker('EG_1'), lk.askFleet('r')])
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
