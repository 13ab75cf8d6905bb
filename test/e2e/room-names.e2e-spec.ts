import { readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { encodeRoomId } from '../../src/kernel/room-code.js';
import { keys } from '../../src/redis/keys.js';
import { DEPLOYMENT_KEY, RESTORE_GENERATIONS_KEY } from '../../src/storage/object-keys.js';
import {
  ADMIN_KEY,
  type GraphqlAnswer,
  startStack,
  type TestInstance,
  type TestStack,
} from '../support/app.js';
import { askToEmpty, deleteRoom, finished } from '../support/bulk-deletions.js';
import { eventually } from '../support/eventually.js';
import { DELETE, readRecording, type RecordingSeen, startIn, STOP } from '../support/operations.js';
import { becomes, livekitToken, openRoom, roomIsFree } from '../support/recording-life.js';
import { ODD_ROOM_NAMES } from '../support/room-names.js';
import { readZip } from '../support/zip-reader.js';

interface RoomSeen {
  readonly id: string;
  readonly recordings: { readonly nodes: readonly { readonly id: string }[]; readonly totalCount: number };
}

interface PageSeen {
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}

/** Each name lives through all of it at the same time: a name that were taken for another's would be found there. */
describe('rooms called as LiveKit lets them', () => {
  let stack: TestStack;
  let instance: TestInstance;
  const recorded = new Map<string, RecordingSeen>();

  beforeAll(async () => {
    stack = await startStack();
    instance = await stack.start();
  });
  afterAll(() => stack.close());

  const each = async (work: (room: (typeof ODD_ROOM_NAMES)[number], id: string) => Promise<void>) => {
    await Promise.all(ODD_ROOM_NAMES.map((room) => work(room, recorded.get(room)?.id ?? '')));
  };
  const fetchMedia = (path: string): Promise<Response> =>
    fetch(`${instance.url}${path}`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  const readRoom = async (id: string): Promise<RoomSeen> =>
    (
      await instance.graphql<{ room: RoomSeen }>(
        'query($id: ID!) { room(id: $id) { id recordings { nodes { id } totalCount } } }',
        { id },
      )
    ).data.room;
  const objects = async (): Promise<string[]> => {
    const entries = await readdir(stack.storageFolder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(stack.storageFolder.length + 1)
          .split(sep)
          .join('/'),
      );
  };
  const ofRoom = async (room: (typeof ODD_ROOM_NAMES)[number]): Promise<string[]> => {
    const part = encodeRoomId(room);
    return (await objects()).filter((key) =>
      key.split('/').some((one) => one === part || one === `${part}.json`),
    );
  };

  it('are recorded, each for itself', async () => {
    await each(async (room) => {
      await openRoom(stack, instance, room);
      const { recording, code } = await startIn(instance, room);
      expect({ room, code, status: recording?.status }).toEqual({ room, code: null, status: 'ACTIVE' });
      recorded.set(room, recording!);
    });
    await each(async (room, id) => {
      expect((await readRecording(instance, id)).roomId).toBe(room);
      expect((await startIn(instance, room)).code).toBe('RECORDING_ALREADY_STARTED');
      expect((await instance.graphql(STOP, { id })).code).toBeNull();
      await becomes(instance, id, { status: 'COMPLETE' });
      await roomIsFree(stack, room);
    });
  });

  it('are listed in the order of their bytes, on pages, with their own recordings', async () => {
    const seen: string[] = [];
    for (let after: string | null = null; ;) {
      const { data }: GraphqlAnswer<{ rooms: PageSeen }> = await instance.graphql(
        'query($after: String) { rooms(first: 3, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
        { after },
      );
      seen.push(...data.rooms.nodes.map(({ id }) => id));
      if (!data.rooms.pageInfo.hasNextPage) break;
      after = data.rooms.pageInfo.endCursor;
    }
    expect(seen).toEqual(
      [...ODD_ROOM_NAMES].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    await each(async (room, id) => {
      const { recordings } = await readRoom(room);
      expect({ room, ids: recordings.nodes.map((one) => one.id) }).toEqual({ room, ids: [id] });
    });
  });

  it('have their objects under safe names, where each part is short', async () => {
    const all = await objects();
    for (const key of all) {
      expect(key).toMatch(/^[A-Za-z0-9._=/-]+$/);
      expect(Math.max(...key.split('/').map((part) => part.length))).toBeLessThanOrEqual(200);
    }
    await each(async (room, id) => {
      const part = encodeRoomId(room);
      await eventually(
        async () => (await objects()).includes(`recordings/.metadata/${part}/${id}.json`) || id,
      );
      expect((await ofRoom(room)).toSorted()).toEqual(
        [
          `rooms/${part}.json`,
          `recordings/.room_metadata/${part}/room_metadata.json`,
          `recordings/.metadata/${part}/${id}.json`,
          `recordings/${part}/${id}.ogg`,
        ].toSorted(),
      );
    });
  });

  it('give out their media, to a token for that very room too, and in an archive', async () => {
    await each(async (room, id) => {
      const { mediaPath, sizeBytes } = await readRecording(instance, id);
      const media = await fetchMedia(`${mediaPath}?download=1`);
      expect({ room, status: media.status, size: (await media.arrayBuffer()).byteLength }).toEqual({
        room,
        status: 200,
        size: sizeBytes,
      });
      expect(media.headers.get('content-disposition')).toMatch(/^attachment; filename="[^"\\\r\n/]+"/);
      const token = await livekitToken({ roomJoin: true, room });
      const mine = await instance.graphql<{ rooms: { nodes: { id: string }[] } }>(
        '{ rooms { nodes { id } } }',
        {},
        token,
      );
      expect(mine.data.rooms.nodes).toEqual([{ id: room }]);
    });
    const ids = [...recorded.values()].map(({ id }) => id);
    const zip = await fetchMedia(`/recordings/archive?ids=${ids.join(',')}`);
    const names = readZip(Buffer.from(await zip.arrayBuffer())).map(({ name }) => name);
    expect(names).toEqual([...recorded].map(([room, { id }]) => `${encodeRoomId(room as never)}/${id}.ogg`));
  });

  it('come back with their recordings when Redis was lost', async () => {
    const before = await stack.redisClient.get(keys.epoch());
    await stack.redisClient.flushall();
    await eventually(async () => {
      const now = await stack.redisClient.get(keys.epoch());
      return (now !== null && now !== before) || 'Redis is not whole';
    });
    await each(async (room, id) => {
      const { recordings } = await readRoom(room);
      expect({ room, ids: recordings.nodes.map((one) => one.id) }).toEqual({ room, ids: [id] });
    });
  });

  it('go with all that they have, one recording at a time and many, and leave nothing of theirs', async () => {
    const [first, second, ...rest] = ODD_ROOM_NAMES;
    expect((await instance.graphql(DELETE, { id: recorded.get(first!)!.id })).code).toBeNull();
    const emptied = await askToEmpty(instance, { roomId: second! });
    await finished(instance, emptied.id);
    for (const room of rest) {
      const answer = await deleteRoom(instance, room, 'DELETE');
      expect({ room, code: answer.code }).toEqual({ room, code: null });
    }
    for (const room of [first!, second!]) expect((await deleteRoom(instance, room)).code).toBeNull();
    await eventually(async () => {
      const kept = [RESTORE_GENERATIONS_KEY, DEPLOYMENT_KEY];
      const left = (await objects()).filter((key) => !kept.includes(key));
      return left.length === 0 || left.join(' ');
    });
  });
});
