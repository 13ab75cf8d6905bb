import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { readRow } from '../../src/recordings/store/stored-row.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { QUICK_CHECKS, QUICK_RECORDERS } from '../support/quick-recorders.js';
import { becomes, openRoom, started } from '../support/recording-life.js';
import { createRoom, readRecording, startIn, STOP } from '../support/operations.js';
import { startRedisServer } from '../support/redis-server.js';
import { S3Server } from '../support/s3-server.js';

interface Linked {
  readonly status: string;
  readonly endReason: string | null;
  readonly roomSid: string | null;
  readonly continuedBy: { readonly id: string; readonly status: string } | null;
}

describe('a meeting whose recording ends by itself', () => {
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

  const start = async (): Promise<{ id: string; egressId: string }> => {
    const { id } = await started(instance, room);
    return { id, egressId: (await readRecording(instance, id)).egressId! };
  };
  const linked = async (id: string): Promise<Linked> => {
    const answer = await instance.graphql<{ recording: Linked }>(
      'query($id: ID!) { recording(id: $id) { status endReason roomSid continuedBy { id status } } }',
      { id },
    );
    return answer.data.recording;
  };
  const goesOn = (id: string): Promise<void> =>
    eventually(async () => (await linked(id)).continuedBy?.status === 'ACTIVE' || 'nothing goes on from it');

  it.each([
    ['source-closed', 'RECORDER_LEFT'],
    ['cpu-exhausted', 'EGRESS_FAILED'],
    ['child-crash', 'EGRESS_FAILED'],
    ['pipeline-failed', 'EGRESS_FAILED'],
    ['process-killed', 'EGRESS_FAILED'],
  ] as const)('%s is recorded further, and told as %s', async (how, endReason) => {
    const { id, egressId } = await start();
    stack.simulator.endEgress(egressId, how);
    await goesOn(id);
    const now = await linked(id);
    expect(now.endReason === 'LIMIT_REACHED' ? 'EGRESS_FAILED' : now.endReason).toBe(endReason);
    expect(now.roomSid).toMatch(/^RM_/);
    expect((await linked(now.continuedBy!.id)).roomSid).toBe(now.roomSid);
    expect(stack.simulator.runningEgressIds(room)).toHaveLength(1);
  });

  it('is told as ended with its room where the room was closed', async () => {
    const { id } = await start();
    stack.simulator.closeRoom(room);
    await eventually(async () => (await linked(id)).status === 'COMPLETE' || 'it has not ended');
    expect(await linked(id)).toMatchObject({ endReason: 'ROOM_ENDED', continuedBy: null });
  });

  it('is not recorded further in the next meeting of its room', async () => {
    const { id } = await start();
    stack.simulator.killWorker();
    await eventually(async () => (await linked(id)).endReason === 'RECORDER_LOST' || 'it was not noticed');
    stack.simulator.closeRoom(room);
    stack.simulator.openRoom(room);
    stack.simulator.addWorker();
    await eventually(async () => {
      const row = await stack.redisClient.getBuffer(`{tl}:recording:${id}`);
      return readRow(row!).recording.upkeep.continuation !== 'pending' || 'tried on';
    });
    expect((await linked(id)).continuedBy).toBeNull();
    expect(stack.simulator.runningEgressIds(room)).toHaveLength(0);
  });

  it('is not recorded further once a stop asked for its end while no worker was there', async () => {
    const { id } = await start();
    stack.simulator.killWorker();
    await eventually(async () => (await linked(id)).endReason === 'RECORDER_LOST' || 'it was not noticed');
    const stopped = await instance.graphql<{ stopRecording: { id: string } }>(STOP, { id });
    expect(stopped.code).toBeNull();
    expect(stopped.data.stopRecording.id).toBe(id);
    expect((await instance.graphql(STOP, { id })).code).toBe('RECORDING_ALREADY_STOPPED');
    stack.simulator.addWorker();
    const next = await startIn(instance, room);
    expect(next.code).toBeNull();
    expect((await linked(id)).continuedBy).toBeNull();
  });

  it('is taken back from its record where Redis has forgotten it, and goes on', async () => {
    const { id, egressId } = await start();
    await eventually(
      async () => (await stack.redisClient.zcard('{tl}:outbox')) === 0 || 'its record is still to be written',
    );
    await stack.redisClient.del(`{tl}:recording:${id}`);
    await eventually(
      async () => (await stack.redisClient.exists(`{tl}:recording:${id}`)) === 1 || 'it is not back',
    );
    // The record may be of a moment before; what LiveKit shows brings it up to date.
    await becomes(instance, id, { status: 'ACTIVE', egressId });
    expect(stack.simulator.runningEgressIds(room)).toEqual([egressId]);
    expect((await instance.graphql(STOP, { id })).code).toBeNull();
  });

  it('keeps its time when its timers ring early, and when they are lost', async () => {
    const answer = await instance.graphql<{ startRecording: { id: string } }>(
      `mutation($input: StartRecordingInput!) { startRecording(input: $input) { id } }`,
      { input: { roomId: room, maxDurationMs: 6_000 } },
    );
    const { id } = answer.data.startRecording;
    const timers = new Queue('recordings', { connection: stack.redisClient, prefix: '{tl}:queue' });
    await timers.promoteJobs();
    await eventually(async () => (await timers.getDelayedCount()) > 0 || 'no timer waits again');
    expect((await readRecording(instance, id)).status).toBe('ACTIVE');
    await timers.obliterate({ force: true });
    await eventually(async () => (await linked(id)).status === 'LIMIT_REACHED' || 'it records on');
  });
});

describe('two deployments on one LiveKit', () => {
  it('leave each other alone, and show what is not theirs', async () => {
    const stack = await startStack(QUICK_CHECKS, QUICK_RECORDERS);
    const otherRedis = await startRedisServer({});
    const folder = await mkdtemp(join(tmpdir(), 'tallylight-other-'));
    try {
      const mine = await stack.start();
      const other = await stack.start({ REDIS_URL: otherRedis.url, STORAGE_URL: `file:${folder}` });
      await createRoom(mine, 'shared-room');
      stack.simulator.openRoom('shared-room');
      const { recording } = await startIn(mine, 'shared-room');
      const sweep = `mutation { runSweep(name: LIVEKIT_RECONCILIATION) { acted findings { kind action } } }`;
      for (let pass = 0; pass < 3; pass += 1) {
        const { data } = await other.graphql<{ runSweep: { acted: number; findings: { kind: string }[] } }>(
          sweep,
        );
        expect(data.runSweep.acted).toBe(0);
        expect(data.runSweep.findings.map(({ kind }) => kind)).toEqual(['FOREIGN_EGRESS']);
      }
      expect((await readRecording(mine, recording!.id)).status).toBe('ACTIVE');
      expect(stack.simulator.runningEgressIds('shared-room')).toHaveLength(1);
    } finally {
      await stack.close();
      await otherRedis.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('on one folder without a name are one deployment, of which neither stops what the other has begun', async () => {
    const stack = await startStack(QUICK_CHECKS, QUICK_RECORDERS);
    const otherRedis = await startRedisServer({});
    try {
      const mine = await stack.start();
      const other = await stack.start({ REDIS_URL: otherRedis.url });
      await createRoom(mine, 'shared-room');
      stack.simulator.openRoom('shared-room');
      const { recording } = await startIn(mine, 'shared-room');
      const sweep = `mutation { runSweep(name: LIVEKIT_RECONCILIATION) { failed } }`;
      for (let pass = 0; pass < 3; pass += 1) {
        const { data } = await other.graphql<{ runSweep: { failed: number } }>(sweep);
        expect(data.runSweep.failed).toBe(0);
      }
      expect((await readRecording(mine, recording!.id)).status).toBe('ACTIVE');
      expect((await readRecording(other, recording!.id)).status).toBe('ACTIVE');
      expect(stack.simulator.runningEgressIds('shared-room')).toHaveLength(1);
    } finally {
      await stack.close();
      await otherRedis.stop();
    }
  });

  it('with the same names in two buckets stop nothing of each other, told by webhook or by the list', async () => {
    const [mineS3, otherS3] = await Promise.all([S3Server.start(), S3Server.start()]);
    const stack = await startStack(QUICK_CHECKS, QUICK_RECORDERS);
    const otherRedis = await startRedisServer({});
    try {
      // The first one hears LiveKit's webhooks: those of the other's egresses as well.
      const other = await stack.start({ REDIS_URL: otherRedis.url, ...otherS3.env('') });
      const mine = await stack.start(mineS3.env(''));
      await createRoom(mine, 'shared-room');
      await createRoom(other, 'shared-room');
      stack.simulator.openRoom('shared-room');
      const { recording } = await startIn(mine, 'shared-room');
      const foreign = `mutation { runSweep(name: LIVEKIT_RECONCILIATION) { acted findings { kind } } }`;
      for (let pass = 0; pass < 2; pass += 1) {
        const { data } = await other.graphql<{ runSweep: { acted: number; findings: { kind: string }[] } }>(
          foreign,
        );
        expect(data.runSweep).toEqual({ acted: 0, findings: [{ kind: 'FOREIGN_EGRESS' }] });
      }
      expect((await readRecording(mine, recording!.id)).status).toBe('ACTIVE');
      expect(stack.simulator.runningEgressIds('shared-room')).toHaveLength(1);
      await mine.graphql(STOP, { id: recording!.id });
      await eventually(
        async () => (await readRecording(mine, recording!.id)).status === 'COMPLETE' || 'it is not told',
      );
      expect([...otherS3.objects.keys()].filter((key) => key.includes(recording!.id))).toEqual([]);
    } finally {
      await stack.close();
      await otherRedis.stop();
      await Promise.all([mineS3.stop(), otherS3.stop()]);
    }
  });
});
