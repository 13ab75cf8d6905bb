import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { S3ObjectStorage } from '../../src/storage/s3-object-storage.js';
import { watchForStall } from '../../src/storage/stall.js';
import { eventually } from '../support/eventually.js';
import { S3Server } from '../support/s3-server.js';

const unavailable = { code: 'STORAGE_UNAVAILABLE' };
const body = Buffer.from('0123456789');

describe('a bucket as storage', () => {
  let server: S3Server;
  let storage: S3ObjectStorage;

  beforeEach(async () => {
    server = await S3Server.start();
    storage = new S3ObjectStorage(server.storage('recs'));
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
    const whole = new S3ObjectStorage(server.storage(''));
    await whole.put('a', body, 'text/plain');
    expect(server.body('a')).toEqual(body);
    expect(whole.egressOutput('a')).toMatchObject({ filepath: 'a' });
    whole.onApplicationShutdown();
  });

  it('tells an egress where to write, by the address that the egress can reach', () => {
    const at = { ...server.storage('recs'), egressEndpoint: 'http://s3.inside:9000' };
    expect(new S3ObjectStorage(at).egressOutput('recordings/r/x.mp4')).toEqual({
      kind: 's3',
      filepath: 'recs/recordings/r/x.mp4',
      bucket: 'tally',
      region: 'us-east-1',
      endpoint: 'http://s3.inside:9000',
      accessKeyId: 'test-key',
      secretAccessKey: 'test-secret',
      forcePathStyle: true,
    });
    expect(new S3ObjectStorage({ ...at, credentials: null }).egressOutput('x')).toMatchObject({
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

  it('says which address to look at when nobody listens there', async () => {
    const nobody = new S3ObjectStorage({ ...server.storage(), endpoint: 'http://127.0.0.1:1' });
    await expect(nobody.get('a')).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringMatching(/failed reading a .*check that S3_ENDPOINT can be reached/),
    });
    nobody.onApplicationShutdown();
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
  const open = async (sizeBytes: number, sent: number) => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': sizeBytes });
      response.write(Buffer.alloc(sent));
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
    await expect(buffer(watchForStall(response, 50))).rejects.toThrow('no byte of the object came for 50 ms');
    await stop();
  });

  it('is kept, however long its reader pauses', async () => {
    const { response, stop } = await open(10_000_000, 9_000_000);
    watchForStall(response, 20);
    let silences = 0;
    response.socket.on('timeout', () => (silences += 1));
    await eventually(() => silences >= 3 || `the wire was found silent ${silences} times`);
    expect(response.destroyed).toBe(false);
    response.destroy();
    await stop();
  });
});

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024);
}
