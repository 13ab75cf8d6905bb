import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { newRecordingId } from '../../src/kernel/ids.js';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { createRoom, DELETE, readRecording, type RecordingSeen, STOP } from '../support/operations.js';
import {
  becomes,
  EVENT_FIELDS,
  type EventSeen,
  livekitToken,
  openRoom,
  roomIsFree,
  started,
} from '../support/recording-life.js';

describe('a deletion', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({ RECORDING_START_TIMEOUT: '1s', LIVEKIT_START_TIMEOUT: '5s' });
    instance = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await openRoom(stack, instance, room);
  });
  afterEach(() => stack.simulator.clearFaults());

  const remove = async (id: string, key?: string) => {
    const answer = await instance.graphql<{ deleteRecording: RecordingSeen } | null>(DELETE, { id }, key);
    return {
      code: answer.code,
      status: answer.status,
      recording: answer.data?.deleteRecording ?? null,
      message: answer.errors[0]?.message,
    };
  };
  const codeOfRead = async (id: string): Promise<string | null> =>
    (await instance.graphql('query($id: ID!) { recording(id: $id) { id } }', { id })).code;
  const complete = async (): Promise<RecordingSeen> => {
    const { id } = await started(instance, room);
    await instance.graphql(STOP, { id });
    await becomes(instance, id, { status: 'COMPLETE' });
    // The record is written behind the change; a deletion has to find all of it, and nobody who writes it again.
    await eventually(async () => {
      const record = JSON.parse(await readFile(inStorage('.metadata', `${id}.json`), 'utf8')) as object;
      return JSON.stringify(record).includes('"COMPLETE"') || 'its durable record is older';
    });
    await eventually(
      async () => (await stack.redisClient.zscore('{tl}:unsettled', id)) === null || 'it is not settled',
    );
    await roomIsFree(stack, room);
    return readRecording(instance, id);
  };
  const inStorage = (kind: '' | '.metadata' | '.room_metadata', name: string): string =>
    join(stack.storageFolder, 'recordings', kind, room, name);
  const isThere = (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );
  const mediaStatus = async (id: string): Promise<number> => {
    const answer = await fetch(`${instance.url}/recordings/${id}/media`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    await answer.arrayBuffer();
    return answer.status;
  };

  it('takes media and record away, returns what was deleted, and is told as an event', async () => {
    const before = await complete();
    const { id } = before;
    expect(await mediaStatus(id)).toBe(200);
    const page = await instance.graphql<{ recordings: { eventCursor: string } }>(
      '{ recordings { eventCursor } }',
    );
    const deleted = await remove(id);
    expect(deleted).toMatchObject({ code: null, recording: before });
    expect(await isThere(inStorage('', `${id}.ogg`))).toBe(false);
    // Whoever was writing it at that moment takes it back.
    const record = inStorage('.metadata', `${id}.json`);
    await eventually(async () => !(await isThere(record)) || 'its record is still there');
    expect(await codeOfRead(id)).toBe('RECORDING_NOT_FOUND');
    expect(await mediaStatus(id)).toBe(404);
    expect((await remove(id)).code).toBe('RECORDING_NOT_FOUND');
    const events: EventSeen[] = [];
    const subscription = instance.subscriber().iterate<{ recordingEvents: EventSeen }>({
      query: `subscription($after: String, $id: ID) { recordingEvents(after: $after, recordingId: $id) { ${EVENT_FIELDS} } }`,
      variables: { after: page.data.recordings.eventCursor, id },
    });
    for await (const { data } of subscription) {
      if (data) events.push(data.recordingEvents);
      if (data?.recordingEvents.type === 'DELETED') break;
    }
    expect(events.map(({ type, cause, recording }) => ({ type, cause, version: recording.version }))).toEqual(
      [{ type: 'DELETED', cause: 'key:admin', version: before.version + 1 }],
    );
    const listed = await instance.graphql<{ recordings: { totalCount: number } }>(
      'query($room: ID!) { recordings(filter: { roomId: $room }) { totalCount } }',
      { room },
    );
    expect(listed.data.recordings.totalCount).toBe(0);
  });

  it('of what is not over is refused in every status', async () => {
    await createRoom(instance, `${room}-quiet`);
    stack.simulator.openRoom(`${room}-quiet`, { publishers: [] });
    stack.simulator.join(`${room}-quiet`, 'a-listener');
    const starting = await started(instance, `${room}-quiet`, { waitForActive: false });
    expect((await remove(starting.id)).code).toBe('RECORDING_NOT_STOPPED');
    const { id } = await started(instance, room);
    expect((await remove(id)).code).toBe('RECORDING_NOT_STOPPED');
    stack.simulator.setFault({ name: 'upload-slow', room, delayMs: 800 });
    await instance.graphql(STOP, { id });
    expect((await readRecording(instance, id)).status).toBe('ENDING');
    expect((await remove(id)).code).toBe('RECORDING_NOT_STOPPED');
    const done = await becomes(instance, id, { status: 'COMPLETE' });
    expect(await mediaStatus(done.id)).toBe(200);
  });

  it('of a failed recording without media is a deletion like any other', async () => {
    stack.simulator.setFault({ name: 'start-refused-400', room });
    const { id } = await started(instance, room, { waitForActive: false });
    await becomes(instance, id, { status: 'FAILED' });
    expect((await remove(id)).code).toBeNull();
    expect(await codeOfRead(id)).toBe('RECORDING_NOT_FOUND');
  });

  it('leaves the room as it was recorded to its other recordings, and takes it with the last one', async () => {
    const first = await complete();
    const second = await complete();
    const metadata = inStorage('.room_metadata', 'room_metadata.json');
    await eventually(async () => (await isThere(metadata)) || 'the room’s metadata is not written');
    await remove(first.id);
    await remove(second.id);
    await eventually(async () => !(await isThere(metadata)) || 'the room’s metadata outlived its recordings');
    const third = await complete();
    await eventually(async () => (await isThere(metadata)) || 'the room’s metadata did not come again');
    const fourth = await complete();
    await remove(third.id);
    expect(await mediaStatus(fourth.id)).toBe(200);
    // What a deletion leaves to be done is done by jobs: once none is left, the other recording's room is still there.
    await eventually(async () => {
      const counts = await Promise.all(
        ['wait', 'active', 'prioritized'].map((list) =>
          stack.redisClient.llen(`{tl}:queue:records:${list}`).catch(() => 0),
        ),
      );
      return counts.every((count) => count === 0) || 'effects are still under way';
    });
    expect(await isThere(metadata)).toBe(true);
  });

  it('that the storage refuses half way is not reported as done, and is finished later by itself', async () => {
    const { id } = await complete();
    const record = inStorage('.metadata', `${id}.json`);
    // A folder of that name can't be deleted as an object.
    await rename(record, `${record}.aside`);
    await mkdir(join(record, 'in-the-way'), { recursive: true });
    const refused = await remove(id);
    expect(refused.code).toBe('STORAGE_UNAVAILABLE');
    expect(refused.message).not.toContain(stack.storageFolder);
    expect(await isThere(inStorage('', `${id}.ogg`))).toBe(false);
    expect(await codeOfRead(id)).toBeNull();
    expect((await remove(id)).code).toBe('STORAGE_UNAVAILABLE');
    await rm(record, { recursive: true });
    await rename(`${record}.aside`, record);
    await eventually(async () => (await codeOfRead(id)) === 'RECORDING_NOT_FOUND' || 'it is still there', {
      withinMs: 25_000,
    });
    expect(await isThere(record)).toBe(false);
  });

  it('while the storage is away changes nothing that can be seen, and works when it is back', async () => {
    const { id } = await complete();
    await rename(stack.storageFolder, `${stack.storageFolder}-away`);
    try {
      expect((await remove(id)).code).toBe('STORAGE_UNAVAILABLE');
      expect(await codeOfRead(id)).toBeNull();
    } finally {
      await rename(`${stack.storageFolder}-away`, stack.storageFolder);
    }
    expect(await mediaStatus(id)).toBe(200);
    expect((await remove(id)).code).toBeNull();
    expect(await codeOfRead(id)).toBe('RECORDING_NOT_FOUND');
  });

  it('is for an ADMIN key and for a LiveKit token that administers the room', async () => {
    const { id } = await complete();
    const recorder = await livekitToken({ roomRecord: true, room });
    const viewer = await livekitToken({ roomJoin: true, room });
    const elsewhere = await livekitToken({ roomAdmin: true, room: 'another-room' });
    expect((await remove(id, recorder)).code).toBe('FORBIDDEN');
    expect((await remove(id, viewer)).code).toBe('FORBIDDEN');
    expect((await remove(id, elsewhere)).code).toBe('RECORDING_NOT_FOUND');
    expect(await remove(id, 'tl_a-key-that-nobody-has')).toMatchObject({
      code: 'UNAUTHENTICATED',
      status: 401,
    });
    expect(await mediaStatus(id)).toBe(200);
    expect((await remove(id, await livekitToken({ roomAdmin: true, room }))).code).toBeNull();
    expect(await codeOfRead(id)).toBe('RECORDING_NOT_FOUND');
  });

  it('is not found for an id that nobody has or that can’t exist', async () => {
    expect((await remove(newRecordingId(1_700_000_000_000))).code).toBe('RECORDING_NOT_FOUND');
    for (const id of ['', 'rec_', '../../etc/passwd', '*']) {
      expect((await remove(id)).code).toBe('RECORDING_NOT_FOUND');
    }
  });

  it('while a start of it is still on its way leaves neither an egress nor media of it', async () => {
    stack.simulator.setFault({ name: 'start-slow', room, delayMs: 2_500 });
    const { id } = await started(instance, room, { waitForActive: false });
    await becomes(instance, id, { status: 'FAILED', endReason: 'START_TIMEOUT' });
    expect((await remove(id)).code).toBeNull();
    expect(await codeOfRead(id)).toBe('RECORDING_NOT_FOUND');
    await eventually(() => stack.simulator.egresses(room).length === 1 || 'the late egress is not there yet');
    await eventually(
      () => stack.simulator.runningEgressIds(room).length === 0 || 'the late egress still runs',
    );
    await roomIsFree(stack, room);
    await eventually(async () => {
      const left = await readdir(join(stack.storageFolder, 'recordings', room)).catch(() => [] as string[]);
      return !left.some((name) => name.startsWith(id)) || `${left.join(' ')} is left`;
    });
    expect(await codeOfRead(id)).toBe('RECORDING_NOT_FOUND');
    stack.simulator.clearFaults();
    await complete();
  });
});
