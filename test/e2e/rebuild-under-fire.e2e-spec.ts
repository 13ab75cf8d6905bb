import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { SystemClock } from '../../src/kernel/clock.js';
import { keys } from '../../src/redis/keys.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { fillWithRecords } from '../support/many-records.js';
import { createRoom, readRecording, startIn, STOP } from '../support/operations.js';

const ROOT = join(__dirname, '../..');
const RECORDS = 6_000;

describe('a rebuild', () => {
  let stack: TestStack;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    stack = await startStack({ SWEEP_LIVEKIT_RECONCILIATION_EVERY: '1s' });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await stack.close();
  });

  /** `npm run rebuild` in a process of its own; what it said so far. */
  const runCommand = (
    ...args: string[]
  ): { child: ChildProcess; said: () => string; exit: Promise<unknown> } => {
    const child = spawn(
      process.execPath,
      ['-r', join(ROOT, 'test/support/run-typescript.cjs'), 'src/rebuild/rebuild-command.ts', ...args],
      { cwd: ROOT, env: { PATH: process.env.PATH ?? '', LOG_LEVEL: 'error', ...stack.env } },
    );
    children.push(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (said += String(text)));
    return { child, said: () => said, exit: once(child, 'exit') };
  };
  const rebuild = (field: string): Promise<string | null> => stack.redisClient.hget(keys.rebuild(), field);
  const complete = (): Promise<number> => stack.redisClient.zcard(keys.index('all', 'COMPLETE:requested'));

  it('that is killed half way is gone on with by another within ten seconds, and nothing is there twice', async () => {
    await fillWithRecords(stack.storageFolder, 'room', RECORDS);
    const first = runCommand();
    await eventually(
      async () => Number(await rebuild('recordings')) > 0 || first.said() || 'it has not begun',
      {
        withinMs: 20_000,
        everyMs: 2,
      },
    );
    first.child.kill('SIGKILL');
    await first.exit;
    const token = await rebuild('token');
    const done = Number(await rebuild('recordings'));
    expect(done).toBeLessThan(RECORDS);
    const second = runCommand();
    await eventually(async () => (await rebuild('token')) !== token || `nobody took over: ${second.said()}`);
    await eventually(
      async () => (await stack.redisClient.exists(keys.epoch())) === 1 || `not whole: ${second.said()}`,
    );
    await second.exit;
    expect(second.said()).toContain('1 rooms and 6000 recordings are back');
    expect(await complete()).toBe(RECORDS);
    const third = runCommand();
    await third.exit;
    expect(third.said()).toContain('Redis is whole: there is nothing to do.');
  });

  it('that is forced forgets what Redis holds, and running instances take part in it', async () => {
    const instance = await stack.start();
    await createRoom(instance, 'room');
    stack.simulator.openRoom('room');
    const { id, version } = (await startIn(instance, 'room')).recording!;
    await instance.graphql(STOP, { id });
    await eventually(async () => (await readRecording(instance, id)).status === 'COMPLETE' || 'not COMPLETE');
    const epoch = await stack.redisClient.get(keys.epoch());
    const forced = runCommand('--force');
    await forced.exit;
    expect(forced.said()).toMatch(/1 recordings are back|Redis is whole again/);
    expect(await stack.redisClient.get(keys.epoch())).not.toBe(epoch);
    const after = await readRecording(instance, id);
    expect(after.status).toBe('COMPLETE');
    expect(after.version).toBeGreaterThan(version);
  });

  it('while many ask answers nobody wrongly, and everything ends right', async () => {
    const [one, two] = [await stack.start(), await stack.start()];
    const clock = new SystemClock();
    const rooms = Array.from({ length: 6 }, (_, i) => `room-${i}`);
    for (const room of rooms) {
      await createRoom(one, room);
      stack.simulator.openRoom(room);
    }
    const kept = (await startIn(one, rooms[0]!)).recording!.id;
    const codes = new Set<string | null>();
    let over = false;
    const ask = async (instance: TestInstance, room: string): Promise<void> => {
      while (!over) {
        const seen = await instance.graphql<{ room: object | null; rooms: { totalCount: number } } | null>(
          `{ room(id: "${room}") { id } rooms { totalCount } }`,
        );
        codes.add(seen.code);
        // Either the whole truth, or no answer.
        if (seen.code === null)
          expect(seen.data).toMatchObject({ room: { id: room }, rooms: { totalCount: rooms.length } });
        const started = await startIn(instance, room, { waitForActive: false });
        codes.add(started.code);
        if (started.recording) codes.add((await instance.graphql(STOP, { id: started.recording.id })).code);
        await clock.sleep(5);
      }
    };
    const asking = rooms.slice(1).map((room, i) => ask(i % 2 ? one : two, room));
    try {
      for (let i = 0; i < 3; i += 1) {
        await clock.sleep(400);
        const before = await stack.redisClient.get(keys.epoch());
        await stack.redisClient.flushall();
        await eventually(async () => {
          const now = await stack.redisClient.get(keys.epoch());
          return (now !== null && now !== before) || 'Redis is not whole';
        });
      }
      await clock.sleep(400);
    } finally {
      over = true;
    }
    await Promise.all(asking);
    for (const code of [...codes].filter((code) => code !== null))
      expect([
        'REDIS_UNAVAILABLE',
        'RECORDING_ALREADY_STARTED',
        'RECORDING_CANNOT_BE_STOPPED_WHILE_STARTING',
        'RECORDING_ALREADY_STOPPED',
        // Acknowledged before its record was in the bucket, and lost with Redis before LiveKit had heard of it.
        'RECORDING_NOT_FOUND',
      ]).toContain(code);
    expect(codes).toContain('REDIS_UNAVAILABLE');
    expect((await readRecording(two, kept)).status).toBe('ACTIVE');
    // A stop that was not answered may not have been taken: whatever is in progress is stopped now, as an operator would.
    const inProgress = async (): Promise<{ id: string; status: string }[]> => {
      const list = await two.graphql<{ recordings: { nodes: { id: string; status: string }[] } }>(
        '{ recordings(filter: { statuses: [STARTING, ACTIVE, ENDING] }) { nodes { id status } } }',
      );
      return list.data.recordings.nodes;
    };
    await eventually(
      async () => {
        const left = await inProgress();
        for (const { id, status } of left) if (status === 'ACTIVE') await one.graphql(STOP, { id });
        return left.length === 0 || JSON.stringify(left);
      },
      { withinMs: 60_000, everyMs: 200 },
    );
    const running = (): string[] =>
      stack.simulator
        .egresses()
        .filter((egress) => egress.status < 3)
        .map((egress) => `${egress.egressId} in ${egress.roomName}`);
    await eventually(() => running().length === 0 || `${running()} still run`, { withinMs: 30_000 });
    expect((await readRecording(two, kept)).mediaPath).not.toBeNull();
  }, 150_000);
});
