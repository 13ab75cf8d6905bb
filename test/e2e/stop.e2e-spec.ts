import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EgressStatus } from '@livekit/protocol';
import { newRecordingId } from '../../src/kernel/ids.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { createRoom, readRecording, type RecordingSeen, startIn, STOP } from '../support/operations.js';
import {
  becomes,
  lifeFaults,
  livekitToken,
  openRoom,
  roomIsFree,
  started,
} from '../support/recording-life.js';

describe('a stop', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({
      LIVEKIT_STOP_TIMEOUT: '1s',
      LIVEKIT_TIMEOUT: '1s',
      LIVEKIT_START_TIMEOUT: '3s',
      // Long enough for a test to be first with its stop, short enough to wait for.
      RECORDER_CHECK_EVERY: '4s',
      RECORDER_LOST_AFTER: '900ms',
      SWEEP_LIVEKIT_RECONCILIATION_EVERY: '1h',
    });
    instance = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await openRoom(stack, instance, room);
  });
  afterEach(() => stack.simulator.clearFaults());

  const stop = async (id: string, key?: string) => {
    const answer = await instance.graphql<{ stopRecording: RecordingSeen } | null>(STOP, { id }, key);
    return {
      code: answer.code,
      recording: answer.data?.stopRecording ?? null,
      recordingId: answer.errors[0]?.extensions.recordingId,
    };
  };
  const egressStatus = (egressId: string | null): string | undefined => {
    const status = stack.simulator.egress(egressId ?? '')?.status;
    return status === undefined ? undefined : EgressStatus[status];
  };
  const nothingRuns = (): Promise<void> =>
    eventually(
      () =>
        stack.simulator.runningEgressIds(room).length === 0 ||
        `${stack.simulator.runningEgressIds(room).join(' ')} still runs`,
    );

  it('of an ACTIVE recording is answered ENDING, and the recording is COMPLETE with its media', async () => {
    const { id } = await started(instance, room);
    const { code, recording } = await stop(id);
    expect(code).toBeNull();
    expect(['ENDING', 'COMPLETE']).toContain(recording?.status);
    const done = await becomes(instance, id, { status: 'COMPLETE' });
    expect(done).toMatchObject({
      endReason: 'STOP_REQUESTED',
      error: null,
      mediaPath: `/recordings/${id}/media`,
    });
    await roomIsFree(stack, room);
    expect(await lifeFaults(instance, id)).toEqual([]);
  });

  it('of a STARTING recording whose egress is active already stops it like any other', async () => {
    stack.simulator.setFault({ name: 'webhooks-lost', room });
    // Nobody can look: neither what LiveKit reports nor what it lists arrives.
    stack.simulator.setFault({ name: 'list-fails', room: '*' });
    stack.simulator.setFault({ name: 'list-fails', room });
    const { id } = await started(instance, room, { waitForActive: false });
    await eventually(() => {
      const [egress] = stack.simulator.egresses(room);
      return egress?.status === EgressStatus.EGRESS_ACTIVE || 'the egress is not active yet';
    });
    expect((await readRecording(instance, id)).status).toBe('STARTING');
    stack.simulator.clearFaults('list-fails');
    const { code, recording } = await stop(id);
    expect({ code, status: recording?.status, endReason: recording?.endReason }).toEqual({
      code: null,
      status: 'ENDING',
      endReason: 'STOP_REQUESTED',
    });
    const done = await becomes(instance, id, { status: 'COMPLETE', endReason: 'STOP_REQUESTED' });
    expect(done.mediaPath).not.toBeNull();
    expect(await lifeFaults(instance, id)).toEqual([]);
  });

  it('of a STARTING recording cancels it, tells its starter at once, and leaves no egress', async () => {
    await createRoom(instance, `${room}-quiet`);
    stack.simulator.openRoom(`${room}-quiet`, { publishers: [] });
    stack.simulator.join(`${room}-quiet`, 'a-listener');
    const starter = startIn(instance, `${room}-quiet`, { idempotencyKey: `${room}-key` });
    await eventually(() => stack.simulator.egresses(`${room}-quiet`).length === 1 || 'no egress yet');
    const { id } = await started(instance, `${room}-quiet`, {
      idempotencyKey: `${room}-key`,
      waitForActive: false,
    });
    const stopped = await stop(id);
    expect(stopped).toMatchObject({ code: 'RECORDING_CANNOT_BE_STOPPED_WHILE_STARTING', recordingId: id });
    expect(await starter).toMatchObject({ code: 'RECORDING_START_FAILED', recordingId: id });
    await becomes(instance, id, {
      status: 'ABORTED',
      endReason: 'START_CANCELLED',
      mediaPath: null,
      error: null,
    });
    await eventually(
      () => stack.simulator.runningEgressIds(`${room}-quiet`).length === 0 || 'an egress still runs',
    );
    await roomIsFree(stack, `${room}-quiet`);
    expect(await lifeFaults(instance, id)).toEqual([]);
  });

  it.each(['start-slow', 'start-answer-late'] as const)(
    'of a STARTING recording that LiveKit has not answered for yet (%s) leaves no egress in the end',
    async (name) => {
      stack.simulator.setFault({ name, room, delayMs: 1_200 });
      const { id } = await started(instance, room, { waitForActive: false });
      if (name === 'start-answer-late') {
        // Its reports are lost: for us there is nothing but the list.
        stack.simulator.setFault({ name: 'webhooks-lost', room });
      }
      const first = await stop(id);
      if (first.code === null) {
        // The list was faster than the cancellation: it was active already.
        await becomes(instance, id, { status: 'COMPLETE', endReason: 'STOP_REQUESTED' });
      } else {
        expect(first.code).toBe('RECORDING_CANNOT_BE_STOPPED_WHILE_STARTING');
        const over = await eventuallyFinal(id);
        expect(over).toMatchObject({ endReason: 'START_CANCELLED' });
        expect(over.status).toBe(over.mediaPath === null ? 'ABORTED' : 'COMPLETE');
      }
      await eventually(
        () => stack.simulator.egresses(room).length === 1 || 'the late egress is not there yet',
      );
      await nothingRuns();
      await roomIsFree(stack, room);
      expect(await lifeFaults(instance, id)).toEqual([]);
    },
  );

  const eventuallyFinal = async (id: string): Promise<RecordingSeen> => {
    await eventually(async () => (await readRecording(instance, id)).endedAt !== null || 'it is not over');
    return readRecording(instance, id);
  };

  it('of an ENDING and of a final recording says that it is stopped already', async () => {
    stack.simulator.setFault({ name: 'upload-slow', room, delayMs: 1_000 });
    const { id } = await started(instance, room);
    await stop(id);
    expect((await readRecording(instance, id)).status).toBe('ENDING');
    expect(await stop(id)).toMatchObject({ code: 'RECORDING_ALREADY_STOPPED', recordingId: id });
    await becomes(instance, id, { status: 'COMPLETE' });
    expect(await stop(id)).toMatchObject({ code: 'RECORDING_ALREADY_STOPPED', recordingId: id });
  });

  it('is not found for an id that nobody has, that can’t exist, and in a room that the caller may not see', async () => {
    expect((await stop(newRecordingId(1_700_000_000_000))).code).toBe('RECORDING_NOT_FOUND');
    for (const id of ['', 'rec_', '../../etc/passwd', 'x'.repeat(5_000)]) {
      expect((await stop(id)).code).toBe('RECORDING_NOT_FOUND');
    }
    const { id } = await started(instance, room);
    const elsewhere = await livekitToken({ roomRecord: true, room: 'another-room' });
    expect((await stop(id, elsewhere)).code).toBe('RECORDING_NOT_FOUND');
    const viewer = await livekitToken({ roomJoin: true, room });
    expect((await stop(id, viewer)).code).toBe('FORBIDDEN');
    expect((await readRecording(instance, id)).status).toBe('ACTIVE');
    const recorder = await livekitToken({ roomRecord: true, room });
    expect((await stop(id, recorder)).code).toBeNull();
    await becomes(instance, id, { status: 'COMPLETE' });
  });

  it.each(['unreachable', 'silent', 'bad-credentials'] as const)(
    'while LiveKit is away (%s) leaves the status as it was, and works when it is back',
    async (name) => {
      const { id, egressId } = await started(instance, room);
      stack.simulator.setFault({ name, room: '*' });
      expect((await stop(id)).code).toBe('LIVEKIT_UNAVAILABLE');
      stack.simulator.clearFaults();
      expect(await readRecording(instance, id)).toMatchObject({ status: 'ACTIVE', endReason: null });
      expect(egressStatus(egressId)).toBe('EGRESS_ACTIVE');
      expect((await stop(id)).code).toBeNull();
      await becomes(instance, id, { status: 'COMPLETE', endReason: 'STOP_REQUESTED' });
    },
  );

  it('that took effect although its answer never came is shown as what it was', async () => {
    stack.simulator.setFault({ name: 'stop-no-answer', room });
    const { id } = await started(instance, room);
    expect((await stop(id)).code).toBe('LIVEKIT_UNAVAILABLE');
    await becomes(instance, id, { status: 'COMPLETE', endReason: 'STOP_REQUESTED' });
  });

  it.each([
    { media: false, status: 'ABORTED' },
    { media: true, status: 'COMPLETE' },
  ])('of an egress that LiveKit no longer knows lets the bucket decide (%o)', async ({ media, status }) => {
    const { id, egressId } = await started(instance, room);
    stack.simulator.killWorker();
    stack.simulator.dropEgress(egressId ?? '');
    stack.simulator.addWorker();
    if (media) {
      const folder = join(stack.storageFolder, 'recordings', room);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `${id}.ogg`), 'what it left');
    }
    const { code, recording } = await stop(id);
    expect(code).toBeNull();
    expect(recording).toMatchObject({ status, endReason: 'STALE', sizeBytes: media ? 12 : null });
    expect(recording?.mediaPath).toBe(media ? `/recordings/${id}/media` : null);
    await roomIsFree(stack, room);
    expect(await lifeFaults(instance, id)).toEqual([]);
  });

  it('of an egress that ended unnoticed returns the recording as it ended', async () => {
    const { id, egressId } = await started(instance, room);
    stack.simulator.setFault({ name: 'webhooks-lost', room });
    stack.simulator.endEgress(egressId ?? '', 'limit-reached');
    await eventually(() => egressStatus(egressId) === 'EGRESS_LIMIT_REACHED' || 'the egress still runs');
    const { code, recording } = await stop(id);
    expect(code).toBeNull();
    expect(recording).toMatchObject({
      status: 'LIMIT_REACHED',
      endReason: 'LIMIT_REACHED',
      mediaPath: `/recordings/${id}/media`,
    });
    await roomIsFree(stack, room);
  });

  it('that LiveKit leaves open (408) is ENDING, and the removal of its recorder ends it with its media', async () => {
    stack.simulator.setFault({ name: 'stop-408', room });
    const { id } = await started(instance, room);
    const { code, recording } = await stop(id);
    expect({ code, status: recording?.status }).toEqual({ code: null, status: 'ENDING' });
    const done = await becomes(instance, id, { status: 'COMPLETE', endReason: 'STOP_REQUESTED' });
    expect(done.mediaPath).not.toBeNull();
    await nothingRuns();
    await roomIsFree(stack, room);
    expect(await lifeFaults(instance, id)).toEqual([]);
  });

  it.each([{ withChild: true }, { withChild: false }])(
    'of an egress whose worker is dead (%o) is ENDING, and the evidence ends it without another going on',
    async (how) => {
      const { id } = await started(instance, room);
      stack.simulator.killWorker(how);
      stack.simulator.addWorker();
      const { code, recording } = await stop(id);
      expect({ code, status: recording?.status }).toEqual({ code: null, status: 'ENDING' });
      await becomes(instance, id, { status: 'FAILED', endReason: 'RECORDER_LOST' });
      await nothingRuns();
      await roomIsFree(stack, room);
      const linked = await instance.graphql<{ recording: { continuedBy: object | null } }>(
        'query($id: ID!) { recording(id: $id) { continuedBy { id } } }',
        { id },
      );
      expect(linked.data.recording.continuedBy).toBeNull();
    },
  );

  it('of an egress whose worker died while it uploaded (412, ENDING) is ENDING, and then lost', async () => {
    const { id, egressId } = await started(instance, room);
    stack.simulator.setFault({ name: 'webhooks-lost', room });
    stack.simulator.setFault({ name: 'upload-slow', room, delayMs: 60_000 });
    stack.simulator.endEgress(egressId ?? '', 'source-closed');
    stack.simulator.killWorker();
    stack.simulator.addWorker();
    expect(egressStatus(egressId)).toBe('EGRESS_ENDING');
    const { code, recording } = await stop(id);
    expect({ code, status: recording?.status }).toEqual({ code: null, status: 'ENDING' });
    await becomes(instance, id, { status: 'FAILED', endReason: 'RECORDER_LOST' });
    await roomIsFree(stack, room);
  });
});
