import { firstEffects, newRecording } from '../../src/recordings/domain/new-recording.js';
import { RecordingWriter } from '../../src/recordings/write/recording.writer.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { aRoomId } from '../support/builders.js';
import { type CuttableProxy, startCuttableProxy } from '../support/cuttable-proxy.js';
import { newRecordingId } from '../../src/kernel/ids.js';
import { eventually } from '../support/eventually.js';
import { createRoom, startIn, type StartSeen } from '../support/operations.js';
import { becomes, livekitToken, openRoom, started } from '../support/recording-life.js';

/** The commit of an attempt, as it is on the wire. */
const CREATION = '"rev":"0"';
const FIFTY = Array.from({ length: 50 }, (_, i) => i);

describe('a start, with Redis behind a connection that breaks,', () => {
  let stack: TestStack;
  const proxies: CuttableProxy[] = [];
  const instances: TestInstance[] = [];
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({ RECORDING_START_TIMEOUT: '8s', LIVEKIT_START_TIMEOUT: '8s' });
    for (let i = 0; i < 3; i++) {
      const proxy = await startCuttableProxy(stack.redis.url);
      proxies.push(proxy);
      instances.push(await stack.start({ REDIS_URL: proxy.url.replace('http:', 'redis:') }));
      // From here on this server knows the scripts by their digests.
      await openRoom(stack, instances[0]!, `warm-${i}`);
      await started(instances[i]!, `warm-${i}`);
    }
  });
  afterAll(async () => {
    await stack.close();
    for (const proxy of proxies) await proxy.close();
  });
  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await openRoom(stack, instances[0]!, room);
  });

  const begun = (): number => stack.simulator.egresses(room).length;
  const expectOne = async (all: readonly StartSeen[]): Promise<void> => {
    expect(all.map(({ code }) => code)).toEqual(all.map(() => null));
    const ids = new Set(all.map(({ recording }) => recording?.id));
    expect(ids.size).toBe(1);
    await becomes(instances[0]!, [...ids][0]!, { status: 'ACTIVE' });
    expect(begun()).toBe(1);
  };

  it.each([{}, { idempotencyKey: 'a-key' }])(
    'goes on when the answer to its commit is lost (%o)',
    async (more) => {
      proxies[0]!.loseAnswerTo(CREATION);
      const before = proxies[0]!.lost;
      await expectOne([await startIn(instances[0]!, room, more)]);
      expect(proxies[0]!.lost).toBe(before + 1);
    },
  );

  it('goes on when the answer to the mark that it is sent is lost', async () => {
    proxies[0]!.loseAnswerTo('"nextRev":"2"');
    await expectOne([await startIn(instances[0]!, room)]);
  });

  it.each([1, 3])('is one for fifty with one key at %i instances that lose answers', async (many) => {
    for (const proxy of proxies.slice(0, many)) for (let i = 0; i < 3; i++) proxy.loseAnswerTo(CREATION);
    const idempotencyKey = `${room}-key`;
    await expectOne(
      await Promise.all(FIFTY.map((i) => startIn(instances[i % many]!, room, { idempotencyKey }))),
    );
  });

  it('is found by its key also when the room is looked at first', async () => {
    const idempotencyKey = `${room}-key`;
    for (let round = 0; round < 5; round++) {
      const all = await Promise.all(
        FIFTY.map((i) => startIn(instances[i % 3]!, room, { idempotencyKey, waitForActive: false })),
      );
      await expectOne(all);
    }
  });

  it('belongs to its caller: another caller with the same key starts his own', async () => {
    const other = `${room}-other`;
    await openRoom(stack, instances[0]!, other);
    const ann = await livekitToken({ roomRecord: true, roomAdmin: true, room }, 'ann');
    const bob = await livekitToken({ roomRecord: true, roomAdmin: true, room: other }, 'bob');
    const idempotencyKey = `${room}-key`;
    const first = await startIn(instances[0]!, room, { idempotencyKey }, ann);
    const second = await startIn(instances[1]!, other, { idempotencyKey }, bob);
    expect([first.code, second.code]).toEqual([null, null]);
    expect(second.recording?.id).not.toBe(first.recording?.id);
  });

  it('is sent by another when whoever stored it died before it was sent', async () => {
    const now = Date.now();
    const recording = newRecording({
      ...{ id: newRecordingId(now), roomId: aRoomId(room), roomName: room, layout: 'GRID', labels: {} },
      ...{ preset: 'H264_720P_30', audioOnly: true, maxDurationMs: 60_000, requestedAt: now },
      ...{ crashProof: false, startLimitMs: 8_000 },
    });
    await instances[0]!.app.get(RecordingWriter).create(recording, firstEffects(recording), 'test');
    await becomes(instances[1]!, recording.id, { status: 'ACTIVE' });
    expect(begun()).toBe(1);
  });

  it('names its recording when Redis is lost while its caller waits', async () => {
    stack.simulator.setFault({ name: 'start-slow', room });
    const start = startIn(instances[2]!, room, {});
    await eventually(
      async () => (await stack.redisClient.exists(`{tl}:slot:${room}`)) === 1 || 'nothing is stored',
    );
    proxies[2]!.cut();
    const { code, recordingId } = await start;
    proxies[2]!.join(stack.redis.url);
    expect(code).not.toBeNull();
    expect(recordingId).toMatch(/^rec_/);
  });

  it('that is refused before it was stored leaves its key unused', async () => {
    const shut = `${room}-shut`;
    await createRoom(instances[0]!, shut);
    const idempotencyKey = `${room}-key`;
    expect((await startIn(instances[0]!, shut, { idempotencyKey })).code).toBe('ROOM_NOT_OPEN');
    stack.simulator.openRoom(shut);
    expect((await startIn(instances[1]!, shut, { idempotencyKey })).code).toBeNull();
  });
});
