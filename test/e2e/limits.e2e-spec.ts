import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { createRoom, DELETE, readRecording, startIn, STOP } from '../support/operations.js';
import { becomes, lifeFaults, openRoom, roomIsFree, started } from '../support/recording-life.js';

describe('what ends a recording by itself', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({ RECORDING_MAX_DURATION: '5s', RECORDING_START_TIMEOUT: '2s' });
    instance = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await openRoom(stack, instance, room);
  });
  afterEach(() => stack.simulator.clearFaults());

  /** The first bytes of its media and how long all of it is, as a player gets it. */
  const mediaOf = async (id: string): Promise<{ status: number; bytes: number; begins: string }> => {
    const answer = await fetch(`${instance.url}/recordings/${id}/media`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    const body = Buffer.from(await answer.arrayBuffer());
    return { status: answer.status, bytes: body.length, begins: body.subarray(0, 4).toString('latin1') };
  };
  const isPlayable = async (id: string): Promise<void> => {
    const media = await mediaOf(id);
    expect(media).toEqual({ status: 200, bytes: media.bytes, begins: 'OggS' });
    expect(media.bytes).toBe((await readRecording(instance, id)).sizeBytes);
  };

  it.each([
    { whose: 'its own', settings: {}, input: { maxDurationMs: 700 } },
    { whose: 'its room’s', settings: { maxDurationMs: 700 }, input: {} },
    { whose: 'the server’s', settings: {}, input: {} },
  ])('$whose maximum duration: LIMIT_REACHED, with playable media', async ({ settings, input }) => {
    const limited = `${room}-limited`;
    await openRoom(stack, instance, limited, settings);
    const { id } = await started(instance, limited, input);
    const end = { status: 'LIMIT_REACHED', endReason: 'LIMIT_REACHED', error: null };
    await becomes(instance, id, { ...end, mediaPath: `/recordings/${id}/media` });
    await isPlayable(id);
    expect(await lifeFaults(instance, id)).toEqual([]);
    await roomIsFree(stack, limited);
    expect(stack.simulator.runningEgressIds(limited)).toEqual([]);
  });

  it('a limit of the egress service: LIMIT_REACHED, with playable media', async () => {
    stack.simulator.setFault({ name: 'limit-reached', room, delayMs: 200 });
    const { id } = await started(instance, room);
    await becomes(instance, id, { status: 'LIMIT_REACHED', endReason: 'LIMIT_REACHED', error: null });
    await isPlayable(id);
    await roomIsFree(stack, room);
  });

  it.each(['child-crash', 'pipeline-failed'] as const)(
    'a failure of the egress (%s): FAILED, without media',
    async (name) => {
      stack.simulator.setFault({ name, room, delayMs: 200 });
      const { id } = await started(instance, room);
      const failed = await becomes(instance, id, {
        status: 'FAILED',
        endReason: 'EGRESS_FAILED',
        mediaPath: null,
      });
      expect(failed.error).toMatch(/\w+/);
      expect((await mediaOf(id)).status).toBe(410);
      await roomIsFree(stack, room);
    },
  );

  it('a worker that kills it gently: FAILED, and the media that it delivered is shown', async () => {
    stack.simulator.setFault({ name: 'cpu-kill-with-file', room, delayMs: 200 });
    const { id } = await started(instance, room);
    await becomes(instance, id, {
      status: 'FAILED',
      endReason: 'EGRESS_FAILED',
      mediaPath: `/recordings/${id}/media`,
    });
    await isPlayable(id);
    await roomIsFree(stack, room);
  });

  it('an upload that is refused: FAILED although a stop was asked for, in words that name no place', async () => {
    const blocked = `${room}-blocked`;
    await openRoom(stack, instance, blocked);
    // A file where the recording's folder would be: the egress' own words name its whole path.
    await writeFile(join(stack.storageFolder, 'recordings', blocked), '');
    const { id } = await started(instance, blocked);
    await instance.graphql(STOP, { id });
    const failed = await becomes(instance, id, { status: 'FAILED', endReason: 'EGRESS_FAILED' });
    expect(failed.error).toMatch(/upload failed/i);
    expect(failed.error).not.toContain(stack.storageFolder);
    expect(failed.error).not.toMatch(/\/tmp|127\.0\.0\.1|http/);
    await roomIsFree(stack, blocked);
    expect(await lifeFaults(instance, id)).toEqual([]);
  });

  it('a room that is closed: COMPLETE, with its media', async () => {
    const { id } = await started(instance, room);
    stack.simulator.closeRoom(room);
    await becomes(instance, id, { status: 'COMPLETE', endReason: 'ROOM_ENDED', error: null });
    await isPlayable(id);
    await roomIsFree(stack, room);
  });

  it('everybody’s leaving: COMPLETE, with its media', async () => {
    const { id } = await started(instance, room, { maxDurationMs: 60_000 });
    stack.simulator.leave(room, 'somebody');
    await becomes(instance, id, { status: 'COMPLETE', endReason: 'ROOM_ENDED', error: null });
    await isPlayable(id);
  });

  it('a room that is closed before it was active: its starter is told at once', async () => {
    const quiet = `${room}-quiet`;
    await createRoom(instance, quiet);
    stack.simulator.openRoom(quiet, { publishers: [] });
    stack.simulator.join(quiet, 'a-listener');
    const starter = startIn(instance, quiet);
    await eventually(() => stack.simulator.egresses(quiet).length === 1 || 'no egress yet');
    stack.simulator.closeRoom(quiet);
    const { code, recordingId } = await starter;
    expect(code).toBe('RECORDING_START_FAILED');
    await becomes(instance, recordingId ?? '', { status: 'ABORTED', endReason: 'ROOM_ENDED' });
    await roomIsFree(stack, quiet);
  });

  describe('an idempotency key', () => {
    it('with the same input attaches, also by another wait, and with another input is refused', async () => {
      const key = { idempotencyKey: room, labels: { a: 1, b: { c: [2] } } };
      const { id } = await started(instance, room, key);
      expect((await startIn(instance, room, { ...key, waitForActive: false })).recording?.id).toBe(id);
      // The same labels in another order are the same input.
      const reordered = { ...key, labels: { b: { c: [2] }, a: 1 } };
      expect((await startIn(instance, room, reordered)).recording?.id).toBe(id);
      for (const other of [
        { labels: {} },
        { audioOnly: false },
        { maxDurationMs: 5_000 },
        { layout: 'GRID' },
      ]) {
        expect(await startIn(instance, room, { ...key, ...other })).toMatchObject({
          code: 'IDEMPOTENCY_KEY_REUSED',
          recordingId: id,
        });
      }
      expect(stack.simulator.egresses(room)).toHaveLength(1);
      await instance.graphql(STOP, { id });
      await becomes(instance, id, { status: 'COMPLETE' });
      expect((await startIn(instance, room, key)).recording).toMatchObject({ id, status: 'COMPLETE' });
    });

    it('whose recording was deleted says that it is not found, for ever', async () => {
      const { id } = await started(instance, room, { idempotencyKey: room });
      await instance.graphql(STOP, { id });
      await becomes(instance, id, { status: 'COMPLETE' });
      await instance.graphql(DELETE, { id });
      const again = await startIn(instance, room, { idempotencyKey: room });
      expect(again).toMatchObject({ code: 'RECORDING_NOT_FOUND', recordingId: id });
      expect(stack.simulator.egresses(room)).toHaveLength(1);
    });

    it.each([
      { fault: 'start-refused-400', code: 'RECORDING_START_REJECTED' },
      { fault: 'start-never-active', code: 'RECORDING_START_TIMEOUT' },
      { fault: 'ends-before-active', code: 'RECORDING_START_FAILED' },
    ] as const)('repeats $code with its recording', async ({ fault, code }) => {
      stack.simulator.setFault({ name: fault, room });
      const first = await startIn(instance, room, { idempotencyKey: room });
      expect(first.code).toBe(code);
      stack.simulator.clearFaults();
      await roomIsFree(stack, room);
      const again = await startIn(instance, room, { idempotencyKey: room });
      expect(again).toMatchObject({ code, recordingId: first.recordingId });
      expect((await startIn(instance, room, { idempotencyKey: `${room}-new` })).code).toBeNull();
    });

    it('that was refused before an attempt was stored is as good as new', async () => {
      stack.simulator.closeRoom(room);
      expect((await startIn(instance, room, { idempotencyKey: room })).code).toBe('ROOM_NOT_OPEN');
      stack.simulator.openRoom(room);
      expect(
        (await startIn(instance, room, { idempotencyKey: room, labels: { other: true } })).code,
      ).toBeNull();
    });

    it('that is empty or too long is bad input', async () => {
      for (const idempotencyKey of ['', 'x'.repeat(129)]) {
        expect((await startIn(instance, room, { idempotencyKey })).code).toBe('BAD_USER_INPUT');
      }
      expect((await startIn(instance, room, { idempotencyKey: '🎥'.repeat(128) })).code).toBeNull();
    });
  });
});
