import { readdir, readFile, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { readRow } from '../../src/recordings/store/stored-row.js';
import { keys } from '../../src/redis/keys.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { createRoom, readRecording, startIn, STOP } from '../support/operations.js';

interface RunSeen {
  readonly name: string;
  readonly dryRun: boolean;
  readonly examined: number;
  readonly acted: number;
  readonly failed: number;
  readonly findings: readonly { readonly kind: string; readonly subject: string; readonly action: string }[];
}

describe('a sweep that an operator runs', () => {
  let stack: TestStack;
  let instance: TestInstance;

  beforeAll(async () => {
    stack = await startStack({ ORPHANED_LOCK_GRACE: '1ms' });
    instance = await stack.start();
    await createRoom(instance, 'room');
    stack.simulator.openRoom('room');
  });
  afterAll(() => stack.close());

  const run = async (name: string, dryRun = false): Promise<RunSeen> => {
    const answer = await instance.graphql<{ runSweep: RunSeen }>(
      `mutation($name: SweepName!, $dryRun: Boolean) { runSweep(name: $name, dryRun: $dryRun) {
        name dryRun examined acted failed findings { kind subject action } } }`,
      { name, dryRun },
    );
    if (answer.code !== null) throw new Error(`${answer.code} ${answer.errors[0]?.message}`);
    return answer.data.runSweep;
  };

  it('is one of five, with its interval and its last run', async () => {
    const { data } = await instance.graphql<{ sweeps: { name: string; intervalMs: number }[] }>(
      '{ sweeps { name intervalMs lastRun { id } } }',
    );
    expect(data.sweeps.map(({ name }) => name).toSorted()).toEqual([
      'LIVEKIT_RECONCILIATION',
      'ORPHANED_LOCKS',
      'RETENTION',
      'STALE_RECORDINGS',
      'STORAGE_RECONCILIATION',
    ]);
    expect(data.sweeps.every(({ intervalMs }) => intervalMs > 0)).toBe(true);
  });

  it('shows in a dry run what it would do, tells at first sight, and acts at the second', async () => {
    const { id } = (await startIn(instance, 'room')).recording!;
    await instance.graphql(STOP, { id });
    await eventually(async () => (await readRecording(instance, id)).status === 'COMPLETE' || 'not COMPLETE');
    const folder = join(stack.storageFolder, 'recordings', '.metadata', 'room');
    await eventually(
      async () =>
        (await readFile(join(folder, `${id}.json`), 'utf8')).includes('COMPLETE') || 'no record yet',
    );
    const held = await stack.redisClient.getBuffer(keys.recording(id as never));
    await stack.redisClient.del(keys.recording(id as never));
    for (const key of await stack.redisClient.keys('{tl}:index:*')) await stack.redisClient.zrem(key, id);
    const finding = { kind: 'RECORD_WITHOUT_ROW', subject: id };
    await eventually(async () => {
      // Whatever was still being written is old now, and known to the bucket alone.
      for (const part of ['.metadata/room', 'room'])
        for (const name of await readdir(join(stack.storageFolder, 'recordings', part)))
          await utimes(join(stack.storageFolder, 'recordings', part, name), 1, 1);
      const { findings, acted } = await run('STORAGE_RECONCILIATION', true);
      expect(acted).toBe(0);
      return findings.some(({ kind }) => kind === finding.kind) || 'nothing is told';
    });
    expect(await run('STORAGE_RECONCILIATION')).toMatchObject({ acted: 0, findings: [finding] });
    expect(await run('STORAGE_RECONCILIATION', true)).toMatchObject({
      findings: [{ ...finding, action: 'would restore the recording' }],
    });
    expect(await run('STORAGE_RECONCILIATION')).toMatchObject({ acted: 1, failed: 0, findings: [finding] });
    const back = await readRecording(instance, id);
    expect(back).toMatchObject({ status: 'COMPLETE', mediaPath: `/recordings/${id}/media` });
    expect(back.version).toBeGreaterThan(readRow(held!).recording.version);
    await rm(join(folder, `${id}.json`));
  });

  it('never frees the room of a recording in progress', async () => {
    const { id } = (await startIn(instance, 'room')).recording!;
    for (let i = 0; i < 3; i += 1) {
      const { findings, examined } = await run('ORPHANED_LOCKS');
      expect(findings).toEqual([]);
      expect(examined).toBeGreaterThan(0);
    }
    expect((await startIn(instance, 'room')).code).toBe('RECORDING_ALREADY_STARTED');
    expect(await run('RETENTION')).toMatchObject({ findings: [], failed: 0 });
    await instance.graphql(STOP, { id });
  });
});
