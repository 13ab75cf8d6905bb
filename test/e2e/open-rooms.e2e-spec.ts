import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { deleteRoom } from '../support/bulk-deletions.js';
import { createRoom, startIn, STOP } from '../support/operations.js';
import { becomes, livekitToken, roomIsFree } from '../support/recording-life.js';

interface RoomSeen {
  readonly id: string;
  readonly name: string;
  readonly known: boolean;
}
interface PageSeen {
  readonly nodes: readonly RoomSeen[];
  readonly totalCount: number;
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly endCursor: string;
  };
}

const ROOM = `id name known recordingSettings { enabled audioOnly } createdAt updatedAt live { sid createdAt }`;

describe('rooms that are open in LiveKit and nobody has made here', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let part = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({ LIVEKIT_TIMEOUT: '1s' });
    instance = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(() => {
    stack.simulator.clearFaults();
    part = `part-${(made += 1)}`;
  });

  const read = (id: string, key?: string) =>
    instance.graphql<{ room: RoomSeen & { createdAt: string; updatedAt: string; live: object | null } }>(
      `query($id: ID!) { room(id: $id) { ${ROOM} } }`,
      { id },
      key,
    );
  const list = (variables: object, key?: string) =>
    instance.graphql<{ rooms: PageSeen }>(
      `query($part: String, $open: Boolean, $first: Int, $after: String) {
        rooms(nameContains: $part, open: $open, first: $first, after: $after) {
          nodes { id name known } totalCount pageInfo { hasNextPage hasPreviousPage endCursor } } }`,
      { part, ...variables },
      key,
    );
  const idsOf = ({ data }: Awaited<ReturnType<typeof list>>): string[] =>
    data.rooms.nodes.map(({ id }) => id);

  it('are read with default settings by who may see them, and by their whole name alone', async () => {
    const room = `${part}-meeting`;
    stack.simulator.openRoom(`${room}-two`);
    expect((await read(room)).code).toBe('ROOM_NOT_FOUND');
    stack.simulator.openRoom(room);
    const { data } = await read(room);
    expect(data.room).toMatchObject({
      id: room,
      name: room,
      known: false,
      recordingSettings: { enabled: true, audioOnly: false },
    });
    expect(data.room.live).toMatchObject({ createdAt: data.room.createdAt });
    expect(data.room.updatedAt).toBe(data.room.createdAt);
    const theirs = await livekitToken({ roomJoin: true, room });
    expect((await read(room, theirs)).data.room.known).toBe(false);
    const others = await livekitToken({ roomJoin: true, room: `${room}-two` });
    expect((await read(room, others)).code).toBe('ROOM_NOT_FOUND');
  });

  it('are listed with open: true, and closed ones that are known with open: false, on exact pages', async () => {
    const names = [1, 2, 3, 4, 5, 6].map((n) => `${part}-${n}`);
    for (const name of names.slice(0, 4)) await createRoom(instance, name);
    for (const name of [names[0]!, names[2]!, names[4]!, names[5]!]) stack.simulator.openRoom(name);

    const first = await list({ open: true, first: 3 });
    expect(first.data.rooms).toMatchObject({
      nodes: [
        { id: names[0], known: true },
        { id: names[2], known: true },
        { id: names[4], known: false },
      ],
      totalCount: 4,
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    });
    const next = await list({ open: true, first: 3, after: first.data.rooms.pageInfo.endCursor });
    expect(next.data.rooms).toMatchObject({
      nodes: [{ id: names[5], known: false }],
      totalCount: 4,
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });

    const closed = await list({ open: false, first: 1 });
    expect(closed.data.rooms).toMatchObject({
      nodes: [{ id: names[1], known: true }],
      totalCount: 2,
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    });
    const rest = await list({ open: false, first: 1, after: closed.data.rooms.pageInfo.endCursor });
    expect(rest.data.rooms).toMatchObject({
      nodes: [{ id: names[3], known: true }],
      totalCount: 2,
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });
    expect(idsOf(await list({}))).toEqual(names.slice(0, 4));

    const mine = await livekitToken({ roomJoin: true, room: names[4]! });
    expect(idsOf(await list({ open: true }, mine))).toEqual([names[4]]);
    expect((await list({ open: false }, mine)).data.rooms.totalCount).toBe(0);
  });

  it('are made by their first recording, also of one who may not make rooms, and by no other', async () => {
    const room = `${part}/meeting`;
    const key = await livekitToken({ roomRecord: true, room });
    expect((await startIn(instance, room, {}, key)).code).toBe('ROOM_NOT_FOUND');
    stack.simulator.openRoom(room);
    const viewer = await livekitToken({ roomJoin: true, room });
    expect((await startIn(instance, room, {}, viewer)).code).toBe('FORBIDDEN');
    expect((await read(room)).data.room.known).toBe(false);
    const starts = await Promise.all([1, 2, 3].map(() => startIn(instance, room, { audioOnly: true }, key)));
    expect(starts.map(({ code }) => code).toSorted()).toEqual(
      ['RECORDING_ALREADY_STARTED', 'RECORDING_ALREADY_STARTED', null].toSorted(),
    );
    const id = starts.find(({ recording }) => recording !== null)!.recording!.id;
    expect((await read(room)).data.room).toMatchObject({ id: room, name: room, known: true });
    expect(idsOf(await list({}))).toEqual([room]);
    await instance.graphql(STOP, { id });
    await becomes(instance, id, { status: 'COMPLETE' });
    await roomIsFree(stack, room);
  });

  it('are made by an update', async () => {
    const room = `${part}-meeting`;
    const update = (key?: string) =>
      instance.graphql<{ updateRoom: RoomSeen }>(
        'mutation($input: UpdateRoomInput!) { updateRoom(input: $input) { id name known recordingSettings { enabled } } }',
        { input: { id: room, recordingSettings: { enabled: false } } },
        key,
      );
    expect((await update()).code).toBe('ROOM_NOT_FOUND');
    stack.simulator.openRoom(room);
    expect((await update(await livekitToken({ roomRecord: true, room }))).code).toBe('FORBIDDEN');
    expect((await update()).data.updateRoom).toEqual({
      id: room,
      name: room,
      known: true,
      recordingSettings: { enabled: false },
    });
    expect((await startIn(instance, room)).code).toBe('RECORDING_DISABLED');
  });

  it('are not to be deleted, and one that was deleted stays away for as long as it is open', async () => {
    const room = `${part}-meeting`;
    stack.simulator.openRoom(room);
    expect((await deleteRoom(instance, room)).code).toBe('ROOM_NOT_FOUND');
    await createRoom(instance, room);
    expect((await deleteRoom(instance, room)).code).toBeNull();
    expect([(await read(room)).code, (await startIn(instance, room)).code]).toEqual([
      'ROOM_NOT_FOUND',
      'ROOM_NOT_FOUND',
    ]);
    expect((await list({ open: true })).data.rooms.totalCount).toBe(0);
    await createRoom(instance, room);
    expect((await read(room)).data.room.known).toBe(true);
  });

  it('can not be told of while LiveKit does not answer, and known ones still can', async () => {
    const room = `${part}-meeting`;
    await createRoom(instance, room);
    stack.simulator.setFault({ name: 'unreachable', room: '*' });
    const one = await instance.graphql<{ room: RoomSeen }>('query($id: ID!) { room(id: $id) { id known } }', {
      id: room,
    });
    expect(one.data.room).toEqual({ id: room, known: true });
    expect(idsOf(await list({}))).toEqual([room]);
    const unknown = `${part}-unknown`;
    const codes = [
      (await read(unknown)).code,
      (await list({ open: true })).code,
      (await list({ open: false })).code,
    ];
    expect(codes).toEqual(['LIVEKIT_UNAVAILABLE', 'LIVEKIT_UNAVAILABLE', 'LIVEKIT_UNAVAILABLE']);
  });
});
