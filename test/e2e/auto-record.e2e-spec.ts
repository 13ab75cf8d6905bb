import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { readRecording, STOP } from '../support/operations.js';
import { QUICK_CHECKS, QUICK_RECORDERS } from '../support/quick-recorders.js';

const ENV = { ...QUICK_CHECKS, SWEEP_LIVEKIT_RECONCILIATION_EVERY: '1s' };

describe('a room that is recorded by itself', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack(ENV, QUICK_RECORDERS);
    instance = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    room = `auto-${(made += 1)}`;
    const { errors } = await instance.graphql(
      'mutation($input: CreateRoomInput!) { createRoom(input: $input) { recordingSettings { autoRecordFrom } } }',
      { input: { id: room, name: room, recordingSettings: { autoRecordFrom: 2 } } },
    );
    if (errors.length > 0) throw new Error(errors[0]!.message);
  });

  const recordings = async (): Promise<{ id: string; status: string; endReason: string | null }[]> => {
    const { data } = await instance.graphql<{
      recordings: { nodes: { id: string; status: string; endReason: string | null }[] };
    }>('query($roomId: ID!) { recordings(filter: { roomId: $roomId }) { nodes { id status endReason } } }', {
      roomId: room,
    });
    return data.recordings.nodes;
  };
  const active = (): Promise<void> =>
    eventually(
      async () =>
        (await recordings())[0]?.status === 'ACTIVE' || `recordings: ${JSON.stringify(await recordings())}`,
    );
  const publish = (who: string): void => {
    stack.simulator.join(room, who);
    stack.simulator.publish(room, who);
  };

  it('starts when so many participants publish, and not before', async () => {
    publish('ann');
    await instance.graphql('mutation { runSweep(name: LIVEKIT_RECONCILIATION) { id } }');
    expect(await recordings()).toEqual([]);
    publish('bob');
    await active();
    const { id } = (await recordings())[0]!;
    const { data } = await instance.graphql<{ recording: { history: { nodes: { cause: string }[] } } }>(
      'query($id: ID!) { recording(id: $id) { history { nodes { cause } } } }',
      { id },
    );
    expect(data.recording.history.nodes[0]?.cause).toBe('auto-record');
  });

  it('starts where every webhook was lost', async () => {
    stack.simulator.setFault({ name: 'webhooks-lost', room: '*' });
    try {
      publish('ann');
      publish('bob');
      await active();
    } finally {
      stack.simulator.clearFaults();
    }
  });

  it('stays stopped for its session once a person stopped it, and starts in the next one', async () => {
    publish('ann');
    publish('bob');
    await active();
    const { id } = (await recordings())[0]!;
    await instance.graphql(STOP, { id });
    await eventually(
      async () => (await readRecording(instance, id)).status === 'COMPLETE' || 'it has not ended',
    );
    publish('eve');
    for (let pass = 0; pass < 2; pass += 1)
      await instance.graphql('mutation { runSweep(name: LIVEKIT_RECONCILIATION) { id } }');
    expect(await recordings()).toHaveLength(1);
    stack.simulator.closeRoom(room);
    publish('ann');
    publish('bob');
    await eventually(async () => (await recordings()).length === 2 || 'the next session is not recorded');
    await active();
  });

  it('tries again when an attempt fails', async () => {
    stack.simulator.setFault({ name: 'start-refused-400', room, times: 1 });
    publish('ann');
    publish('bob');
    await eventually(
      async () =>
        (await recordings()).some(({ status }) => status === 'ACTIVE') || JSON.stringify(await recordings()),
      { withinMs: 30_000 },
    );
  });
});
