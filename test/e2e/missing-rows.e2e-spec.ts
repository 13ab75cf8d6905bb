import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRecordingId, type RecordingId } from '../../src/kernel/ids.js';
import { keys } from '../../src/redis/keys.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';

const LIST = '{ recordings(first: 50) { totalCount nodes { id status } } }';

interface Listed {
  readonly totalCount: number;
  readonly nodes: readonly { readonly id: string; readonly status: string }[];
}

describe('recordings whose rows Redis has lost', () => {
  let stack: TestStack;
  let one: TestInstance;
  let two: TestInstance;

  beforeAll(async () => {
    stack = await startStack({ SWEEP_LIVEKIT_RECONCILIATION_EVERY: '1s' });
    one = await stack.start();
    two = await stack.start();
  });
  afterAll(() => stack.close());

  const list = async (): Promise<Listed> => (await two.graphql<{ recordings: Listed }>(LIST)).data.recordings;
  const recordFile = (room: string, id: string): string =>
    join(stack.storageFolder, 'recordings', '.metadata', room, `${id}.json`);
  const isDurable = (room: string, id: string, status: string): Promise<void> =>
    eventually(async () => {
      const { recording } = JSON.parse(await readFile(recordFile(room, id), 'utf8'));
      return recording.status === status || `its record says ${recording.status}`;
    });
  const lose = async (id: string): Promise<void> => {
    const row = keys.recording(parseRecordingId(id) as RecordingId);
    expect(await stack.redisClient.del(row)).toBe(1);
  };
  const isListedOnce = (id: string): Promise<void> =>
    eventually(
      async () => {
        const { totalCount, nodes } = await list();
        const found = nodes.filter((node) => node.id === id).length;
        return (found === 1 && totalCount === nodes.length) || `${found} of ${nodes.length}/${totalCount}`;
      },
      { withinMs: 15_000 },
    );
  const recorded = async (room: string): Promise<string> => {
    await openRoom(stack, one, room);
    const { id } = await started(one, room);
    await isDurable(room, id, 'ACTIVE');
    return id;
  };
  const complete = async (room: string, id: string): Promise<void> => {
    await one.graphql(STOP, { id });
    await becomes(one, id, { status: 'COMPLETE' });
    await isDurable(room, id, 'COMPLETE');
  };

  it('are there again some seconds after a list has missed them, whether over or in progress', async () => {
    const over = await recorded('over');
    await complete('over', over);
    const active = await recorded('active');
    await lose(over);
    await lose(active);
    await Promise.all([isListedOnce(over), isListedOnce(active)]);
    const { nodes } = await list();
    expect(Object.fromEntries(nodes.map(({ id, status }) => [id, status]))).toMatchObject({
      [over]: 'COMPLETE',
      [active]: 'ACTIVE',
    });
    const { data } = await one.graphql<{ recording: { history: { nodes: { cause: string }[] } } }>(
      'query($id: ID!) { recording(id: $id) { history { nodes { cause } } } }',
      { id: over },
    );
    expect(data.recording.history.nodes.filter(({ cause }) => cause === 'restore:missing-row')).toHaveLength(
      1,
    );
    await complete('active', active);
  });

  it('are there for who asks for one of them by its id, before any list has missed it', async () => {
    const id = await recorded('asked');
    await lose(id);
    const { data, code } = await two.graphql<{ recording: { status: string } }>(
      'query($id: ID!) { recording(id: $id) { status } }',
      { id },
    );
    expect([code, data.recording.status]).toEqual([null, 'ACTIVE']);
    await lose(id);
    expect((await two.graphql(STOP, { id })).code).toBeNull();
    await becomes(one, id, { status: 'COMPLETE' });
  });

  it('are not said to be unknown while their records can not be looked for', async () => {
    const id = await recorded('unsure');
    await complete('unsure', id);
    await lose(id);
    await rename(stack.storageFolder, `${stack.storageFolder}-away`);
    const ask = 'query($id: ID!) { recording(id: $id) { status } }';
    expect((await two.graphql(ask, { id })).code).toBe('REDIS_UNAVAILABLE');
    await rename(`${stack.storageFolder}-away`, stack.storageFolder);
    await eventually(async () => (await two.graphql(ask, { id })).code === null);
  });

  it('are in no list twice where their records are older than what was lost', async () => {
    const id = await recorded('older');
    const record = await readFile(recordFile('older', id));
    await complete('older', id);
    await lose(id);
    await writeFile(recordFile('older', id), record);
    await isListedOnce(id);
    await becomes(one, id, { status: 'COMPLETE' });
    await isListedOnce(id);
  });

  it('stay gone where there is no record, and everything else is listed', async () => {
    const id = await recorded('forgotten');
    await complete('forgotten', id);
    const before = await list();
    await rm(recordFile('forgotten', id));
    await lose(id);
    const { code } = await two.graphql('query($id: ID!) { recording(id: $id) { status } }', { id });
    expect(code).toBe('RECORDING_NOT_FOUND');
    const { nodes, totalCount } = await list();
    expect([nodes.length, totalCount]).toEqual([before.nodes.length - 1, before.totalCount - 1]);
    const restorable = before.nodes.find((node) => node.id !== id)?.id ?? '';
    await lose(restorable);
    await isListedOnce(restorable);
    expect((await list()).nodes.map((node) => node.id)).not.toContain(id);
  });
});
