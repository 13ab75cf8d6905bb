import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../src/kernel/clock.js';
import { FileObjectStorage } from '../../src/storage/file-object-storage.js';
import { S3ObjectStorage } from '../../src/storage/s3-object-storage.js';
import { type ProbeReport, StorageProbe } from '../../src/storage/storage-probe.js';
import { S3Server, type S3Fault } from '../support/s3-server.js';

const clock = new SystemClock();
const statesOf = ({ steps }: ProbeReport): string =>
  steps.map(({ name, state }) => `${name} ${state}`).join(', ');
const failedIn = ({ steps }: ProbeReport) => steps.filter(({ state }) => state === 'failed');
const ALL_OK = 'write ok, look ok, read ok, range ok, list ok, delete ok';

describe('a storage that is tried out', () => {
  let server: S3Server;
  let storage: S3ObjectStorage;
  let probe: StorageProbe;

  beforeEach(async () => {
    server = await S3Server.start();
    storage = new S3ObjectStorage(server.storage('recs'), clock, {
      ...{ ask: 2_000, open: 2_000, read: 2_000, deleteMany: 2_000 },
    });
    probe = new StorageProbe(storage, clock);
  });
  afterEach(async () => {
    storage.onApplicationShutdown();
    await server.stop();
  });

  it('is used with one object under the prefix, of which nothing is left', async () => {
    const report = await probe.run();
    expect([statesOf(report), report.notices]).toEqual([ALL_OK, []]);
    expect(report.place).toMatch(/^127\.0\.0\.1:\d+, bucket tally under recs\/$/);
    expect(server.objects.size).toBe(0);
    const written = server.requests.filter(({ operation }) => operation === 'PutObject');
    expect(written).toEqual([expect.objectContaining({ key: expect.stringMatching(/^recs\/probe-/) })]);
  });

  it('may be a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tallylight-probe-'));
    const report = await new StorageProbe(new FileObjectStorage(folder, clock), clock).run();
    expect([statesOf(report), report.place]).toEqual([ALL_OK, `the folder ${folder}`]);
    expect(await readdir(folder)).toEqual(['.tmp']);
    await rm(folder, { recursive: true });
  });

  const denied = { kind: 'refuse', status: 403, code: 'AccessDenied' } as const;
  it.each<[string, S3Fault, string, RegExp]>([
    [
      'write',
      { ...denied, operation: 'PutObject' },
      'write failed, look not asked, read not asked, range not asked, list ok, delete ok',
      /bucket tally, answered 403 AccessDenied.*s3:PutObject/,
    ],
    [
      'read',
      { ...denied, operation: 'GetObject' },
      'write ok, look ok, read failed, range failed, list ok, delete ok',
      /403 AccessDenied.*s3:GetObject/,
    ],
    [
      'read in parts',
      { kind: 'ignore-range' },
      'write ok, look ok, read ok, range failed, list ok, delete ok',
      /127\.0\.0\.1:\d+.*bucket tally.*did not send the span/,
    ],
    [
      'list',
      { ...denied, operation: 'ListObjectsV2' },
      'write ok, look ok, read ok, range ok, list failed, delete ok',
      /s3:ListBucket/,
    ],
    [
      'delete',
      { ...denied, operation: 'DeleteObjects' },
      'write ok, look ok, read ok, range ok, list ok, delete failed',
      /403 AccessDenied.*s3:DeleteObject/,
    ],
  ])('says that it can not %s, who answered what, and what to do', async (_what, fault, states, detail) => {
    server.faults.push(fault);
    const report = await probe.run();
    expect(statesOf(report)).toBe(states);
    for (const { problem } of failedIn(report)) {
      expect(problem?.detail).toMatch(detail);
      expect(problem?.plain).not.toMatch(/127\.0\.0\.1|tally\b|probe-|s3:|S3_/);
    }
  });

  it('is told of a refusal in the answer to a deletion, and leaves one object a process', async () => {
    server.faults.push({
      kind: 'refuse-keys',
      operation: 'DeleteObjects',
      get keys() {
        return [...server.objects.keys()];
      },
      code: 'AccessDenied',
    });
    for (let run = 0; run < 3; run += 1) {
      const [failed] = failedIn(await probe.run());
      expect(failed).toMatchObject({ name: 'delete' });
      expect(failed?.problem?.detail).toMatch(/bucket tally.*AccessDenied.*s3:DeleteObject/);
    }
    expect(server.objects.size).toBe(1);
  });

  it.each<[string, S3Fault, RegExp]>([
    ['another region', { kind: 'refuse', status: 301, code: 'PermanentRedirect' }, /S3_REGION/],
    ['no such bucket', { kind: 'refuse', status: 404, code: 'NoSuchBucket' }, /create the bucket/],
    ['wrong keys', { kind: 'refuse', status: 403, code: 'InvalidAccessKeyId' }, /S3_ACCESS_KEY_ID/],
  ])('says of %s what to do', async (_what, fault, advice) => {
    server.faults.push(fault);
    const [first] = failedIn(await probe.run());
    expect([first?.name, first?.problem?.detail]).toEqual(['write', expect.stringMatching(advice)]);
  });

  it.each<[string, Partial<ReturnType<S3Server['storage']>>, RegExp]>([
    [
      'a port where nobody listens',
      { endpoint: 'http://127.0.0.1:9' },
      /127\.0\.0\.1:9.*no answer.*S3_ENDPOINT/,
    ],
  ])('is asked once where it is %s', async (_what, changes, detail) => {
    const wrong = new S3ObjectStorage({ ...server.storage(), ...changes }, clock);
    const report = await new StorageProbe(wrong, clock).run();
    expect(statesOf(report)).toBe(
      'write failed, look not asked, read not asked, range not asked, list not asked, delete not asked',
    );
    expect(failedIn(report)[0]?.problem?.detail).toMatch(detail);
    wrong.onApplicationShutdown();
  });

  it('tells of rules that archive or expire what has to stay, and of a clock that is off', async () => {
    const rule = (id: string, prefix: string, deed: string, status = 'Enabled'): string =>
      `<Rule><ID>${id}</ID><Filter><Prefix>${prefix}</Prefix></Filter><Status>${status}</Status>${deed}</Rule>`;
    const archive = '<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>';
    const expire = '<Expiration><Days>30</Days></Expiration>';
    server.lifecycle = [
      rule('all', '', archive),
      rule('media', 'recs/recordings/r/', archive),
      rule('old', 'recs/recordings/', expire),
      rule('others', 'elsewhere/', expire),
      rule('off', 'recs/', expire, 'Disabled'),
      rule('cheap', '', '<Transition><Days>1</Days><StorageClass>STANDARD_IA</StorageClass></Transition>'),
    ].join('');
    server.aheadMs = 40 * 60_000;
    const { notices, steps } = await probe.run();
    expect(steps.every(({ state }) => state === 'ok')).toBe(true);
    expect(notices).toEqual([
      expect.stringMatching(/40 minutes behind/),
      expect.stringMatching(/"all".*archives.*access\/, rooms\/, recordings\/\.metadata\//),
      expect.stringMatching(/"media".*archives.*MEDIA_GONE/),
      expect.stringMatching(/"old".*expires.*recordings\/\.metadata\//),
    ]);
    const address = await storage.presign('a', 60, { contentType: 'video/mp4' });
    server.plant('recs/a', Buffer.from('a'));
    expect((await fetch(address)).status).toBe(200);
  });

  it('is told of an object that goes into an archive at once', async () => {
    const put = storage.put.bind(storage);
    storage.put = async (key, body, type) => {
      await put(key, body, type);
      server.archived.set(`recs/${key}`, { 'x-amz-storage-class': 'GLACIER' });
    };
    const report = await probe.run();
    expect(statesOf(report)).toBe('write ok, look failed, read failed, range failed, list ok, delete ok');
    expect(failedIn(report)[0]?.problem?.detail).toMatch(/bucket tally.*archive class/);
  });
});
