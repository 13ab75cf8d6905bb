import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { API_KEY, API_SECRET, startStack, type TestInstance, type TestStack } from '../support/app.js';

const ROOM = `id name createdAt updatedAt live { sid numParticipants numPublishers createdAt }
  recordingSettings { enabled layout preset audioOnly maxDurationMs retentionDays restartWhenLost }`;
const CREATE = `mutation ($input: CreateRoomInput!) { room: createRoom(input: $input) { ${ROOM} } }`;
const UPDATE = `mutation ($input: UpdateRoomInput!) { room: updateRoom(input: $input) { ${ROOM} } }`;
const READ = `query ($id: ID!) { room(id: $id) { ${ROOM} } }`;
const LIST = `query ($nameContains: String, $first: Int, $after: String) {
  rooms(nameContains: $nameContains, first: $first, after: $after) {
    totalCount nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

interface RoomAnswer {
  room: { id: string; name: string; live: object | null; recordingSettings: object } | null;
}
interface RoomsAnswer {
  rooms: {
    totalCount: number;
    nodes: { id: string }[];
    edges: { cursor: string; node: { id: string } }[];
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string | null };
  };
}

describe('rooms over GraphQL', () => {
  let stack: TestStack;
  let one: TestInstance;
  beforeAll(async () => {
    stack = await startStack();
    one = await stack.start();
  });
  afterAll(() => stack.close());

  const create = (input: object, key?: string) => one.graphql<RoomAnswer>(CREATE, { input }, key);
  const update = (input: object, key?: string) => one.graphql<RoomAnswer>(UPDATE, { input }, key);
  const read = (id: string, key?: string) => one.graphql<RoomAnswer>(READ, { id }, key);
  const list = (variables: object = {}, key?: string) => one.graphql<RoomsAnswer>(LIST, variables, key);
  const token = async (grant: VideoGrant): Promise<string> => {
    const made = new AccessToken(API_KEY, API_SECRET, { identity: 'ann' });
    made.addGrant(grant);
    return made.toJwt();
  };

  it('a room is made with settings of its own, read as it was made, and kept in the storage', async () => {
    const made = await create({ id: 'made', name: ' Made ', recordingSettings: { layout: 'SPEAKER' } });
    expect(made.data.room).toMatchObject({
      id: 'made',
      name: 'Made',
      live: null,
      recordingSettings: {
        enabled: true,
        layout: 'SPEAKER',
        preset: 'H264_720P_30',
        audioOnly: false,
        maxDurationMs: null,
        retentionDays: null,
        restartWhenLost: true,
      },
    });
    expect((await read('made')).data).toEqual(made.data);
    const copy = await readFile(join(stack.storageFolder, 'rooms/made.json'), 'utf8');
    expect(JSON.parse(copy)).toMatchObject({ id: 'made', recordingSettings: { layout: 'SPEAKER' } });
    expect(await create({ id: 'made', name: 'Again' })).toMatchObject({
      code: 'ROOM_ALREADY_EXISTS',
      errors: [{ extensions: { roomId: 'made' } }],
    });
  });

  it('a room without an id gets one that LiveKit takes, and is listed under it', async () => {
    const { data } = await create({ name: 'Nameless' });
    expect(data.room?.id).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
    expect((await list({ nameContains: 'NAMEless' })).data.rooms.nodes).toEqual([{ id: data.room?.id }]);
  });

  it('a change keeps what it does not name, here and in the storage', async () => {
    await create({ id: 'changed', name: 'Before', recordingSettings: { maxDurationMs: 60_000 } });
    await update({ id: 'changed', recordingSettings: { retentionDays: 7, enabled: false } });
    const { data } = await update({
      id: 'changed',
      name: 'After',
      recordingSettings: { maxDurationMs: null },
    });
    expect(data.room).toMatchObject({
      name: 'After',
      recordingSettings: { maxDurationMs: null, retentionDays: 7, enabled: false, layout: 'GRID' },
    });
    const copy = await readFile(join(stack.storageFolder, 'rooms/changed.json'), 'utf8');
    expect(JSON.parse(copy)).toMatchObject({ name: 'After', recordingSettings: { retentionDays: 7 } });
  });

  it('nothing is stored of what is refused, and the refusal names the field', async () => {
    const before = (await list()).data.rooms.totalCount;
    for (const [input, field] of [
      [{ id: 'a\nroom', name: 'A' }, 'input.id'],
      [{ id: '', name: 'A' }, 'input.id'],
      [{ name: '  ' }, 'input.name'],
      [{ name: 'A', recordingSettings: { enabled: null } }, 'input.recordingSettings.enabled'],
      [{ name: 'A', recordingSettings: { maxDurationMs: 0 } }, 'input.recordingSettings.maxDurationMs'],
      [{ name: 'A', recordingSettings: { maxDurationMs: -1 } }, 'input.recordingSettings.maxDurationMs'],
      [{ name: 'A', recordingSettings: { retentionDays: 0 } }, 'input.recordingSettings.retentionDays'],
      [{ name: 'A', recordingSettings: { layout: 'ROUND' } }, 'input.recordingSettings.layout'],
    ] as const) {
      const answer = await create(input);
      expect([answer.code, answer.errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', field]);
    }
    expect((await list({ first: 0 })).errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'first',
    });
    expect((await list({ first: 101 })).code).toBe('BAD_USER_INPUT');
    expect((await list({ after: 'elsewhere' })).code).toBe('CURSOR_INVALID');
    expect((await list()).data.rooms.totalCount).toBe(before);
  });

  it('a room that is unknown or impossible is not found', async () => {
    for (const id of ['unknown', 'no\nroom', '..', '']) {
      expect(await read(id)).toMatchObject({ code: 'ROOM_NOT_FOUND', data: { room: null } });
      expect((await update({ id, name: 'A' })).code).toBe('ROOM_NOT_FOUND');
    }
  });

  it('a list is read page by page to its end, every room once', async () => {
    for (const n of [3, 1, 2, 5, 4]) await create({ id: `page-${n}`, name: `Page ${n}` });
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { data } = await list({ nameContains: 'page ', first: 2, after });
      expect(data.rooms.totalCount).toBe(5);
      expect(data.rooms.pageInfo.hasPreviousPage).toBe(after !== null);
      expect(data.rooms.edges.map((edge) => edge.node)).toEqual(data.rooms.nodes);
      seen.push(...data.rooms.nodes.map((room) => room.id));
      after = data.rooms.pageInfo.hasNextPage ? data.rooms.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen).toEqual(['page-1', 'page-2', 'page-3', 'page-4', 'page-5']);
  });

  it('a room shows what LiveKit says of it, and says so when LiveKit can not be asked', async () => {
    await create({ id: 'live', name: 'Live' });
    stack.simulator.openRoom('live');
    expect((await read('live')).data.room?.live).toMatchObject({ numParticipants: 1 });
    stack.simulator.faults.set({ name: 'unreachable', room: '*' });
    try {
      const answer = await read('live');
      expect(answer.code).toBe('LIVEKIT_UNAVAILABLE');
      expect(answer.data.room).toMatchObject({ id: 'live', live: null });
    } finally {
      stack.simulator.faults.clear();
    }
  });

  it('who is limited to a room sees that one alone, and only an ADMIN makes and changes rooms', async () => {
    await create({ id: 'mine', name: 'Mine' });
    await create({ id: 'theirs', name: 'Theirs' });
    const mine = await token({ roomAdmin: true, room: 'mine' });
    expect((await list({}, mine)).data.rooms).toMatchObject({ totalCount: 1, nodes: [{ id: 'mine' }] });
    expect((await list({ nameContains: 'theirs' }, mine)).data.rooms.totalCount).toBe(0);
    expect((await read('mine', mine)).data.room?.id).toBe('mine');
    expect((await read('theirs', mine)).code).toBe('ROOM_NOT_FOUND');
    expect((await update({ id: 'theirs', name: 'A' }, mine)).code).toBe('ROOM_NOT_FOUND');
    expect((await update({ id: 'mine', name: 'A' }, mine)).code).toBe('FORBIDDEN');
    expect((await create({ id: 'another', name: 'A' }, mine)).code).toBe('FORBIDDEN');
    const recorder = await token({ roomRecord: true });
    expect((await read('theirs', recorder)).data.room?.id).toBe('theirs');
    expect((await create({ id: 'another', name: 'A' }, recorder)).code).toBe('FORBIDDEN');
    expect((await update({ id: 'unknown', name: 'A' }, recorder)).code).toBe('ROOM_NOT_FOUND');
    expect((await read('another')).code).toBe('ROOM_NOT_FOUND');
  });
});
