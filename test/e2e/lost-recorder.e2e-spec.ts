import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { QUICK_CHECKS, QUICK_RECORDERS } from '../support/quick-recorders.js';
import { createRoom, readRecording, startIn, STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';

interface Linked {
  readonly status: string;
  readonly continues: { readonly id: string } | null;
  readonly continuedBy: { readonly id: string; readonly status: string } | null;
}

describe('a recorder that dies', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack(QUICK_CHECKS, QUICK_RECORDERS);
    instance = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await openRoom(stack, instance, room);
  });

  const start = async (): Promise<string> => (await started(instance, room)).id;
  const linked = async (id: string): Promise<Linked> => {
    const answer = await instance.graphql<{ recording: Linked }>(
      'query($id: ID!) { recording(id: $id) { status continues { id } continuedBy { id status } } }',
      { id },
    );
    return answer.data.recording;
  };

  it.each([{ withChild: true }, { withChild: false }])(
    'with its child or without (%o) is noticed, and another goes on',
    async (how) => {
      const id = await start();
      stack.simulator.killWorker(how);
      stack.simulator.addWorker();
      await becomes(instance, id, { status: 'FAILED', endReason: 'RECORDER_LOST' });
      await eventually(
        async () => (await linked(id)).continuedBy?.status === 'ACTIVE' || 'nothing goes on from it',
      );
      const by = (await linked(id)).continuedBy!;
      expect((await linked(by.id)).continues?.id).toBe(id);
      const running = (): number => stack.simulator.runningEgressIds(room).length;
      await eventually(() => running() === 1 || `${running()} recorders are in the room`);
    },
  );

  it('with many others is noticed, and none is put out of its room before passes agree that they are dead', async () => {
    const rooms = Array.from({ length: 5 }, (_, i) => `many-${i}`);
    const egresses: string[] = [];
    for (const one of rooms) {
      await createRoom(instance, one);
      stack.simulator.openRoom(one);
      const { recording } = await startIn(instance, one);
      egresses.push(recording?.egressId ?? '');
    }
    stack.simulator.killWorker({ withChild: false });
    stack.simulator.addWorker();
    const sitting = (): number =>
      rooms.filter((one, i) => stack.simulator.runningEgressIds(one).includes(egresses[i]!)).length;
    let heldAll = false;
    await eventually(
      async () => {
        const held = await stack.redisClient.get('{tl}:breaker:LOST_RECORDERS');
        heldAll ||= held !== null && sitting() === rooms.length;
        return sitting() === 0 || `${sitting()} of them still sit in their rooms`;
      },
      { withinMs: 60_000 },
    );
    expect(heldAll).toBe(true);
    for (const one of rooms)
      await eventually(
        () => stack.simulator.runningEgressIds(one).length === 1 || `${one} is not recorded further`,
        { withinMs: 60_000 },
      );
    for (const one of rooms) stack.simulator.closeRoom(one);
  });

  it('is not gone on with when a stop had been asked for', async () => {
    const id = await start();
    stack.simulator.killWorker({ withChild: false });
    const stopped = await instance.graphql(STOP, { id });
    expect(stopped.code).toBeNull();
    stack.simulator.addWorker();
    await becomes(instance, id, { status: 'FAILED', endReason: 'RECORDER_LOST' });
    await eventually(
      async () => (await stack.redisClient.exists(`{tl}:slot:${room}`)) === 0 || 'the room is held',
    );
    expect((await linked(id)).continuedBy).toBeNull();
    await eventually(
      () => stack.simulator.runningEgressIds(room).length === 0 || 'its child still sits in the room',
    );
  });

  it('ends nothing while the message bus is away, nor when it comes back', async () => {
    const id = await start();
    stack.simulator.busSilent(true);
    await eventually(async () => {
      const egressId = (await readRecording(instance, id)).egressId;
      const silent = await stack.redisClient.zcard(`{tl}:silence:${egressId}`);
      return silent >= 4 || `${silent} questions`;
    });
    stack.simulator.busSilent(false);
    await eventually(async () => {
      const egressId = (await readRecording(instance, id)).egressId!;
      const heard = Number(await stack.redisClient.zscore('{tl}:heard', egressId));
      const asked = Number((await stack.redisClient.zrange(`{tl}:silence:${egressId}`, -1, -1))[0]);
      return heard > asked || 'it has not answered again';
    });
    expect((await readRecording(instance, id)).status).toBe('ACTIVE');
  });

  it('starved for a moment is not given up', async () => {
    const id = await start();
    const egressId = (await readRecording(instance, id)).egressId!;
    stack.simulator.pauseWorker();
    await eventually(
      async () => (await stack.redisClient.zcard(`{tl}:silence:${egressId}`)) >= 1 || 'it was not asked yet',
    );
    stack.simulator.resumeWorker();
    await eventually(
      async () => Number(await stack.redisClient.zscore('{tl}:heard', egressId)) > 0 || 'it was not heard',
    );
    expect((await readRecording(instance, id)).status).toBe('ACTIVE');
  });
});
