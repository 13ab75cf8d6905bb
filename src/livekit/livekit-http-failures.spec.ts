import {
  failureOf,
  ScriptedLiveKit,
  twirpAnswer,
  twirpRefusal,
} from '../../test/support/scripted-livekit.js';
import type { HttpLiveKit } from './livekit-http.js';

let server: ScriptedLiveKit;

beforeAll(async () => {
  server = await ScriptedLiveKit.start();
});

beforeEach(() => {
  server.asked = [];
});

afterAll(() => server.close());

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
    askFleet: (lk) => lk.askFleet('r', 'room_composite'),
    removeRecorder: (lk) => lk.removeRecorder('r', 'EG_1'),
    sendData: (lk) => lk.sendData('r', 't', new Uint8Array()),
    checkAccess: (lk) => lk.checkAccess(),
  };

  it.each(Object.entries(QUESTIONS))('is never a no: %s', async (_name, question) => {
    server.always(twirpRefusal(500, 'unknown', 'dial tcp 10.0.0.1:6379: connection refused'));
    const refused = await failureOf(question(server.livekit()));
    expect(refused.message).toMatch(/^LiveKit answered \w+ with 500$/);
    expect(refused.everything).toContain('unknown: dial tcp [address]: connection refused');

    server.behaviour = () => 'silent';
    const impatient = server.livekit({
      LIVEKIT_TIMEOUT: '40ms',
      LIVEKIT_STOP_TIMEOUT: '40ms',
      LIVEKIT_START_TIMEOUT: '40ms',
    });
    expect((await failureOf(question(impatient))).message).toMatch(
      /^LiveKit did not answer \w+ within 0.04 s$/,
    );

    const nowhere = server.livekit({ LIVEKIT_URL: 'http://127.0.0.1:1' });
    expect((await failureOf(question(nowhere))).message).toMatch(
      /^LiveKit can't be reached \(.+\); check LIVEKIT_URL$/,
    );
  });

  it('says that our credentials were refused, and neither it nor its cause holds the token that LiveKit echoes', async () => {
    server.behaviour = ({ authorization }) => ({
      status: 401,
      content_type: 'text/plain; charset=utf-8',
      response: `invalid token: ${authorization.slice('Bearer '.length)}, error: bad signature`,
    });
    for (const question of Object.values(QUESTIONS)) {
      const { message, everything } = await failureOf(question(server.livekit()));
      expect(message).toBe('LiveKit refused our credentials; check LIVEKIT_API_KEY and LIVEKIT_API_SECRET');
      const [, token] = server.asked.at(-1)!.authorization.split(' ');
      for (const part of token!.split('.')) expect(everything).not.toContain(part);
    }
  });

  it('keeps the token out of what it says also when LiveKit should echo it as JSON', async () => {
    server.behaviour = ({ authorization }) => twirpRefusal(500, 'internal', `bad header ${authorization}`);
    const { everything } = await failureOf(server.livekit().listRooms());
    for (const part of server.asked.at(-1)!.authorization.split(' ')[1]!.split('.'))
      expect(everything).not.toContain(part);
  });

  it('is asked with a token that carries the grant for it alone', async () => {
    server.always(twirpAnswer(200, {}));
    const lk = server.livekit();
    await lk.listRooms();
    await lk.listParticipants('r1');
    await lk.listEgresses();
    const grants = server.asked.map(({ authorization }) => {
      const claims = Buffer.from(authorization.split('.')[1]!, 'base64url').toString('utf8');
      return (JSON.parse(claims) as { video: unknown }).video;
    });
    expect(grants).toEqual([{ roomList: true }, { roomAdmin: true, room: 'r1' }, { roomRecord: true }]);
  });
});
