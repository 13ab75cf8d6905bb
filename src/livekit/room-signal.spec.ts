import { goldenAnswer, ScriptedLiveKit } from '../../test/support/scripted-livekit.js';
import { RoomSignals, toRoomSignalPayload } from './room-signal.js';

const SIGNAL = { recordingId: 'rec_1', roomId: 'r', status: 'ACTIVE', version: 2 };
const read = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

describe('the data packet that shows the red light', () => {
  it('holds what the contract names and nothing else', () => {
    expect(read(toRoomSignalPayload(SIGNAL))).toEqual(SIGNAL);
    expect(read(toRoomSignalPayload({ ...SIGNAL, error: null }))).toEqual(SIGNAL);
    expect(read(toRoomSignalPayload({ ...SIGNAL, ...{ secret: 'x' } }))).toEqual(SIGNAL);
  });

  it('says why a recording failed', () => {
    const failed = { ...SIGNAL, status: 'FAILED', error: 'S3 upload failed' };
    expect(read(toRoomSignalPayload(failed))).toEqual(failed);
  });
});

describe('telling a room', () => {
  let server: ScriptedLiveKit;

  beforeAll(async () => {
    server = await ScriptedLiveKit.start();
  });
  afterAll(() => server.close());

  it('sends the packet to those who are named', async () => {
    server.always(goldenAnswer('audio-complete', 'SendData', 200));
    await new RoomSignals(server.livekit()).send('r', SIGNAL, ['ada']);
    expect(server.asked).toMatchObject([
      {
        path: '/twirp/livekit.RoomService/SendData',
        body: { room: 'r', topic: 'tallylight.recording', destinationIdentities: ['ada'] },
      },
    ]);
    expect(read(Buffer.from(String(server.asked[0]?.body.data), 'base64'))).toEqual(SIGNAL);
  });

  it('fails nothing and ends in time when the room is closed, LiveKit is silent or away', async () => {
    const settled: string[] = [];
    const tell = async (env?: Record<string, string>): Promise<void> => {
      await new RoomSignals(server.livekit(env)).send('r', SIGNAL);
      settled.push('told or not');
    };
    server.always(goldenAnswer('refusals', 'SendData', 503));
    await tell();
    server.behaviour = () => 'silent';
    await tell({ LIVEKIT_TIMEOUT: '40ms' });
    await tell({ LIVEKIT_URL: 'http://127.0.0.1:1' });
    expect(settled).toHaveLength(3);
  });
});
