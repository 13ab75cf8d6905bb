import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MediaTokens } from '../../src/media/media-token.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { QUICK_CHECKS, QUICK_RECORDERS } from '../support/quick-recorders.js';
import { DELETE, STOP } from '../support/operations.js';
import { probeMp4 } from '../support/made-segments.js';
import { becomes, lifeFaults, livekitToken, openRoom, started } from '../support/recording-life.js';

interface Recovered {
  readonly recovered: boolean;
  readonly coverage: {
    readonly coveredMs: number;
    readonly gaps: readonly { readonly from: string; readonly to: string; readonly cause: string }[];
  } | null;
  readonly continuedBy: { readonly id: string; readonly status: string } | null;
}

describe('a crash-proof recording', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack(QUICK_CHECKS, QUICK_RECORDERS);
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

  const recoveryOf = async (id: string): Promise<Recovered> => {
    const answer = await instance.graphql<{ recording: Recovered }>(
      `query($id: ID!) { recording(id: $id) {
        recovered coverage { coveredMs gaps { from to cause } } continuedBy { id status } } }`,
      { id },
    );
    return answer.data.recording;
  };
  /** What a player finds in the media as it is served. */
  const probed = async (mediaPath: string | null): ReturnType<typeof probeMp4> => {
    const media = await fetch(`${instance.url}${mediaPath}`, {
      headers: { authorization: `Bearer ${stack.env.TALLYLIGHT_ADMIN_KEY}` },
    });
    const path = join(stack.storageFolder, '.tmp', `${room}.mp4`);
    await writeFile(path, Buffer.from(await media.arrayBuffer()));
    return probeMp4(path);
  };

  it('whose worker is killed is put together from its segments, while the meeting is recorded further', async () => {
    const { id } = await started(instance, room);
    await hasSegments(id, 5);
    stack.simulator.killWorker();
    const left = (await segments(id)).length;
    stack.simulator.addWorker();
    const over = await becomes(instance, id, { status: 'COMPLETE', endReason: 'RECORDER_LOST' });
    expect(over.error).toMatch(/^the egress worker died; the media was put together from its segments/);
    const file = await readFile(join(stack.storageFolder, 'recordings', room, `${id}.mp4`));
    expect(over.sizeBytes).toBe(file.length);
    expect(file.indexOf('moov')).toBeLessThan(file.indexOf('mdat'));
    const { durationS, video, audio } = await probed(over.mediaPath);
    expect(durationS * 1_000).toBeGreaterThanOrEqual(left * 159);
    expect(Math.abs(durationS * 1_000 - (over.durationMs ?? 0))).toBeLessThan(50);
    expect([video?.codec, audio?.codec]).toEqual(['avc1.4d4016', 'mp4a.40.2']);
    await eventually(
      async () => (await recoveryOf(id)).continuedBy?.status === 'ACTIVE' || 'nothing goes on from it',
    );
    expect((await recoveryOf(id)).recovered).toBe(true);
    expect(await lifeFaults(instance, id)).toEqual([]);
    await eventually(async () => (await segments(id)).length === 0 || 'its segments are still there');
    const next = (await recoveryOf(id)).continuedBy!.id;
    await instance.graphql(STOP, { id: next });
    await becomes(instance, next, { status: 'COMPLETE' });
    expect((await recoveryOf(next)).recovered).toBe(false);
    const coverage = (await recoveryOf(next)).coverage!;
    expect(coverage.gaps.map(({ cause }) => cause)).toContain('RECORDER_LOST');
  });

  it('whose pipeline stands still while its worker answers is told of, given up and recorded further', async () => {
    const { id } = await started(instance, room);
    await hasSegments(id, 5);
    stack.simulator.setFault({ name: 'pipeline-wedged', room, times: 1, delayMs: 0 });
    await eventually(async () => {
      const { continuedBy } = await recoveryOf(id);
      return continuedBy?.status === 'ACTIVE' || 'nothing goes on from it';
    });
    const over = await becomes(instance, id, { status: 'COMPLETE', endReason: 'RECORDER_LOST' });
    expect(over.error).toMatch(/^the recording stood still: no media came since 2.*from its segments$/);
    // What is there is whole: as long as the segments that had come, to a frame or so.
    const { durationS } = await probed(over.mediaPath);
    expect(Math.abs(durationS * 1_000 - (over.durationMs ?? 0))).toBeLessThan(50);
    expect(durationS).toBeGreaterThan(0.7);
    const told = stack.simulator.sentData(room).map(({ payload }) => JSON.parse(payload.toString('utf8')));
    expect(told).toContainEqual(
      expect.objectContaining({
        ...{ recordingId: id, status: 'ENDING' },
        error: expect.stringMatching(/^the recording stood still/),
      }),
    );
    await eventually(async () => {
      const { data } = await instance.graphql<{
        system: { incidents: { kind: string; subject: string; detail: string; closedAt: string | null }[] };
      }>('{ system { incidents { kind subject detail closedAt } } }');
      const found = data.system.incidents.find(({ kind }) => kind === 'recorder_stalled');
      if (found === undefined) return 'there is no incident';
      expect([found.subject, found.detail]).toEqual([id, expect.stringContaining(`room ${room}`)]);
      return found.closedAt !== null || 'it is still open';
    });
    await eventually(() => {
      const running = stack.simulator.runningEgressIds(room);
      return (running.length === 1 && running[0] !== over.egressId) || `${running.join(' ')} are in the room`;
    });
    const next = (await recoveryOf(id)).continuedBy!.id;
    await instance.graphql(STOP, { id: next });
    await becomes(instance, next, { status: 'COMPLETE' });
    const { coveredMs, gaps } = (await recoveryOf(next)).coverage!;
    const lost = gaps.filter(({ cause }) => cause === 'RECORDER_LOST');
    expect(lost.reduce((sum, { from, to }) => sum + Date.parse(to) - Date.parse(from), 0)).toBeGreaterThan(
      5_000,
    );
    expect(coveredMs).toBeGreaterThanOrEqual(over.durationMs ?? 0);
    expect(await lifeFaults(instance, id)).toEqual([]);
  });

  it('whose upload is refused is put together from its segments', async () => {
    stack.simulator.setFault({ name: 'upload-refused', room });
    const { id } = await started(instance, room);
    await hasSegments(id, 3);
    await instance.graphql(STOP, { id });
    const over = await becomes(instance, id, { status: 'COMPLETE', endReason: 'EGRESS_FAILED' });
    expect(over.error).toMatch(/upload.*put together from its segments/i);
    expect((await probed(over.mediaPath)).durationS).toBeGreaterThan(0.4);
    expect((await recoveryOf(id)).recovered).toBe(true);
  });

  it('of sound alone is put together as well', async () => {
    stack.simulator.setFault({ name: 'child-crash', room, delayMs: 1_000 });
    const { id } = await started(instance, room, { audioOnly: true });
    const over = await becomes(instance, id, { status: 'COMPLETE', endReason: 'EGRESS_FAILED' });
    expect(await probed(over.mediaPath)).toMatchObject({ video: null, audio: { codec: 'mp4a.40.2' } });
  });

  it('goes on without what is torn, and says so', async () => {
    const { id } = await started(instance, room);
    await hasSegments(id, 4);
    await truncate(join(stack.storageFolder, 'recordings', room, id, 'part_00001.ts'), 1_000);
    stack.simulator.killWorker();
    stack.simulator.addWorker();
    const over = await becomes(instance, id, { status: 'COMPLETE' });
    expect(over.error).toMatch(/put together from its segments, without /);
  });

  it('of which nothing can be read is FAILED, keeps its segments and names them', async () => {
    const { id } = await started(instance, room);
    await hasSegments(id, 2);
    stack.simulator.killWorker();
    stack.simulator.addWorker();
    for (const name of await segments(id))
      await truncate(join(stack.storageFolder, 'recordings', room, name), 1_000);
    const over = await becomes(instance, id, { status: 'FAILED', endReason: 'RECORDER_LOST' });
    expect(over.error).toMatch(
      new RegExp(`none of its \\d+ segments can be read; its segments are kept in recordings/${room}/${id}/`),
    );
    expect(over.mediaPath).toBeNull();
    expect((await segments(id)).length).toBeGreaterThanOrEqual(2);
  });

  it('that died before its first segment is FAILED like any other', async () => {
    stack.simulator.setFault({ name: 'segments-slow', room, delayMs: 60_000 });
    const { id } = await started(instance, room);
    stack.simulator.killWorker();
    stack.simulator.addWorker();
    const over = await becomes(instance, id, { status: 'FAILED', endReason: 'RECORDER_LOST' });
    expect(over.error).toMatch(/no segment of it was written/);
  });

  it('can be watched while it is made, by who may see it and by nobody else', async () => {
    const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
    const admin = bearer(stack.env.TALLYLIGHT_ADMIN_KEY ?? '');
    const livePath = async (id: string): Promise<string | null> => {
      const read = await instance.graphql<{ recording: { livePath: string | null } }>(
        'query($id: ID!) { recording(id: $id) { livePath } }',
        { id },
      );
      return read.data.recording.livePath;
    };
    const get = (path: string, init: RequestInit = admin) => fetch(`${instance.url}${path}`, init);
    const { id } = await started(instance, room);
    expect(await livePath(id)).toBe(`/recordings/${id}/live.m3u8`);
    const live = `/recordings/${id}/live.m3u8`;
    await eventually(async () => (await get(live)).status === 200 || 'there is no list yet');
    const list = await get(live);
    expect(list.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    const names = (await list.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(names[0]).toMatch(/^segments\/part_\d{5}\.ts$/);
    const segment = await get(`/recordings/${id}/${names[0]}`);
    expect([segment.status, segment.headers.get('content-type')]).toEqual([200, 'video/mp2t']);
    const bytes = Buffer.from(await segment.arrayBuffer());
    expect([bytes[0], bytes.length % 188]).toEqual([0x47, 0]);
    const head = await get(`/recordings/${id}/${names[0]}`, { ...admin, method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
    expect((await get(live, { ...admin, method: 'HEAD' })).status).toBe(200);
    expect((await get(live, {})).status).toBe(401);
    expect((await get(`${live}?token=nonsense`, {})).status).toBe(401);
    const token = instance.app.get(MediaTokens).sign(id, 60);
    const byToken = await (await get(`${live}?token=${token}`, {})).text();
    const address = byToken.split('\n').find((line) => line.startsWith('segments/'));
    expect((await get(`/recordings/${id}/${address}`, {})).status).toBe(200);
    const elsewhere = bearer(await livekitToken({ roomJoin: true, room: 'another' }));
    expect((await get(live, elsewhere)).status).toBe(404);
    for (const name of ['part_99999.ts', 'index.m3u8', '..%2fpart_00000.ts', 'part_00000.ts%2f..'])
      expect([name, (await get(`/recordings/${id}/segments/${name}`)).status]).toEqual([name, 404]);
    await instance.graphql(STOP, { id });
    await becomes(instance, id, { status: 'COMPLETE' });
    expect(await livePath(id)).toBeNull();
    expect((await get(live)).status).toBe(410);
    await openRoom(stack, instance, `${room}-plain`);
    const plain = await started(instance, `${room}-plain`);
    expect(await livePath(plain.id)).toBeNull();
    expect((await get(`/recordings/${plain.id}/live.m3u8`)).status).toBe(404);
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
