import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { S3Server } from '../support/s3-server.js';

const ROOT = join(__dirname, '../..');
const BEGAN = Date.UTC(2026, 4, 3, 9);
const record = (name: string, more: object = {}): object => ({
  recordingId: name,
  roomId: name.split('--')[0],
  roomName: 'Staff meeting',
  status: 'complete',
  layout: 'speaker',
  encoding: 'H264_1080P_30',
  filename: 'any.mp4',
  startDate: BEGAN,
  endDate: BEGAN + 61_500,
  duration: 60.5,
  size: 3_000,
  details: 'End reason: StopEgress API',
  ...more,
});

describe('the import of a bucket of OpenVidu Meet', () => {
  let meet: S3Server;
  let stack: TestStack;
  let instance: TestInstance;
  let elsewhere: string;
  const plant = (name: string, said: object | string, media: Buffer | null): void => {
    const [room, egress, uid] = name.split('--');
    const body = typeof said === 'string' ? said : JSON.stringify(said);
    meet.plant(`openvidu-meet/recordings/.metadata/${room}/${egress}/${uid}.json`, Buffer.from(body));
    if (media) meet.plant(`openvidu-meet/recordings/${room}/${room}--${uid}.mp4`, media, 'video/mp4');
  };
  const run = (...args: string[]): Promise<{ code: number; out: string }> =>
    new Promise((resolve) => {
      const env = {
        ...{ PATH: process.env.PATH, LOG_LEVEL: 'warn' },
        ...stack.env,
        IMPORT_S3_ENDPOINT: meet.endpoint,
        IMPORT_S3_FORCE_PATH_STYLE: 'true',
        IMPORT_S3_ACCESS_KEY_ID: 'test-key',
        IMPORT_S3_SECRET_ACCESS_KEY: 'test-secret',
      };
      const script = [
        '-r',
        join(ROOT, 'test/support/run-typescript.cjs'),
        join(ROOT, 'src/imports/import-command.ts'),
      ];
      execFile(process.execPath, [...script, ...args], { env, cwd: elsewhere }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), out: stdout + stderr }),
      );
    });
  const report = async (...args: string[]): Promise<{ code: number; counts: object; bytes: number }> => {
    const { code, out } = await run(meet.bucket, '--json', ...args);
    return { code, ...(JSON.parse(out) as { counts: object; bytes: number }) };
  };
  const recordings = async (): Promise<Record<string, unknown>[]> => {
    const { data } = await instance.graphql<{ recordings: { edges: { node: Record<string, unknown> }[] } }>(
      `{ recordings(first: 50) { edges { node {
        id roomId roomName status endReason error layout preset durationMs sizeBytes requestedAt startedAt endedAt egressId labels mediaPath
      } } } }`,
    );
    return data.recordings.edges.map(({ node }) => node);
  };
  beforeAll(async () => {
    elsewhere = await mkdtemp(join(tmpdir(), 'tallylight-import-'));
    meet = await S3Server.start('meet');
    stack = await startStack();
    instance = await stack.start();
    plant('staff-x1--EG_a--u1', record('staff-x1--EG_a--u1'), Buffer.alloc(3_000, 'a'));
    plant(
      'staff-x1--EG_b--u2',
      record('staff-x1--EG_b--u2', { status: 'limit_reached' }),
      Buffer.alloc(5_000, 'b'),
    );
    plant('other-y2--EG_c--u3', record('other-y2--EG_c--u3', { status: 'failed', error: 'pipeline' }), null);
    plant('other-y2--EG_d--u4', record('other-y2--EG_d--u4', { status: 'active' }), null);
    plant('other-y2--EG_e--u5', '{"recordingId": ', null);
    plant('other-y2--EG_f--u6', record('other-y2--EG_f--another'), null);
  });
  afterAll(async () => {
    await stack.close();
    await meet.stop();
    await rm(elsewhere, { recursive: true, force: true });
  });

  it('changes nothing unless it is told to, and says what it would do', async () => {
    const said = await report();
    expect(said).toMatchObject({
      code: 1,
      bytes: 8_000,
      counts: { imported: 2, already: 0, 'without-media': 1, 'in-progress': 1, unreadable: 2, failed: 0 },
    });
    expect(await recordings()).toEqual([]);
  });

  it('brings recordings with media, times, reasons and rooms, and never writes into the bucket', async () => {
    const before = [...meet.objects.keys()];
    expect((await report('--apply')).counts).toMatchObject({ imported: 2, 'without-media': 1 });
    const brought = await recordings();
    expect(brought).toHaveLength(3);
    const [first] = brought.filter(({ egressId }) => egressId === 'EG_a');
    expect(first).toMatchObject({
      ...{ roomId: 'staff-x1', roomName: 'Staff meeting', status: 'COMPLETE', endReason: 'STOP_REQUESTED' },
      ...{ layout: 'SPEAKER', preset: 'H264_1080P_30', durationMs: 60_500, sizeBytes: 3_000, error: null },
      startedAt: new Date(BEGAN).toISOString(),
      labels: { importedFrom: 'openvidu-meet:staff-x1--EG_a--u1' },
    });
    const media = await fetch(`${instance.url}${String(first?.mediaPath)}`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    expect(Buffer.from(await media.arrayBuffer())).toEqual(Buffer.alloc(3_000, 'a'));
    expect(brought.find(({ egressId }) => egressId === 'EG_b')).toMatchObject({ status: 'LIMIT_REACHED' });
    expect(brought.find(({ egressId }) => egressId === 'EG_c')).toMatchObject({
      ...{ status: 'FAILED', error: 'pipeline', mediaPath: null, endReason: 'EGRESS_FAILED' },
    });
    expect([...meet.objects.keys()]).toEqual(before);
    expect(meet.requests.filter(({ operation }) => !/^(Get|Head|List)/.test(operation))).toEqual([]);
    const { data } = await instance.graphql<{ room: object }>('{ room(id: "staff-x1") { name known } }');
    expect(data.room).toEqual({ name: 'Staff meeting', known: true });
  });

  it('finds done what a run before has done, and goes on where one was stopped', async () => {
    plant('staff-x1--EG_g--u7', record('staff-x1--EG_g--u7'), Buffer.alloc(100));
    meet.faults.push({ kind: 'half-body', then: 'cut', operation: 'GetObject', times: 1 });
    const broken = await report('--apply');
    const again = await report('--apply');
    expect(broken.counts).toMatchObject({ already: expect.any(Number) as number });
    expect(again.counts).toMatchObject({ already: 4, failed: 0, unreadable: 2 });
    const ids = (await recordings()).map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([4, 4]);
  });

  it('survives the loss of Redis like everything that was recorded here', async () => {
    const before = await recordings();
    await stack.redisClient.flushall();
    await eventually(async () => (await recordings()).length === before.length || 'not yet all back');
    const after = await recordings();
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect(after.every(({ labels }) => JSON.stringify(labels).includes('openvidu-meet:'))).toBe(true);
  });

  it('says how it is used where no bucket is named', async () => {
    const { code, out } = await run('--apply');
    expect([code, out]).toEqual([2, expect.stringContaining('npm run import:openvidu-meet')]);
  });

  it('says which bucket of which host could not be read', async () => {
    const { code, out } = await run('not-there');
    expect([code, out]).toEqual([2, expect.stringMatching(/bucket.*not-there/s)]);
    expect(out).not.toMatch(/ at .*\.ts:/);
  });
});
