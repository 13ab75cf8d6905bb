import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REAL_TIMINGS, scaledTimings } from '../../src/livekit/simulator/timings.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { DELETE, STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';

// A segment every 160 ms.
const TIMINGS = scaledTimings(0.08, REAL_TIMINGS);

describe('a crash-proof recording', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({}, TIMINGS);
    instance = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    room = `proof-${(made += 1)}`;
    await openRoom(stack, instance, room, { crashProof: true, audioOnly: false });
  });

  const objects = async (id: string): Promise<string[]> => {
    const folder = join(stack.storageFolder, 'recordings', room);
    const found = await readdir(folder, { recursive: true }).catch(() => []);
    return found.filter((name) => name.startsWith(id) && name !== id).toSorted();
  };
  const segments = async (id: string): Promise<string[]> =>
    (await objects(id)).filter((name) => name.endsWith('.ts'));
  const hasSegments = (id: string, count: number): Promise<void> =>
    eventually(async () => {
      const found = (await segments(id)).length;
      return found >= count || `it has ${found} segments`;
    });

  it('has its segments beside it while it runs, and its file alone once that is there', async () => {
    const { id } = await started(instance, room);
    await hasSegments(id, 3);
    expect(await objects(id)).toEqual(
      expect.arrayContaining([`${id}/index.m3u8`, `${id}/live.m3u8`, `${id}/part_00000.ts`]),
    );
    const seen = await instance.graphql<{ recording: object }>(
      'query($id: ID!) { recording(id: $id) { crashProof room { recordingSettings { crashProof } } } }',
      { id },
    );
    expect(seen.data.recording).toEqual({
      crashProof: true,
      room: { recordingSettings: { crashProof: true } },
    });
    await instance.graphql(STOP, { id });
    await becomes(instance, id, { status: 'COMPLETE' });
    await eventually(async () => {
      const left = await objects(id);
      return left.length === 1 || `${left.join(' ')} are left`;
    });
    expect(await objects(id)).toEqual([`${id}.mp4`]);
    const record = join(stack.storageFolder, 'recordings/.metadata', room, `${id}.json`);
    await eventually(async () => {
      const { recording } = JSON.parse(await readFile(record, 'utf8'));
      return (
        (recording.crashProof === true && recording.status === 'COMPLETE') || 'its record is not written yet'
      );
    });
  });

  it('of audio alone is an MP4, since segments and OGG have no codec in common', async () => {
    const { id } = await started(instance, room, { audioOnly: true });
    await hasSegments(id, 1);
    await instance.graphql(STOP, { id });
    const over = await becomes(instance, id, { status: 'COMPLETE' });
    const media = await fetch(`${instance.url}${over.mediaPath}`, {
      headers: { authorization: `Bearer ${stack.env.TALLYLIGHT_ADMIN_KEY}` },
    });
    expect([media.status, media.headers.get('content-type')]).toEqual([200, 'audio/mp4']);
  });

  it('takes its segments with it when it is deleted before they were gone', async () => {
    const { id } = await started(instance, room);
    await hasSegments(id, 2);
    await instance.graphql(STOP, { id });
    await becomes(instance, id, { status: 'COMPLETE' });
    const { code } = await instance.graphql(DELETE, { id });
    expect(code).toBeNull();
    await eventually(async () => (await objects(id)).length === 0 || 'something of it is left');
  });
});
