import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { startChild } from '../support/child-instance.js';
import { eventually } from '../support/eventually.js';
import { DELETE, readRecording, STOP } from '../support/operations.js';
import { becomes, lifeFaults, openRoom, roomIsFree, started } from '../support/recording-life.js';
import { QUICK_RECORDERS } from '../support/quick-recorders.js';
import { S3Server } from '../support/s3-server.js';

describe('a recording that is put together from its segments', () => {
  let s3: S3Server;
  let stack: TestStack;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    s3 = await S3Server.start();
    stack = await startStack(
      {
        ...s3.env(),
        SWEEP_LIVEKIT_RECONCILIATION_EVERY: '500ms',
      },
      QUICK_RECORDERS,
    );
  });
  afterAll(async () => {
    await stack.close();
    await s3.stop();
  });

  const segments = (id: string): string[] =>
    [...s3.objects.keys()].filter((key) => key.includes(`${id}/part_`));
  /** The id of one that ended without its file, whose first segment is being read and never comes. */
  const heldInTheJoin = async (api: TestInstance): Promise<string> => {
    room = `joined-${(made += 1)}`;
    await openRoom(stack, api, room, { crashProof: true, audioOnly: false });
    const { id, egressId } = await started(api, room);
    await eventually(() => segments(id).length >= 3 || 'there are too few segments');
    s3.faults.push({ kind: 'silent', operation: 'GetObject', times: 1 });
    const before = s3.count('GetObject');
    stack.simulator.endEgress(egressId!, 'child-crash');
    await eventually(() => s3.count('GetObject') > before || 'no segment is read yet');
    expect(await readRecording(api, id)).toMatchObject({ status: 'ENDING', endReason: 'EGRESS_FAILED' });
    return id;
  };

  it('is so by another process where the one that joins is killed', async () => {
    const worker = await startChild({ ...stack.env, ROLE: 'worker' });
    const api = await stack.start({ ROLE: 'api' });
    const id = await heldInTheJoin(api);
    await worker.kill();
    const other = await stack.start({ ROLE: 'worker' });
    const over = await becomes(api, id, { status: 'COMPLETE', endReason: 'EGRESS_FAILED' });
    expect(over.durationMs).toBeGreaterThan(400);
    expect(s3.body(`recs/recordings/${room}/${id}.mp4`)?.length).toBe(over.sizeBytes);
    expect(await lifeFaults(api, id)).toEqual([]);
    await eventually(() => segments(id).length === 0 || 'its segments are still there');
    await other.close();
  }, 90_000);

  it('is stopped already for who stops it, and can be deleted once it is there; its room is free meanwhile', async () => {
    const instance = await stack.start();
    const id = await heldInTheJoin(instance);
    await instance.graphql(STOP, { id });
    await roomIsFree(stack, room);
    expect((await instance.graphql(STOP, { id })).code).toBe('RECORDING_ALREADY_STOPPED');
    expect((await instance.graphql(DELETE, { id })).code).toBe('RECORDING_NOT_STOPPED');
    await becomes(instance, id, { status: 'COMPLETE' });
    expect((await instance.graphql(DELETE, { id })).code).toBeNull();
    await eventually(
      () => ![...s3.objects.keys()].some((key) => key.includes(id)) || 'something of it is left',
    );
  }, 60_000);
});
