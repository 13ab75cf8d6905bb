import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { SystemClock } from '../../src/kernel/clock.js';
import { S3ObjectStorage } from '../../src/storage/s3-object-storage.js';
import { watchForStall } from '../../src/storage/stall.js';
import { eventually } from '../support/eventually.js';
import { S3Server } from '../support/s3-server.js';

const unavailable = { code: 'STORAGE_UNAVAILABLE' };
const body = Buffer.from('0123456789');
const clock = new SystemClock();
/** The server is in this very process: a busy machine must not look like one that is silent. */
const PATIENT = { ask: 30_000, open: 30_000, read: 30_000, deleteMany: 30_000 };

class MovableClock extends SystemClock {
  aheadMs = 0;

  override now(): number {
    return super.now() + this.aheadMs;
  }
}

describe('a bucket as storage', () => {
  let server: S3Server;
  let storage: S3ObjectStorage;

  beforeEach(async () => {
    server = await S3Server.start();
    storage = new S3ObjectStorage(server.storage('recs'), clock, PATIENT);
  });
  afterEach(async () => {
    storage.onApplicationShutdown();
    await server.stop();
  });

  const keys = (count: number): string[] => Array.from({ length: count }, (_, n) => `k/${n}`);
  const fullKeys = (count: number): string[] => keys(count).map((key) => `recs/${key}`);

  it('keeps its objects under the prefix and sees no others', async () => {
    server.plant('elsewhere/a', body);
    server.plant('recs-too/a', body);
    server.plant('recs/folder/', Buffer.alloc(0));
    await storage.put('a', body, 'text/plain');
    expect(server.body('recs/a')).toEqual(body);
    expect(server.objects.get('recs/a')?.contentType).toBe('text/plain');
    const seen: string[] = [];
    for await (const { key } of storage.list('')) seen.push(key);
    expect(seen).toEqual(['a']);
    expect(await storage.head('../elsewhere/a').catch(String)).toContain('no object key');
  });

  it('uses the whole bucket when there is no prefix', async () => {
    const whole = new S3ObjectStorage(server.storage(''), clock);
    await whole.put('a', body, 'text/plain');
    expect(server.body('a')).toEqual(body);
    expect(whole.egressOutput('a')).toMatchObject({ filepath: 'a' });
    whole.onApplicationShutdown();
  });

  it('tells an egress where to write, by the address that the egress can reach', () => {
    const at = { ...server.storage('recs'), egressEndpoint: 'http://s3.inside:9000' };
    expect(new S3ObjectStorage(at, clock).egressOutput('recordings/r/x.mp4')).toEqual({
      kind: 's3',
      deployment: 'test',
      filepath: 'recs/recordings/r/x.mp4',
      bucket: 'tally',
      region: 'us-east-1',
      endpoint: 'http://s3.inside:9000',
      accessKeyId: 'test-key',
      secretAccessKey: 'test-secret',
      forcePathStyle: true,
    });
    expect(new S3ObjectStorage({ ...at, credentials: null }, clock).egressOutput('x')).toMatchObject({
      accessKeyId: null,
      secretAccessKey: null,
    });
  });

  it('deletes a thousand objects with each request', async () => {
    for (const key of fullKeys(2_001)) server.plant(key, body);
    const results = await storage.deleteMany(keys(2_001));
    expect([...results.values()].filter((result) => result.deleted)).toHaveLength(2_001);
    expect(server.count('DeleteObjects')).toBe(3);
    expect(server.objects.size).toBe(0);
  });

  it('believes what is said of each key in a deletion that succeeded as a whole', async () => {
    for (const key of fullKeys(4)) server.plant(key, body);
    server.faults.push({ kind: 'refuse-keys', keys: ['recs/k/1'], code: 'AccessDenied' });
    const results = await storage.deleteMany(keys(4));
    expect(results.get('k/1')).toMatchObject({ deleted: false, code: 'AccessDenied' });
    expect([...results.values()].filter((result) => result.deleted)).toHaveLength(3);
    expect([...server.objects.keys()]).toEqual(['recs/k/1']);
  });

  it('takes a refusal because there is no such key for a deletion', async () => {
    server.faults.push({ kind: 'refuse-keys', keys: ['recs/k/0'], code: 'NoSuchKey' });
    expect(await storage.deleteMany(['k/0'])).toEqual(new Map([['k/0', { deleted: true }]]));
  });

  it('does not take a key for deleted that the answer leaves out', async () => {
    for (const key of fullKeys(2)) server.plant(key, body);
    server.faults.push({ kind: 'unmentioned', keys: ['recs/k/1'] });
    const results = await storage.deleteMany(keys(2));
    expect(results.get('k/0')).toEqual({ deleted: true });
    expect(results.get('k/1')).toMatchObject({ deleted: false, code: 'NotConfirmed' });
  });

  it('keeps the results of one chunk when another could not be asked for', async () => {
    for (const key of fullKeys(1_001)) server.plant(key, body);
    server.faults.push({
      kind: 'refuse',
      operation: 'DeleteObjects',
      status: 403,
      code: 'AccessDenied',
      times: 1,
    });
    const results = await storage.deleteMany(keys(1_001));
    expect(results.get('k/0')).toMatchObject({ deleted: false, code: 'STORAGE_UNAVAILABLE' });
    expect(results.get('k/1000')).toEqual({ deleted: true });
    expect(server.objects.size).toBe(1_000);
  });

  it('asks a store that was upgraded in the better way again, after an hour', async () => {
    const time = new MovableClock();
    const upgraded = new S3ObjectStorage(server.storage('recs'), time);
    server.faults.push({ kind: 'refuse', operation: 'DeleteObjects', status: 501, code: 'NotImplemented' });
    await upgraded.deleteMany(['a', 'b']);
    server.faults.length = 0;
    await upgraded.deleteMany(['a', 'b']);
    expect([server.count('DeleteObjects'), server.count('DeleteObject')]).toEqual([2, 4]);
    time.aheadMs = 3_600_000;
    await upgraded.deleteMany(['a', 'b']);
    await upgraded.deleteMany(['a', 'b']);
    expect([server.count('DeleteObjects'), server.count('DeleteObject')]).toEqual([4, 4]);
    upgraded.onApplicationShutdown();
  });

  it('gives all ways to delete the time of one', async () => {
    server.plant('recs/a', body);
    const hasty = new S3ObjectStorage(server.storage('recs'), clock, {
      ...{ ask: 100, open: 100, read: 100, deleteMany: 100 },
    });
    server.faults.push({ kind: 'refuse', operation: 'DeleteObjects', status: 501, code: 'NotImplemented' });
    server.faults.push({ kind: 'silent', operation: 'DeleteObject' });
    await expect(hasty.deleteMany(['a', 'b'])).rejects.toMatchObject(unavailable);
    // Who stays silent for one is not asked for more.
    expect(server.count('DeleteObject')).toBeLessThanOrEqual(2);
    hasty.onApplicationShutdown();
  });

  it.each([
    [400, 'MalformedXML'],
    [400, 'InvalidRequest'],
    [405, 'MethodNotAllowed'],
    [411, 'MissingContentLength'],
    [501, 'NotImplemented'],
  ])('deletes one by one where DeleteObjects is answered %i %s, and remembers it', async (status, code) => {
    for (const key of fullKeys(200)) server.plant(key, body);
    server.plant('recs/kept', body);
    server.faults.push({ kind: 'refuse', operation: 'DeleteObjects', status, code });
    const results = await storage.deleteMany([...keys(200), 'never/there']);
    expect([...results.keys()].toSorted()).toEqual([...keys(200), 'never/there'].toSorted());
    expect([...results.values()].every((result) => result.deleted)).toBe(true);
    expect([...server.objects.keys()]).toEqual(['recs/kept']);
    expect(server.singleDeletes.most).toBeGreaterThan(1);
    expect(server.singleDeletes.most).toBeLessThanOrEqual(16);
    const tried = server.count('DeleteObjects');
    await storage.deleteMany(['kept']);
    expect(server.count('DeleteObjects')).toBe(tried);
    expect(server.objects.size).toBe(0);
  });

  it('sends Content-MD5 to a store that knows no other checksum, and remembers it', async () => {
    server.wantsMd5 = true;
    for (const key of fullKeys(3)) server.plant(key, body);
    expect((await storage.deleteMany(keys(3))).get('k/2')).toEqual({ deleted: true });
    expect((await storage.deleteMany(['a'])).get('a')).toEqual({ deleted: true });
    expect(server.objects.size).toBe(0);
    expect(server.count('DeleteObjects')).toBe(3);
    expect(server.count('DeleteObject')).toBe(0);
  });

  it('says of each key what the store said, also one by one', async () => {
    for (const key of fullKeys(3)) server.plant(key, body);
    server.faults.push({ kind: 'refuse', operation: 'DeleteObjects', status: 501, code: 'NotImplemented' });
    server.faults.push({
      kind: 'refuse-keys',
      operation: 'DeleteObject',
      keys: ['recs/k/1'],
      code: 'AccessDenied',
    });
    const results = await storage.deleteMany(keys(3));
    expect(results.get('k/1')).toMatchObject({ deleted: false, code: 'AccessDenied' });
    expect([results.get('k/0'), results.get('k/2')]).toEqual([{ deleted: true }, { deleted: true }]);
    expect([...server.objects.keys()]).toEqual(['recs/k/1']);
  });

  it('takes a refusal of access for what it is, and asks in no other way', async () => {
    server.plant('recs/a', body);
    server.faults.push({ kind: 'refuse', operation: 'DeleteObjects', status: 403, code: 'AccessDenied' });
    const error = await storage.deleteMany(['a']).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      ...unavailable,
      message: expect.stringContaining('refuses access'),
      cause: {
        message: expect.stringMatching(/127\.0\.0\.1:\d+.*bucket tally.*403 AccessDenied.*s3:DeleteObject/),
      },
    });
    expect(server.requests).toHaveLength(1);
  });

  it('tries again what failed for a moment', async () => {
    server.faults.push({ kind: 'refuse', status: 503, code: 'SlowDown', times: 2 });
    await storage.put('a', body, 'text/plain');
    expect(server.body('recs/a')).toEqual(body);
    expect(server.count('PutObject')).toBe(3);
  });

  it.each([
    ['refused', { kind: 'refuse', status: 403, code: 'AccessDenied' } as const, 'AccessDenied'],
    ['broken', { kind: 'refuse', status: 500, code: 'InternalError' } as const, 'InternalError'],
    ['without its bucket', { kind: 'refuse', status: 404, code: 'NoSuchBucket' } as const, ''],
  ])('a server that is %s is a failure, never an empty storage', async (_name, fault, word) => {
    server.plant('recs/a', body);
    server.faults.push(fault);
    const listing = async (): Promise<void> => {
      for await (const info of storage.list('')) expect(info).toBeUndefined();
    };
    const asked: [string, Promise<unknown>][] = [
      ['put', storage.put('a', body, 'text/plain')],
      ['get', storage.get('a')],
      ['head', storage.head('a')],
      ['open', storage.open('a')],
      ['list', listing()],
      ['delete', storage.deleteMany(['a'])],
      ['check', storage.check()],
    ];
    const answers = await Promise.allSettled(asked.map(([, promise]) => promise));
    answers.forEach((answer, n) => {
      expect([asked[n]?.[0], answer.status === 'rejected' && answer.reason.code]).toEqual([
        asked[n]?.[0],
        'STORAGE_UNAVAILABLE',
      ]);
      const message: string = answer.status === 'rejected' ? answer.reason.message : '';
      if (asked[n]?.[0] !== 'head') expect(message).toContain(word);
      expect(message).not.toMatch(/test-(key|secret)|127\.0\.0\.1|refused by the test/);
    });
    expect(server.body('recs/a')).toEqual(body);
  });

  it.each([
    [404, 'NoSuchBucket', /does not exist/, /create the bucket/],
    [301, 'PermanentRedirect', /another region/, /S3_REGION/],
    [400, 'AuthorizationHeaderMalformed', /another region/, /S3_REGION/],
    [403, 'SignatureDoesNotMatch', /credentials/, /S3_SECRET_ACCESS_KEY/],
    [403, 'RequestTimeTooSkewed', /clock/, /NTP/],
    [503, 'SlowDown', /too much/, /limit/],
  ])(
    '%i %s: says to everybody what is wrong, and to the log what to do',
    async (status, code, plain, advice) => {
      server.faults.push({ kind: 'refuse', status, code });
      const error = (await storage.get('secret/key').catch((thrown: unknown) => thrown)) as Error;
      expect(error).toMatchObject({
        ...unavailable,
        message: expect.stringMatching(plain),
        cause: { message: expect.stringMatching(advice) },
      });
      expect(String((error.cause as Error).message)).toContain(`bucket tally, answered ${status} ${code}`);
      expect(error.message).not.toMatch(/secret\/key|127\.0\.0\.1|tally\b|S3_|STORAGE_URL/);
    },
  );

  it('gives up what is not answered, and says so', async () => {
    const hasty = new S3ObjectStorage(server.storage(), clock, {
      ask: 40,
      open: 40,
      read: 40,
      deleteMany: 40,
    });
    server.plant('recs/a', body);
    server.faults.push({ kind: 'silent' });
    const asked = [
      hasty.put('a', body, 'text/plain'),
      hasty.get('a'),
      hasty.head('a'),
      hasty.open('a'),
      hasty.deleteMany(['a']),
      hasty.deleteMany(['a', 'b']),
      hasty.check(),
    ];
    for (const answer of await Promise.allSettled(asked)) {
      expect(answer).toMatchObject({
        status: 'rejected',
        reason: { ...unavailable, message: expect.stringContaining('does not answer in time') },
      });
    }
    const patient = storage.head('a', AbortSignal.timeout(40));
    await expect(patient).rejects.toMatchObject(unavailable);
    hasty.onApplicationShutdown();
  });

  it('lets a body go on that was begun in time', async () => {
    const hasty = new S3ObjectStorage(server.storage(), clock, {
      ask: 150,
      open: 150,
      read: 150,
      deleteMany: 150,
    });
    let more: () => void = () => undefined;
    const pause = new Promise<void>((resolve) => (more = resolve));
    server.plant('recs/a', body);
    server.faults.push({ kind: 'late-rest', operation: 'GetObject', until: pause });
    const opened = await hasty.open('a', undefined, AbortSignal.timeout(150));
    await new Promise((resolve) => setTimeout(resolve, 200));
    more();
    expect(opened && (await buffer(opened.stream))).toEqual(body);
    hasty.onApplicationShutdown();
  });

  it('reads a record again whose body ended early, and takes no part of it for the whole', async () => {
    server.plant('recs/a', Buffer.from('{"a":1}'));
    server.faults.push({ kind: 'half-body', operation: 'GetObject', then: 'cut', times: 2 });
    expect(String(await storage.get('a'))).toBe('{"a":1}');
    server.faults.push({ kind: 'half-body', operation: 'GetObject', then: 'cut' });
    await expect(storage.get('a')).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('broke off'),
    });
  });

  it('tells of an object in an archive, and of one that was restored', async () => {
    for (const key of ['glacier', 'restoring', 'restored', 'tiered']) server.plant(`recs/${key}`, body);
    const deep = { 'x-amz-storage-class': 'DEEP_ARCHIVE' };
    server.archived.set('recs/glacier', { 'x-amz-storage-class': 'GLACIER' });
    server.archived.set('recs/restoring', { ...deep, 'x-amz-restore': 'ongoing-request="true"' });
    server.archived.set('recs/restored', {
      ...deep,
      'x-amz-restore': 'ongoing-request="false", expiry-date="Fri, 21 Dec 2029 00:00:00 GMT"',
    });
    server.archived.set('recs/tiered', {
      'x-amz-storage-class': 'INTELLIGENT_TIERING',
      'x-amz-archive-status': 'ARCHIVE_ACCESS',
    });
    const archived = async (key: string) => (await storage.head(key))?.archived;
    expect(await archived('glacier')).toBe(true);
    expect(await archived('restoring')).toBe(true);
    expect(await archived('restored')).toBe(false);
    expect(await archived('tiered')).toBe(true);
    await expect(storage.open('glacier')).rejects.toThrow('archive class');
    await expect(storage.get('glacier')).rejects.toMatchObject(unavailable);
  });

  it('refuses to pass off a whole object as a span of it', async () => {
    server.plant('recs/a', body);
    server.faults.push({ kind: 'ignore-range' });
    await expect(storage.open('a', { first: 2, last: 4 })).rejects.toMatchObject(unavailable);
    await eventually(() => server.openBodies === 0 || 'the body is still being sent');
  });

  it('frees the connection as soon as a stream is destroyed', async () => {
    server.plant('recs/big', { sizeBytes: 1e9, read: () => endless() });
    const opened = await storage.open('big');
    await opened?.stream.iterator({ destroyOnReturn: false }).next();
    expect(server.openBodies).toBe(1);
    opened?.stream.destroy();
    await eventually(() => server.openBodies === 0 || 'the body is still being sent');
    await eventually(async () => (await server.connections()) === 0 || 'the connection is still open');
  });

  it('answers a small request at once while any number of listeners have paused', async () => {
    server.plant('recs/big', { sizeBytes: 1e9, read: () => endless() });
    const opened = await Promise.all(Array.from({ length: 120 }, () => storage.open('big')));
    expect(opened.filter((one) => one !== null)).toHaveLength(120);
    await storage.put('a', body, 'text/plain');
    expect(await storage.get('a')).toEqual(body);
    for (const one of opened) one?.stream.destroy();
    await eventually(() => server.openBodies === 0 || `${server.openBodies} bodies are still being sent`);
  });

  it('ends a stream with an error when its connection is cut', async () => {
    server.plant('recs/a', Buffer.alloc(1_000_000));
    server.faults.push({ kind: 'half-body', operation: 'GetObject', then: 'cut' });
    const opened = await storage.open('a');
    await expect(opened && buffer(opened.stream)).rejects.toThrow('aborted');
  });
});

describe('a body on the wire', () => {
  const open = async (sizeBytes: number, sent: number, trickles = false) => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': sizeBytes });
      response.write(Buffer.alloc(sent));
      const trickle = trickles ? setInterval(() => response.write('x'), 5) : undefined;
      response.on('close', () => clearInterval(trickle));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const request = get(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    // What ends the body also ends its request; a client listens to both.
    request.on('error', () => undefined);
    const stop = async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
    return { response, stop };
  };

  it('is given up when it should come and does not', async () => {
    const { response, stop } = await open(1_000, 10);
    const body = watchForStall(response, { bytes: 1, withinMs: 50 });
    await expect(buffer(body)).rejects.toThrow('0 bytes of the object came in 50 ms');
    await stop();
  });

  it('is given up when it comes a byte at a time', async () => {
    const { response, stop } = await open(1_000_000, 10, true);
    const body = watchForStall(response, { bytes: 64 * 1024, withinMs: 200 });
    await expect(buffer(body)).rejects.toThrow(/^\d+ bytes of the object came in 200 ms$/);
    await stop();
  });

  it('is kept, however long its reader pauses', async () => {
    const { response, stop } = await open(10_000_000, 9_000_000);
    watchForStall(response, { bytes: 64 * 1024, withinMs: 20 });
    await eventually(() => response.readableLength >= response.readableHighWaterMark);
    await new SystemClock().sleep(200);
    expect(response.destroyed).toBe(false);
    response.destroy();
    await stop();
  });
});

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024);
}
