import { execFile } from 'node:child_process';
import { readdir, rename } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { exitCodeOf, examine } from '../../src/doctor/doctor-command.js';
import type { Finding } from '../../src/doctor/finding.js';
import { startSimulator } from '../../src/livekit/simulator/start-simulator.js';
import { keys } from '../../src/redis/keys.js';
import { aConfig } from '../support/a-config.js';
import { API_KEY, API_SECRET, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { createRoom, readRecording, STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { S3Server } from '../support/s3-server.js';

const ROOT = join(__dirname, '../..');

describe('the doctor', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let recorded = '';

  beforeAll(async () => {
    stack = await startStack();
    instance = await stack.start();
    await openRoom(stack, instance, 'examined');
    recorded = (await started(instance, 'examined')).id;
    await instance.graphql(STOP, { id: recorded });
    await becomes(instance, recorded, { status: 'COMPLETE' });
  });
  afterAll(() => stack.close());

  const look = async (env: Record<string, string> = {}): Promise<Finding[]> =>
    examine(aConfig({ ...stack.env, PUBLIC_URL: instance.url, PORT: '4000', ...env }));
  /** The names of what is wrong; each says what to do. */
  const faults = (findings: readonly Finding[]): string[] => {
    const found = findings.filter(({ verdict }) => verdict === 'fault');
    for (const { detail, fix } of found) {
      expect(detail.length).toBeGreaterThan(20);
      expect(fix?.length).toBeGreaterThan(15);
    }
    return found.map(({ name }) => name).toSorted();
  };
  const detailOf = (findings: readonly Finding[], name: string): string =>
    findings.find((one) => one.name === name)?.detail ?? `nothing was said of ${name}`;

  it('finds nothing where nothing is wrong, and leaves nothing behind', async () => {
    const before = await readdir(stack.storageFolder);
    const findings = await look();
    expect(findings.filter(({ verdict }) => verdict === 'fault' || verdict === 'unknown')).toEqual([]);
    expect(exitCodeOf(findings)).toBe(0);
    expect(findings.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        ...['redis.persistence', 'redis.settings', 'redis.writable', 'redis.clock', 'redis.workers'],
        ...['storage.write', 'storage.read', 'storage.range', 'storage.delete', 'storage.rules'],
        ...['livekit.access', 'livekit.clock', 'livekit.webhook_address', 'livekit.webhooks'],
        ...['egress.composite', 'egress.audio', 'recordings.orphaned_egresses', 'recordings.media'],
      ]),
    );
    expect(await readdir(stack.storageFolder)).toEqual(before);
    expect(await stack.redisClient.keys(`${keys.doctor('')}*`)).toEqual([]);
  });

  it('is a command that ends with what it found, for machines too', async () => {
    const run = (env: Record<string, string>): Promise<{ code: number; out: string }> =>
      new Promise((resolve) => {
        const script = ['-r', join(ROOT, 'test/support/run-typescript.cjs'), join(ROOT, 'src/main.ts')];
        const whole = {
          PATH: process.env.PATH,
          ...stack.env,
          PUBLIC_URL: instance.url,
          PORT: '4000',
          ...env,
        };
        execFile(process.execPath, [...script, 'doctor', '--json'], { env: whole }, (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), out: stdout + stderr }),
        );
      });
    const [well, ill, misspelt] = await Promise.all([
      run({}),
      run({ LIVEKIT_API_SECRET: 'another-secret-that-is-long-enough' }),
      run({ STALE_AFTER: 'soon' }),
    ]);
    const namesIn = ({ out }: { out: string }): string[] =>
      faults((JSON.parse(out) as { findings: Finding[] }).findings);
    expect([well.code, namesIn(well)]).toEqual([0, []]);
    expect([ill.code, namesIn(ill)]).toEqual([1, expect.arrayContaining(['livekit.access'])]);
    expect([misspelt.code, namesIn(misspelt)]).toEqual([1, ['settings.variables']]);
  });

  it('tells what is wrong with Redis', async () => {
    const set = (name: string, value: string) => stack.redisClient.config('SET', name, value);
    await set('maxmemory-policy', 'allkeys-lru');
    await set('appendonly', 'no');
    expect(faults(await look())).toEqual(['redis.persistence', 'redis.settings']);
    await set('maxmemory-policy', 'noeviction');
    await set('appendonly', 'yes');
    await set('min-replicas-to-write', '1');
    const unwritable = await look();
    await set('min-replicas-to-write', '0');
    expect(faults(unwritable)).toEqual(['redis.writable']);
    await set('maxmemory', '1mb');
    const full = await look();
    await set('maxmemory', '0');
    expect(faults(full)).toEqual(expect.arrayContaining(['redis.memory', 'redis.writable']));
    const nowhere = await look({ REDIS_URL: 'redis://127.0.0.1:1' });
    expect(faults(nowhere)).toEqual(['redis.reachable']);
    expect(exitCodeOf(nowhere)).toBe(1);
  }, 60_000);

  describe('of a Redis with nothing of ours', () => {
    let other: RedisServer;
    beforeAll(async () => {
      other = await startRedisServer({ appendonly: true });
    });
    afterAll(() => other.close());

    it('tells that it holds nothing, and of processes and webhooks that should be there', async () => {
      const empty = await look({ REDIS_URL: other.url });
      expect([faults(empty), detailOf(empty, 'redis.data')]).toEqual([
        [],
        expect.stringContaining('nothing'),
      ]);
      const client = new Redis(other.url);
      await client.set(keys.epoch(), 'e1');
      await client.set(keys.livekitUnheard(), Date.now() - 120_000);
      client.disconnect();
      const found = await look({ REDIS_URL: other.url });
      expect(faults(found)).toEqual(expect.arrayContaining(['livekit.webhooks', 'redis.workers']));
    });
  });

  it('tells what is wrong with a folder and with media', async () => {
    await rename(stack.storageFolder, `${stack.storageFolder}-elsewhere`);
    const gone = await look();
    await rename(`${stack.storageFolder}-elsewhere`, stack.storageFolder);
    expect([faults(gone), exitCodeOf(gone)]).toEqual([['storage.folder'], 1]);
    const { filename } = await readRecording(instance, recorded);
    const media = join(stack.storageFolder, 'recordings/examined', filename ?? '');
    await rename(media, `${media}.away`);
    const missing = await look();
    await rename(`${media}.away`, media);
    expect(faults(missing)).toEqual(['recordings.media']);
    expect(detailOf(missing, 'recordings.media')).toContain(recorded);
  }, 60_000);

  describe('of a bucket', () => {
    let s3: S3Server;
    beforeAll(async () => {
      s3 = await S3Server.start();
    });
    afterAll(() => s3.stop());
    const inBucket = (env: Record<string, string> = {}): Promise<Finding[]> =>
      look({
        ...s3.env(),
        ...env,
      });

    it('tells of rights that are missing, and of rules that take what is ours', async () => {
      const withFault = async (operation: string): Promise<string[]> => {
        s3.faults.push({
          kind: 'refuse',
          status: 403,
          code: 'AccessDenied',
          operation,
        } as (typeof s3.faults)[0]);
        const found = faults(await inBucket()).filter((name) => name.startsWith('storage.'));
        s3.faults.splice(0);
        return found;
      };
      expect(await withFault('PutObject')).toEqual(['storage.write']);
      expect(await withFault('GetObject')).toEqual(['storage.range', 'storage.read']);
      expect(await withFault('ListObjectsV2')).toEqual(['storage.list']);
      s3.lifecycle =
        '<Rule><ID>cold</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter><Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>';
      const archived = await inBucket();
      s3.lifecycle = null;
      expect(faults(archived)).toContain('storage.rules');
      expect(detailOf(archived, 'storage.rules')).toContain('cold');
      expect(faults(await inBucket({ STORAGE_URL: 's3://no-such-bucket/recs' }))).toContain('storage.write');
    }, 60_000);
  });

  it('tells what is wrong with LiveKit and its webhooks', async () => {
    const stranger = await look({ LIVEKIT_API_SECRET: 'another-secret-that-is-long-enough-to-sign' });
    expect(faults(stranger)).toEqual(['livekit.access', 'livekit.webhook_address']);
    expect(detailOf(stranger, 'livekit.webhook_address')).toContain('401');
    expect(faults(await look({ PUBLIC_URL: 'http://127.0.0.1:1' }))).toEqual(['livekit.webhook_address']);
    expect(faults(await look({ PUBLIC_URL: `${instance.url}/elsewhere` }))).toEqual([
      'livekit.webhook_address',
    ]);
  }, 60_000);

  it('tells of a clock of LiveKit that is off', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { date: new Date(Date.now() - 30_000).toUTCString() }).end('OK');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const found = await look({ LIVEKIT_URL: `http://127.0.0.1:${port}` });
    server.close();
    server.closeAllConnections();
    expect(faults(found)).toContain('livekit.clock');
    expect(detailOf(found, 'livekit.clock')).toMatch(/(29|30) s behind/);
  });

  it('tells of workers that are missing, by kind, and of egresses that nobody explains', async () => {
    const simulator = await startSimulator({ apiKey: API_KEY, apiSecret: API_SECRET });
    try {
      const env = { LIVEKIT_URL: simulator.url };
      const none = await look(env);
      expect([faults(none), detailOf(none, 'egress')]).toEqual([[], expect.stringContaining('open room')]);
    } finally {
      await simulator.close();
    }
    stack.simulator.killWorker();
    stack.simulator.addWorker(100, 2);
    expect(faults(await look())).toEqual(['egress.composite']);
    await createRoom(instance, 'other', { audioOnly: true });
    stack.simulator.openRoom('other');
    const { id } = await started(instance, 'other');
    await stack.redisClient.del(keys.recording(id as never));
    const orphan = await look();
    expect(faults(orphan)).toEqual(
      expect.arrayContaining(['egress.composite', 'recordings.orphaned_egresses']),
    );
    stack.simulator.addWorker();
  }, 60_000);

  it('tells of grace periods that do not go together', async () => {
    const found = await look({
      ...{ RECORDING_START_TIMEOUT: '2s', LIVEKIT_START_TIMEOUT: '10s', LIVEKIT_STOP_TIMEOUT: '5s' },
      ...{ ORPHANED_LOCK_GRACE: '5s', STALE_AFTER: '10s' },
    });
    const told = found.filter(
      ({ name, verdict }) => name === 'settings.grace_periods' && verdict === 'fault',
    );
    expect(told.map(({ detail }) => detail.split(' ')[0])).toEqual([
      ...['RECORDING_START_TIMEOUT', 'LIVEKIT_START_TIMEOUT', 'LIVEKIT_STOP_TIMEOUT', 'ORPHANED_LOCK_GRACE'],
      'STALE_AFTER',
    ]);
  });
});
