import { appendFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keys } from '../../src/redis/keys.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { createRoom, readRecording, startIn, STOP } from '../support/operations.js';

interface EventSeen {
  readonly type: string;
  readonly cause: string;
  readonly recording: { readonly status: string; readonly version: number };
}

describe('a Redis that was lost', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({ SWEEP_LIVEKIT_RECONCILIATION_EVERY: '1s' });
    instance = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await createRoom(instance, room);
    stack.simulator.openRoom(room);
  });

  /** Another log than before has begun; readiness itself is looked at once a second. */
  const lose = async (how: () => Promise<unknown>): Promise<void> => {
    const before = await stack.redisClient.get(keys.epoch());
    await how();
    await eventually(async () => {
      const now = await stack.redisClient.get(keys.epoch());
      return (now !== null && now !== before) || 'Redis is not whole';
    });
    await eventually(isReady);
  };
  const loseAll = (): Promise<void> => lose(() => stack.redisClient.flushall());
  const isReady = async (): Promise<boolean | string> => {
    const answer = await fetch(`${instance.url}/health/ready`);
    return answer.status === 200 || JSON.stringify(await answer.json());
  };
  const becomes = (id: string, status: string): Promise<void> =>
    eventually(async () => {
      const recording = await readRecording(instance, id);
      return recording.status === status || `it is ${recording.status}`;
    });
  const history = async (id: string): Promise<EventSeen[]> => {
    const answer = await instance.graphql<{ recording: { history: { nodes: EventSeen[] } } }>(
      `{ recording(id: "${id}") { history { nodes { type cause recording { status version } } } } }`,
    );
    return answer.data.recording.history.nodes;
  };
  const record = (id: string): string =>
    join(stack.storageFolder, 'recordings', '.metadata', room, `${id}.json`);
  const isDurable = async (id: string, status: string): Promise<void> => {
    await eventually(async () => {
      const kept = JSON.parse(await readFile(record(id), 'utf8')) as { recording: { status: string } };
      return kept.recording.status === status || `the bucket says ${kept.recording.status}`;
    });
  };
  const complete = async (): Promise<string> => {
    const { id } = (await startIn(instance, room)).recording!;
    await instance.graphql(STOP, { id });
    await becomes(id, 'COMPLETE');
    await isDurable(id, 'COMPLETE');
    return id;
  };

  it('is filled again from the bucket alone, under a running instance: rooms, recordings, histories', async () => {
    const id = await complete();
    const before = await readRecording(instance, id);
    const told = await history(id);
    await loseAll();
    const after = await readRecording(instance, id);
    expect({ ...after, version: before.version }).toEqual(before);
    expect(after.version).toBeGreaterThan(before.version);
    expect((await history(id)).slice(0, told.length)).toEqual(told);
    expect((await history(id)).at(-1)).toMatchObject({
      cause: 'rebuild',
      recording: { version: after.version },
    });
    const rooms = await instance.graphql<{ room: { name: string }; recordings: { totalCount: number } }>(
      `{ room(id: "${room}") { name } recordings(filter: { roomId: "${room}" }) { totalCount } }`,
    );
    expect(rooms.data).toMatchObject({ room: { name: room }, recordings: { totalCount: 1 } });
    const media = await fetch(`${instance.url}${after.mediaPath}`, {
      headers: { authorization: `Bearer ${stack.env.TALLYLIGHT_ADMIN_KEY}` },
    });
    expect((await media.arrayBuffer()).byteLength).toBe(after.sizeBytes);
  });

  it('gives out no cursor of before: they are expired, and new ones go on', async () => {
    const page = await instance.graphql<{ recordings: { eventCursor: string } }>(
      '{ recordings { eventCursor } }',
    );
    await loseAll();
    const client = instance.subscriber();
    const follow = (after: string): Promise<unknown> =>
      new Promise((resolve) => {
        client.subscribe(
          {
            query: 'subscription($after: String) { recordingEvents(after: $after) { type } }',
            variables: { after },
          },
          { next: resolve, error: resolve, complete: () => resolve('complete') },
        );
      });
    expect(JSON.stringify(await follow(page.data.recordings.eventCursor))).toContain('CURSOR_EXPIRED');
    const fresh = await instance.graphql<{ recordings: { eventCursor: string } }>(
      '{ recordings { eventCursor } }',
    );
    const next = follow(fresh.data.recordings.eventCursor);
    await startIn(instance, room, { waitForActive: false });
    expect(JSON.stringify(await next)).toContain('REQUESTED');
  });

  it('does not end a recording in progress, which becomes COMPLETE with its media; no version is given twice', async () => {
    const started = await startIn(instance, room, { labels: { team: 'a' } });
    const { id, version } = started.recording!;
    await isDurable(id, 'ACTIVE');
    await loseAll();
    const back = await readRecording(instance, id);
    expect(back).toMatchObject({ status: 'ACTIVE', labels: { team: 'a' } });
    expect(back.version).toBeGreaterThan(version);
    expect((await startIn(instance, room)).code).toBe('RECORDING_ALREADY_STARTED');
    await instance.graphql(STOP, { id });
    await becomes(id, 'COMPLETE');
    const versions = (await history(id)).map((event) => event.recording.version);
    expect(new Set(versions).size).toBe(versions.length);
    expect(versions.toSorted((a, b) => a - b)).toEqual(versions);
    expect((await readRecording(instance, id)).mediaPath).not.toBeNull();
    expect((await startIn(instance, room)).code).toBeNull();
  });

  it('finds an egress that ended meanwhile', async () => {
    const { id } = (await startIn(instance, room)).recording!;
    await isDurable(id, 'ACTIVE');
    stack.simulator.setFault({ name: 'webhooks-lost', room });
    stack.simulator.closeRoom(room);
    await loseAll();
    await becomes(id, 'COMPLETE');
    stack.simulator.clearFaults();
  });

  it('is rebuilt when only the mark is missing: nothing is there twice, and the bucket decides', async () => {
    const id = await complete();
    const { version } = await readRecording(instance, id);
    await lose(() => stack.redisClient.del(keys.epoch()));
    const list = await instance.graphql<{ recordings: { totalCount: number; nodes: { version: number }[] } }>(
      `{ recordings(filter: { roomId: "${room}" }) { totalCount nodes { version } } }`,
    );
    expect(list.data.recordings.totalCount).toBe(1);
    expect(list.data.recordings.nodes[0]!.version).toBeGreaterThan(version);
  });

  it('keeps idempotency keys: the same start is the same recording', async () => {
    const input = { idempotencyKey: `key-${room}`, labels: { a: 1 } };
    const first = await startIn(instance, room, input);
    await isDurable(first.recording!.id, 'ACTIVE');
    await loseAll();
    expect((await startIn(instance, room, input)).recording?.id).toBe(first.recording!.id);
    expect((await startIn(instance, room, { ...input, labels: {} })).code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('adopts what runs at LiveKit and had not reached the bucket', async () => {
    const { id } = (await startIn(instance, room)).recording!;
    await isDurable(id, 'ACTIVE');
    await rm(record(id));
    await loseAll();
    await becomes(id, 'ACTIVE');
    await instance.graphql(STOP, { id });
    await becomes(id, 'COMPLETE');
  });

  it('leaves out what can not be understood, and says so in the log alone', async () => {
    const id = await complete();
    await writeFile(record(id.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))), '{"format":1}');
    await appendFile(join(stack.storageFolder, 'recordings', '.metadata', room, 'note.txt'), 'hello');
    await loseAll();
    expect((await readRecording(instance, id)).status).toBe('COMPLETE');
    expect(await readdir(join(stack.storageFolder, 'recordings', '.metadata', room))).toHaveLength(3);
  });

  it('waits for a storage that is away: it says so, and nobody is answered from what is not back yet', async () => {
    const id = await complete();
    const aside = `${stack.storageFolder}-aside`;
    await rename(stack.storageFolder, aside);
    const before = await stack.redisClient.get(keys.epoch());
    await stack.redisClient.flushall();
    await eventually(async () => {
      const told = JSON.stringify(await (await fetch(`${instance.url}/health/ready`)).json());
      return /"rebuild":\{"ok":false,"problem":"[^"]*waiting, the storage failed/.test(told) || told;
    });
    for (const query of [
      `{ recording(id: "${id}") { id } }`,
      '{ recordings { totalCount } }',
      `{ room(id: "${room}") { id } }`,
      '{ rooms { totalCount } }',
      `mutation { stopRecording(id: "${id}") { id } }`,
      `mutation { deleteRecording(id: "${id}") { id } }`,
      `mutation { deleteRoomRecordings(roomId: "${room}") { id } }`,
      `mutation { deleteRoom(id: "${room}") { id } }`,
      `mutation { createRoom(input: { name: "new" }) { id } }`,
      `mutation { updateRoom(input: { id: "${room}", name: "new" }) { id } }`,
      `mutation { startRecording(input: { roomId: "${room}", idempotencyKey: "k" }) { id } }`,
    ])
      expect([query, (await instance.graphql(query)).code]).toEqual([query, 'REDIS_UNAVAILABLE']);
    const media = await fetch(`${instance.url}/recordings/${id}/media`, {
      headers: { authorization: `Bearer ${stack.env.TALLYLIGHT_ADMIN_KEY}` },
    });
    expect(media.status).toBe(503);
    await rename(aside, stack.storageFolder);
    await eventually(async () => {
      const now = await stack.redisClient.get(keys.epoch());
      return (now !== null && now !== before) || 'Redis is not whole';
    });
    expect((await readRecording(instance, id)).status).toBe('COMPLETE');
  });

  it('and away when an instance starts is rebuilt once it is there', async () => {
    const id = await complete();
    await stack.redisClient.flushall();
    await stack.redis.kill();
    const starting = stack.start();
    await stack.redis.restart();
    const other = await starting;
    expect((await readRecording(other, id)).status).toBe('COMPLETE');
  });
});
