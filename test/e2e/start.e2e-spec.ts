import { eventually } from '../support/eventually.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import {
  createRoom,
  FIELDS,
  readRecording,
  type RecordingSeen,
  START,
  startIn,
} from '../support/operations.js';

describe('a start', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({
      RECORDING_START_TIMEOUT: '2s',
      LIVEKIT_START_TIMEOUT: '4s',
      LIVEKIT_TIMEOUT: '2s',
    });
    instance = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    stack.simulator.clearFaults();
    room = `room-${(made += 1)}`;
    await createRoom(instance, room);
    stack.simulator.openRoom(room);
  });

  const liveEgresses = (): string[] =>
    stack.simulator
      .egresses()
      .filter((egress) => egress.roomName === room && egress.status < 3)
      .map((egress) => egress.egressId);
  const roomIsFree = async (): Promise<boolean | string> => {
    const holder = await stack.redisClient.hget(`{tl}:slot:${room}`, 'recording');
    return holder === null || `${holder} holds the room`;
  };

  it('becomes ACTIVE, and COMPLETE after a stop, with its media', async () => {
    const started = await startIn(instance, room);
    expect(started).toMatchObject({
      code: null,
      recording: { status: 'ACTIVE', roomId: room, endReason: null },
    });
    const { id } = started.recording!;
    const stopped = await instance.graphql<{ stopRecording: RecordingSeen }>(
      `mutation($id: ID!) { stopRecording(id: $id) { ${FIELDS} } }`,
      { id },
    );
    expect(stopped.data.stopRecording).toMatchObject({ status: 'ENDING', endReason: 'STOP_REQUESTED' });
    await eventually(
      async () => (await readRecording(instance, id)).status === 'COMPLETE' || 'it is not COMPLETE',
    );
    const complete = await readRecording(instance, id);
    expect(complete).toMatchObject({
      mediaPath: `/recordings/${id}/media`,
      endReason: 'STOP_REQUESTED',
      error: null,
    });
    expect(complete.sizeBytes).toBeGreaterThan(0);
    await eventually(roomIsFree);
  });

  it('is answered at once without waiting, and becomes ACTIVE without a single webhook', async () => {
    stack.simulator.setFault({ name: 'webhooks-lost', room });
    const started = await startIn(instance, room, { waitForActive: false });
    expect(started.recording?.status).toBe('STARTING');
    const { id } = started.recording!;
    await eventually(
      async () => (await readRecording(instance, id)).status === 'ACTIVE' || 'it is not ACTIVE',
    );
    await instance.graphql(`mutation($id: ID!) { stopRecording(id: $id) { id } }`, { id });
    await eventually(
      async () => (await readRecording(instance, id)).status === 'COMPLETE' || 'it is not COMPLETE',
    );
  });

  it('refused by LiveKit says so, leaves a row and a free room', async () => {
    stack.simulator.setFault({ name: 'start-refused-400', room });
    const started = await startIn(instance, room);
    expect(started.code).toBe('RECORDING_START_REJECTED');
    expect(await readRecording(instance, started.recordingId!)).toMatchObject({
      status: 'FAILED',
      endReason: 'START_REJECTED',
      mediaPath: null,
    });
    stack.simulator.clearFaults();
    expect((await startIn(instance, room)).code).toBeNull();
  });

  it('that never becomes active times out, and its egress is stopped', async () => {
    stack.simulator.setFault({ name: 'start-never-active', room });
    const started = await startIn(instance, room);
    expect(started.code).toBe('RECORDING_START_TIMEOUT');
    expect(await readRecording(instance, started.recordingId!)).toMatchObject({
      status: 'FAILED',
      endReason: 'START_TIMEOUT',
    });
    await eventually(() => liveEgresses().length === 0 || `${liveEgresses()} still runs`);
    await eventually(roomIsFree);
  });

  it.each(['start-answer-lost', 'start-answer-error', 'start-answer-conflict'] as const)(
    'accepted with its answer lost or wrong (%s) is found in the list and adopted',
    async (name) => {
      stack.simulator.setFault({ name, room });
      const started = await startIn(instance, room);
      expect(started).toMatchObject({ code: null, recording: { status: 'ACTIVE' } });
      expect(liveEgresses()).toEqual([started.recording!.egressId]);
    },
  );

  it('whose answer comes after the deadline leaves no egress running, and the room waits for that', async () => {
    stack.simulator.setFault({ name: 'start-slow', room, delayMs: 3_000 });
    const started = await startIn(instance, room);
    expect(started.code).toBe('RECORDING_START_TIMEOUT');
    expect((await startIn(instance, room)).code).toBe('RECORDING_ALREADY_STARTED');
    await eventually(
      () =>
        stack.simulator.egresses().some((egress) => egress.roomName === room) ||
        'the late egress is not there yet',
    );
    await eventually(() => liveEgresses().length === 0 || 'the late egress still runs');
    await eventually(roomIsFree);
    stack.simulator.clearFaults();
    expect((await startIn(instance, room)).code).toBeNull();
  });

  it('that ends before it was active says so at once', async () => {
    stack.simulator.setFault({ name: 'ends-before-active', room });
    expect((await startIn(instance, room)).code).toBe('RECORDING_START_FAILED');
    await eventually(roomIsFree);
  });

  it('whose recorder fails to launch says so and frees the room', async () => {
    stack.simulator.setFault({ name: 'handler-failed', room });
    const started = await startIn(instance, room);
    expect(started.code).toBe('RECORDING_START_FAILED');
    expect(await readRecording(instance, started.recordingId!)).toMatchObject({
      status: 'FAILED',
      endReason: 'EGRESS_FAILED',
    });
    await eventually(roomIsFree);
  });

  it('one of fifty at once gets the room', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => startIn(instance, room)));
    expect(all.filter(({ code }) => code === null)).toHaveLength(1);
    expect(all.filter(({ code }) => code === 'RECORDING_ALREADY_STARTED')).toHaveLength(49);
    expect(liveEgresses()).toHaveLength(1);
  });

  it('sent fifty times with one key is one recording and fifty equal answers', async () => {
    const all = await Promise.all(
      Array.from({ length: 50 }, () => startIn(instance, room, { idempotencyKey: 'one' })),
    );
    expect(new Set(all.map(({ recording }) => recording?.id)).size).toBe(1);
    expect(all.every(({ code, recording }) => code === null && recording?.status === 'ACTIVE')).toBe(true);
    expect(liveEgresses()).toHaveLength(1);
  });

  it('that failed is told as failed to whoever sends its key again, waiting or not', async () => {
    stack.simulator.setFault({ name: 'start-refused-400', room });
    const first = await startIn(instance, room, { idempotencyKey: 'failed' });
    expect(first.code).toBe('RECORDING_START_REJECTED');
    stack.simulator.clearFaults();
    for (const waitForActive of [true, false]) {
      const repeated = await startIn(instance, room, { idempotencyKey: 'failed', waitForActive });
      expect(repeated).toMatchObject({ code: 'RECORDING_START_REJECTED', recordingId: first.recordingId });
    }
  });

  it('is refused in a room that is unknown, not open, empty, disabled', async () => {
    expect((await startIn(instance, 'nowhere')).code).toBe('ROOM_NOT_FOUND');
    await createRoom(instance, `${room}-closed`);
    expect((await startIn(instance, `${room}-closed`)).code).toBe('ROOM_NOT_OPEN');
    await createRoom(instance, `${room}-empty`);
    stack.simulator.openRoom(`${room}-empty`, { publishers: [] });
    expect((await startIn(instance, `${room}-empty`)).code).toBe('ROOM_HAS_NO_PARTICIPANTS');
    await createRoom(instance, `${room}-off`, { enabled: false });
    stack.simulator.openRoom(`${room}-off`);
    expect((await startIn(instance, `${room}-off`)).code).toBe('RECORDING_DISABLED');
    const stored = await instance.graphql<{ recordings: { totalCount: number } }>(
      `{ recordings(filter: { roomId: "${room}-off" }) { totalCount } }`,
    );
    expect(stored.data.recordings.totalCount).toBe(0);
  });

  it('cannot be asked while LiveKit is away, and stores nothing', async () => {
    stack.simulator.setFault({ name: 'unreachable', room: '*' });
    expect((await startIn(instance, room)).code).toBe('LIVEKIT_UNAVAILABLE');
    stack.simulator.clearFaults();
    const stored = await instance.graphql<{ recordings: { totalCount: number } }>(
      `{ recordings(filter: { roomId: "${room}" }) { totalCount } }`,
    );
    expect(stored.data.recordings.totalCount).toBe(0);
  });

  it('with a bad input names the field and stores nothing', async () => {
    // Each label is two entries of indexes, which move with every status.
    const labels = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`label-${i}`, i]));
    for (const [field, value] of Object.entries({ maxDurationMs: 0, labels })) {
      const bad = await instance.graphql(START, { input: { roomId: room, [field]: value } });
      expect(bad).toMatchObject({
        code: 'BAD_USER_INPUT',
        errors: [{ extensions: { field: `input.${field}` } }],
      });
      expect(await roomIsFree()).toBe(true);
    }
  });
});
