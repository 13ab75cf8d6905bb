import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { askToDelete, askToEmpty, deleteRoom, finished } from '../support/bulk-deletions.js';
import { eventually } from '../support/eventually.js';
import { createRoom, readRecording, startIn, STOP } from '../support/operations.js';

describe('deleting a room and what it has recorded', () => {
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
    room = `gone-${(made += 1)}`;
    await createRoom(instance, room);
    stack.simulator.openRoom(room);
  });

  const inFolder = (path: string): boolean => existsSync(join(stack.storageFolder, path));
  const codeOf = async (query: string): Promise<string | null> => (await instance.graphql(query)).code;
  const roomCode = (): Promise<string | null> => codeOf(`{ room(id: "${room}") { id } }`);
  const running = (): string[] =>
    stack.simulator
      .egresses()
      .flatMap((one) => (one.roomName === room && one.status < 3 ? [one.egressId] : []));
  const count = async (): Promise<number> => {
    const answer = await instance.graphql<{ recordings: { totalCount: number } }>(
      `{ recordings(filter: { roomId: "${room}" }) { totalCount } }`,
    );
    return answer.data.recordings.totalCount;
  };
  const record = async (): Promise<string> => {
    const { recording, code } = await startIn(instance, room);
    if (recording === null) throw new Error(`start: ${code}`);
    await instance.graphql(STOP, { id: recording.id });
    const isFree = async (): Promise<boolean | string> =>
      (await stack.redisClient.exists(`{tl}:slot:${room}`)) === 0 || 'the room is not free yet';
    await eventually(isFree);
    return recording.id;
  };

  it('takes the room and its copy in the storage, where it has no recording', async () => {
    expect(inFolder(`rooms/${room}.json`)).toBe(true);
    expect((await deleteRoom(instance, room)).code).toBeNull();
    expect([await roomCode(), inFolder(`rooms/${room}.json`)]).toEqual(['ROOM_NOT_FOUND', false]);
    expect((await deleteRoom(instance, room)).code).toBe('ROOM_NOT_FOUND');
    expect((await startIn(instance, room)).code).toBe('ROOM_NOT_FOUND');
  });

  it('is refused with recordings, and names the one in progress where there is one', async () => {
    const started = await startIn(instance, room);
    for (const policy of [undefined, 'FAIL', 'KEEP'] as const)
      expect((await deleteRoom(instance, room, policy)).code).toBe('ROOM_HAS_ACTIVE_RECORDING');
    await instance.graphql(STOP, { id: started.recording!.id });
    await eventually(
      async () => (await readRecording(instance, started.recording!.id)).status === 'COMPLETE',
    );
    expect((await deleteRoom(instance, room)).code).toBe('ROOM_HAS_RECORDINGS');
    expect(await roomCode()).toBeNull();
  });

  it('with KEEP leaves recordings that are read by their own id, and a room made again has them', async () => {
    const id = await record();
    expect(await deleteRoom(instance, room, 'KEEP')).toEqual({ code: null, deletion: null });
    const kept = await instance.graphql<{ recording: object }>(
      `{ recording(id: "${id}") { id status roomName mediaPath room { id } } }`,
    );
    expect(kept.data.recording).toEqual({
      id,
      status: 'COMPLETE',
      roomName: room,
      mediaPath: `/recordings/${id}/media`,
      room: null,
    });
    await createRoom(instance, room);
    expect(await count()).toBe(1);
  });

  it('with DELETE takes the room at once, stops what runs, and leaves nothing behind', async () => {
    const old = await record();
    const { recording } = await startIn(instance, room);
    const { code, deletion } = await deleteRoom(instance, room, 'DELETE');
    expect(code).toBeNull();
    expect(deletion).toMatchObject({ roomId: room, dryRun: false, total: 2 });
    expect([await roomCode(), (await startIn(instance, room)).code]).toEqual([
      'ROOM_NOT_FOUND',
      'ROOM_NOT_FOUND',
    ]);
    const bulk = await finished(instance, deletion!.id);
    expect(bulk).toMatchObject({ status: 'COMPLETED', deletedIds: [old, recording!.id] });
    expect([running(), await count()]).toEqual([[], 0]);
    expect(inFolder(`recordings/${room}/${recording!.id}.ogg`)).toBe(false);
    await eventually(
      () =>
        !inFolder(`recordings/.room_metadata/${room}/room_metadata.json`) ||
        'the record of the room is there',
    );
  });

  it('with DELETE leaves alone what a room of the same name records afterwards', async () => {
    const old = await record();
    stack.simulator.setFault({ name: 'upload-slow', room, delayMs: 1_500 });
    await startIn(instance, room);
    const { deletion } = await deleteRoom(instance, room, 'DELETE');
    await createRoom(instance, room);
    stack.simulator.clearFaults();
    let anew: string | null = null;
    await eventually(
      async () => {
        const started = await startIn(instance, room);
        anew = started.recording?.id ?? null;
        return anew !== null || `${started.code}`;
      },
      { withinMs: 10_000, everyMs: 100 },
    );
    const bulk = await finished(instance, deletion!.id);
    expect(bulk.deletedIds).toContain(old);
    expect(bulk.deletedIds).toHaveLength(2);
    expect(await readRecording(instance, anew!)).toMatchObject({ status: 'ACTIVE' });
  });

  it('waits for what LiveKit says of the end, however long an upload takes, and then deletes', async () => {
    stack.simulator.setFault({ name: 'upload-slow', room, delayMs: 3_000 });
    const { recording } = await startIn(instance, room);
    const asked = await askToEmpty(instance, { roomId: room });
    await eventually(
      async () => (await readRecording(instance, recording!.id)).status === 'ENDING' || 'not stopped',
    );
    const bulk = await finished(instance, asked.id);
    expect(bulk).toMatchObject({ status: 'COMPLETED', deletedIds: [recording!.id], total: 1 });
    const [egress] = stack.simulator.egresses().filter(({ egressId }) => egressId === recording!.egressId);
    expect(egress?.status).toBe(3);
    expect(inFolder(`recordings/${room}/${recording!.id}.ogg`)).toBe(false);
    expect(await roomCode()).toBeNull();
  });

  it('cancels a start that is on its way, and deletes what came of it', async () => {
    stack.simulator.setFault({ name: 'start-slow', room, delayMs: 1_000 });
    const { recording } = await startIn(instance, room, { waitForActive: false });
    const bulk = await finished(instance, (await askToEmpty(instance, { roomId: room })).id);
    expect(bulk).toMatchObject({ status: 'COMPLETED', deletedIds: [recording!.id] });
    expect([running(), await count()]).toEqual([[], 0]);
  });

  it('while LiveKit is away goes on as soon as it is back', async () => {
    const { recording } = await startIn(instance, room);
    stack.simulator.setFault({ name: 'unreachable', room: '*' });
    const asked = await askToEmpty(instance, { roomId: room });
    await eventually(async () => {
      const work = await stack.redisClient.hget(`{tl}:bulk-deletion:${asked.id}:work`, recording!.id);
      return String(work).includes('waitingSince') || 'it does not wait yet';
    });
    expect((await readRecording(instance, recording!.id)).status).toBe('ACTIVE');
    stack.simulator.clearFaults();
    expect(await finished(instance, asked.id)).toMatchObject({
      status: 'COMPLETED',
      deletedIds: [recording!.id],
    });
  });

  it('of recordings is not found for a room that never was', async () => {
    await expect(askToEmpty(instance, { roomId: 'never-was' })).rejects.toThrow('ROOM_NOT_FOUND');
  });

  it('is seen by every start at the same moment, or sees it', async () => {
    const outcomes: (string | null)[] = [];
    for (let i = 0; i < 30; i += 1) {
      const id = `${room}-${i}`;
      await createRoom(instance, id);
      stack.simulator.openRoom(id);
      const looks = async (): Promise<void> => {
        for (let n = 0; n < i % 6; n += 1) await roomCode();
      };
      const [removed, ...started] = await Promise.all([
        looks().then(() => deleteRoom(instance, id)),
        ...[1, 2, 3].map(() => startIn(instance, id, { waitForActive: false })),
      ]);
      const won = started.filter(({ code }) => code === null);
      outcomes.push(removed.code);
      if (removed.code === null) {
        expect(started.map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'ROOM_NOT_FOUND'));
        expect(stack.simulator.egresses().filter(({ roomName }) => roomName === id)).toEqual([]);
      } else {
        expect([removed.code, won.length]).toEqual(['ROOM_HAS_ACTIVE_RECORDING', 1]);
      }
    }
    // Both must have come about, else no race was run.
    expect(new Set(outcomes)).toEqual(new Set([null, 'ROOM_HAS_ACTIVE_RECORDING']));
  });

  it('shows in a dry run what the real run then does, and changes nothing', async () => {
    const kept = [await record(), await record()];
    const { recording } = await startIn(instance, room);
    const dry = await finished(instance, (await askToEmpty(instance, { roomId: room, dryRun: true })).id);
    expect([await count(), (await readRecording(instance, recording!.id)).status]).toEqual([3, 'ACTIVE']);
    expect(kept.every((id) => inFolder(`recordings/${room}/${id}.ogg`))).toBe(true);
    const real = await finished(instance, (await askToEmpty(instance, { roomId: room })).id);
    const shown = ({ total, deletedCount, failedCount, deletedIds, failures, status }: typeof real) => ({
      ...{ total, deletedCount, failedCount, deletedIds: deletedIds.toSorted(), failures, status },
    });
    expect(shown(dry)).toEqual(shown(real));
    const named = await finished(instance, (await askToDelete(instance, { ids: kept, dryRun: true })).id);
    expect(named).toMatchObject({ failedCount: 2, deletedCount: 0, dryRun: true });
  });
});
