import { newRecordingId } from '../../src/kernel/ids.js';
import { keys } from '../../src/redis/keys.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventCursor, EventWatch } from '../support/event-watch.js';
import { eventually } from '../support/eventually.js';
import { createRoom, DELETE, readRecording, startIn, STOP } from '../support/operations.js';
import {
  becomes,
  lifeFaults,
  livekitToken,
  openRoom,
  readHistory,
  roomIsFree,
  started,
} from '../support/recording-life.js';

describe('what happens to recordings', () => {
  let stack: TestStack;
  let one: TestInstance;
  let two: TestInstance;
  let room = '';
  let made = 0;
  const watches: EventWatch[] = [];

  beforeAll(async () => {
    stack = await startStack();
    one = await stack.start();
    two = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await openRoom(stack, one, room);
  });
  afterEach(() => {
    stack.simulator.clearFaults();
    for (const watch of watches.splice(0)) watch.end();
  });

  const watch = (...given: ConstructorParameters<typeof EventWatch>): EventWatch => {
    const made = new EventWatch(...given);
    watches.push(made);
    return made;
  };
  const stop = async (at: TestInstance, id: string): Promise<void> => {
    const { code } = await at.graphql(STOP, { id });
    if (code !== null) throw new Error(`stop: ${code}`);
  };
  /** A whole life, begun on one instance and ended on another. */
  const recordOnce = async (inRoom = room): Promise<string> => {
    const { id } = await started(one, inRoom);
    await stop(two, id);
    await becomes(two, id, { status: 'COMPLETE' });
    await roomIsFree(stack, inRoom);
    return id;
  };
  const versionsOf = async (id: string): Promise<string[]> =>
    (await readHistory(one, id)).map(({ recording }) => `${recording.status} ${recording.version}`);

  it('is followed without a gap and without anything twice, across a reconnect to another instance', async () => {
    const rooms = [room, `${room}-b`, `${room}-c`];
    for (const other of rooms.slice(1)) await openRoom(stack, one, other);
    const first = watch(one, { after: await eventCursor(one) });
    const ids: string[] = [];
    const busy = Promise.all(
      rooms.map(async (busyRoom) => {
        for (let i = 0; i < 4; i++) ids.push(await recordOnce(busyRoom));
      }),
    );
    await eventually(() => first.events.length >= 7 || `${first.events.length} events came`);
    first.end();
    const before = [...first.events];
    const second = watch(two, { after: before.at(-1)?.cursor });
    await eventually(() => second.events.length >= 7 || `${second.events.length} events came`);
    second.end();
    const meanwhile = [...second.events];
    await busy;
    const third = watch(one, { after: meanwhile.at(-1)?.cursor });
    for (const id of ids) {
      const { version } = await readRecording(one, id);
      await eventually(() => {
        const all = [...before, ...meanwhile, ...third.events].filter(({ recording }) => recording.id === id);
        return all.length >= version || `${all.length} of ${version} events of ${id} came`;
      });
      const seen = [...before, ...meanwhile, ...third.events]
        .filter(({ recording }) => recording.id === id)
        .map(({ recording }) => `${recording.status} ${recording.version}`);
      expect(seen).toEqual(await versionsOf(id));
    }
    const cursors = [...before, ...meanwhile, ...third.events].map(({ cursor }) => cursor);
    expect(new Set(cursors).size).toBe(cursors.length);
  });

  it('is followed from a page on, and from any event of a history on', async () => {
    const { id } = await started(one, room);
    const after = await eventCursor(two);
    await stop(one, id);
    await becomes(one, id, { status: 'COMPLETE' });
    const fromPage = watch(two, { after });
    await fromPage.sees(id, { status: 'COMPLETE' });
    const history = await readHistory(one, id);
    expect(fromPage.of(id)).toEqual((await versionsOf(id)).slice(-fromPage.of(id).length));
    expect(fromPage.of(id)[0]).toMatch(/^ENDING/);
    const fromEvent = watch(one, { after: history[0]?.cursor, recordingId: id });
    await fromEvent.sees(id, { status: 'COMPLETE' });
    expect(fromEvent.events).toEqual(history.slice(1));
  });

  it('is narrowed to a room, a recording, statuses', async () => {
    const other = `${room}-other`;
    await openRoom(stack, one, other);
    const after = await eventCursor(one);
    const inRoom = watch(one, { after, roomId: room });
    const final = watch(two, { after, statuses: ['COMPLETE', 'ACTIVE'] });
    const [id, elsewhere] = await Promise.all([recordOnce(room), recordOnce(other)]);
    const ofOne = watch(two, { after, recordingId: elsewhere });
    await inRoom.sees(id, { status: 'COMPLETE' });
    await final.sees(id, { status: 'COMPLETE' });
    await final.sees(elsewhere, { status: 'COMPLETE' });
    await ofOne.sees(elsewhere, { status: 'COMPLETE' });
    expect(inRoom.events.map(({ recording }) => recording.roomId)).toEqual(inRoom.events.map(() => room));
    expect(inRoom.of(id)).toEqual(await versionsOf(id));
    expect(new Set(final.events.map(({ recording }) => recording.status))).toEqual(
      new Set(['ACTIVE', 'COMPLETE']),
    );
    expect(ofOne.events.map(({ recording }) => recording.id)).toEqual(ofOne.events.map(() => elsewhere));
    expect(ofOne.of(elsewhere)).toEqual(await versionsOf(elsewhere));
  });

  it('is not followed from a cursor that nobody gave out or that is of something else', async () => {
    await recordOnce();
    const page = await one.graphql<{ recordings: { edges: { cursor: string }[] } }>(
      '{ recordings(first: 1) { edges { cursor } } }',
    );
    for (const after of ['', 'nonsense', 'eyJhIjoxfQ', page.data.recordings.edges[0]?.cursor]) {
      expect(await watch(one, { after }).refused()).toBe('CURSOR_INVALID');
    }
    expect(await watch(one, { roomId: 'no\u0000room' }).refused()).toBe('ROOM_NOT_FOUND');
    expect(await watch(one, { recordingId: 'rec_' }).refused()).toBe('RECORDING_NOT_FOUND');
    const unknown = newRecordingId(1_700_000_000_000);
    expect(await watch(one, { recordingId: unknown }).refused()).toBe('RECORDING_NOT_FOUND');
  });

  it('reaches a LiveKit client for its own room alone', async () => {
    const other = `${room}-other`;
    await openRoom(stack, one, other);
    const viewer = await livekitToken({ roomJoin: true, room });
    const after = await eventCursor(one);
    const seen = watch(two, { after }, viewer);
    const elsewhere = await recordOnce(other);
    const id = await recordOnce(room);
    await seen.sees(id, { status: 'COMPLETE' });
    expect(seen.of(id)).toEqual(await versionsOf(id));
    expect(seen.of(elsewhere)).toEqual([]);
    expect(await watch(two, { roomId: other }, viewer).refused()).toBe('ROOM_NOT_FOUND');
    expect(await watch(two, { recordingId: elsewhere }, viewer).refused()).toBe('RECORDING_NOT_FOUND');
  });

  it('is told to the end: a deletion too, also to who comes back after it', async () => {
    const id = await recordOnce();
    const after = (await readHistory(one, id))[0]?.cursor;
    const { version } = await readRecording(one, id);
    await one.graphql(DELETE, { id });
    const late = watch(two, { after, recordingId: id });
    await late.sees(id, { type: 'DELETED' });
    expect(late.events.map(({ recording }) => recording.version)).toEqual(
      Array.from({ length: version }, (_, i) => i + 2),
    );
  });

  it('stays in a history that is read in pages and folds to the recording', async () => {
    const id = await recordOnce();
    const pages = await readHistory(two, id, 2);
    expect(pages).toEqual(await readHistory(one, id, 50));
    expect(pages.at(-1)?.recording).toEqual(await readRecording(one, id));
    expect(pages[0]).toMatchObject({ type: 'REQUESTED', previousStatus: null, cause: 'key:admin' });
    expect(pages.map(({ at }) => at)).toEqual([...pages.map(({ at }) => at)].sort());
    expect(await lifeFaults(one, id)).toEqual([]);
    const ofAnother = (await readHistory(one, await recordOnce()))[0]?.cursor;
    const foreign = await one.graphql(
      'query($id: ID!, $after: String) { recording(id: $id) { history(after: $after) { nodes { cursor } } } }',
      { id, after: ofAnother },
    );
    expect(foreign.code).toBe('CURSOR_INVALID');
    const tooMany = await one.graphql(
      'query($id: ID!) { recording(id: $id) { history(first: 101) { nodes { at } } } }',
      {
        id,
      },
    );
    expect(tooMany).toMatchObject({ code: 'BAD_USER_INPUT', errors: [{ extensions: { field: 'first' } }] });
  });

  it('is told to the room, each status with its version, and to who joins while it runs', async () => {
    interface Signal {
      recordingId: string;
      roomId: string;
      status: string;
      version: number;
      error?: string;
    }
    const signals = (to?: string): Signal[] =>
      stack.simulator
        .sentData(room)
        .filter(({ topic, to: identities }) => topic === 'tallylight.recording' && identities[0] === to)
        .map(({ payload }) => JSON.parse(payload.toString('utf8')) as Signal);
    const { id } = await started(one, room);
    stack.simulator.join(room, 'late-comer');
    await eventually(() => signals('late-comer').length === 1 || 'who joined was not told');
    const { version } = await readRecording(one, id);
    expect(signals('late-comer')).toEqual([{ recordingId: id, roomId: room, status: 'ACTIVE', version }]);
    await stop(one, id);
    await becomes(one, id, { status: 'COMPLETE' });
    const statuses = (await readHistory(one, id))
      .filter(({ type }) => type !== 'UPDATED')
      .map(({ recording }) => ({
        recordingId: id,
        roomId: room,
        status: recording.status,
        version: recording.version,
      }));
    await eventually(() => signals().length === statuses.length || `${signals().length} packets were sent`);
    expect(signals().sort((a, b) => a.version - b.version)).toEqual(statuses);

    stack.simulator.setFault({ name: 'upload-refused', room });
    const failing = await started(one, room);
    await stop(one, failing.id);
    const failed = await becomes(one, failing.id, { status: 'FAILED' });
    await eventually(() => signals().some(({ status }) => status === 'FAILED') || 'the failure was not told');
    expect(signals().filter(({ status }) => status === 'FAILED')).toEqual([
      {
        recordingId: failing.id,
        roomId: room,
        status: 'FAILED',
        version: failed.version,
        error: failed.error,
      },
    ]);
  });

  it('goes on although the room can’t be told', async () => {
    const { id } = await started(one, room);
    stack.simulator.setFault({ name: 'rooms-fail', room });
    await stop(one, id);
    await becomes(one, id, { status: 'COMPLETE' });
  });

  it('is followed on when Redis was killed and came back, without a gap', async () => {
    const following = [watch(one, { roomId: room }), watch(two, { roomId: room })];
    const { id } = await started(one, room);
    for (const each of following) await each.sees(id, { status: 'ACTIVE' });
    await stack.redis.kill();
    expect((await startIn(one, room)).code).toBe('REDIS_UNAVAILABLE');
    await stack.redis.restart();
    await eventually(async () => {
      const { code } = await one.graphql(STOP, { id });
      return code === null || code === 'RECORDING_ALREADY_STOPPED' || `the stop was answered ${code}`;
    });
    for (const each of following) {
      await each.sees(id, { status: 'COMPLETE' });
      expect(each.of(id)).toEqual(await versionsOf(id));
      expect([each.code, each.ended]).toEqual([null, false]);
    }
    expect(await lifeFaults(two, id)).toEqual([]);
  });

  it('is not followed from before where the log begins, nor from before a rebuild', async () => {
    const id = await recordOnce();
    const [requested, , last] = await readHistory(one, id);
    await stack.redisClient.set(keys.eventsFloor(), '99999999999999-0');
    expect(await watch(one, { after: requested?.cursor }).refused()).toBe('CURSOR_EXPIRED');
    await stack.redisClient.del(keys.eventsFloor());
    expect((await readHistory(one, id)).length).toBeGreaterThan(2);
    const epoch = await stack.redisClient.get(keys.epoch());
    await stack.redisClient.set(keys.epoch(), 'of-another-life');
    expect(await watch(two, { after: last?.cursor }).refused()).toBe('CURSOR_EXPIRED');
    await stack.redisClient.set(keys.epoch(), epoch ?? '');
    await createRoom(one, `${room}-after`);
    await recordOnce();
  });
});
