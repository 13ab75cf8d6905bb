import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { QUICK_CHECKS, QUICK_RECORDERS } from '../support/quick-recorders.js';
import { readRecording, STOP } from '../support/operations.js';
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

  /** When LiveKit was last compared with the rows. */
  const lastPass = async (at: TestInstance): Promise<string | undefined> => {
    const { data } = await at.graphql<{ sweeps: { name: string; lastRun: { finishedAt: string } | null }[] }>(
      '{ sweeps { name lastRun { finishedAt } } }',
    );
    return data.sweeps.find(({ name }) => name === 'LIVEKIT_RECONCILIATION')?.lastRun?.finishedAt;
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
    const calm = await startStack(
      { ...QUICK_CHECKS, SWEEP_LIVEKIT_RECONCILIATION_EVERY: '6s' },
      QUICK_RECORDERS,
    );
    try {
      const { simulator } = calm;
      const many = await calm.start();
      const rooms = Array.from({ length: 5 }, (_, i) => `many-${i}`);
      const egresses: string[] = [];
      for (const one of rooms) {
        await openRoom(calm, many, one);
        egresses.push((await started(many, one)).egressId ?? '');
      }
      // They die right after a pass: one in the midst of their deaths would see few of them, which it may put out at once.
      const before = await lastPass(many);
      await eventually(async () => (await lastPass(many)) !== before || 'no further pass yet');
      simulator.killWorker({ withChild: false });
      simulator.addWorker();
      const sitting = (): number =>
        rooms.filter((one, i) => simulator.runningEgressIds(one).includes(egresses[i]!)).length;
      let heldAll = false;
      await eventually(
        async () => {
          const held = await calm.redisClient.get('{tl}:breaker:LOST_RECORDERS');
          heldAll ||= held !== null && sitting() === rooms.length;
          return sitting() === 0 || `${sitting()} of them still sit in their rooms`;
        },
        { withinMs: 60_000 },
      );
      expect(heldAll).toBe(true);
      for (const one of rooms)
        await eventually(
          () => simulator.runningEgressIds(one).length === 1 || `${one} is not recorded further`,
          { withinMs: 60_000 },
        );
    } finally {
      await calm.close();
    }
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
