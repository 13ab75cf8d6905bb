import { resolve } from 'node:path';
import { ConfigError, readConfig } from './config.schema.js';

const LEAST = {
  TALLYLIGHT_ADMIN_KEY: 'an-admin-key-of-some-length',
  REDIS_URL: 'redis://localhost:6379',
  STORAGE_URL: 'file:/srv/tallylight',
  LIVEKIT_URL: 'wss://livekit.example.com',
  LIVEKIT_API_KEY: 'key',
  LIVEKIT_API_SECRET: 'secret',
};
const read = (env: Record<string, string | undefined>, development = false) =>
  readConfig({ ...LEAST, ...env }, { development, onTerminal: false });
const faultsOf = (env: Record<string, string | undefined>): readonly string[] => {
  try {
    readConfig(env, { development: false, onTerminal: false });
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

describe('the configuration', () => {
  it('has the defaults of the contract', () => {
    expect(read({})).toMatchObject({
      host: '0.0.0.0',
      port: 4000,
      publicUrl: 'http://localhost:4000',
      role: 'all',
      recordingStartTimeoutMs: 20_000,
      livekitStartTimeoutMs: 35_000,
      livekitStopTimeoutMs: 20_000,
      livekitTimeoutMs: 10_000,
      recordingMaxDurationMs: 6 * 3_600_000,
      orphanedLockGraceMs: 60_000,
      staleAfterMs: 300_000,
      recorderCheckEveryMs: 20_000,
      recorderLostAfterMs: 20_000,
      sweepEveryMs: {
        orphanedLocks: 1_800_000,
        staleRecordings: 900_000,
        livekitReconciliation: 15_000,
        storageReconciliation: 21_600_000,
        retention: 3_600_000,
      },
      bulkDeleteAttempts: 4,
      bulkDeleteBackoffMs: 1_000,
      eventLogRetentionMs: 7 * 86_400_000,
      metricsPort: null,
      logLevel: 'info',
      logFormat: 'json',
    });
  });

  it('names every fault in one message', () => {
    const faults = faultsOf({
      PORT: 'eighty',
      ROLE: 'boss',
      REDIS_URL: 'http://localhost',
      STORAGE_URL: 's3://',
      LIVEKIT_API_KEY: 'key',
      RECORDING_START_TIMEOUT: '20',
      SWEEP_RETENTION_EVERY: '0s',
    });
    const names = faults.map((fault) => fault.split(' ')[0]);
    expect(names.toSorted()).toEqual([
      'LIVEKIT_API_SECRET',
      'LIVEKIT_URL',
      'PORT',
      'RECORDING_START_TIMEOUT',
      'REDIS_URL',
      'ROLE',
      'STORAGE_URL',
      'SWEEP_RETENTION_EVERY',
      'TALLYLIGHT_ADMIN_KEY',
    ]);
    expect(new ConfigError(faults).message.split('\n')).toHaveLength(1 + faults.length);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(read({ PORT: '', S3_ENDPOINT: '', METRICS_PORT: '' })).toMatchObject({
      port: 4000,
      metricsPort: null,
    });
    expect(faultsOf({ ...LEAST, REDIS_URL: '' })).toEqual(['REDIS_URL is missing']);
  });

  it('refuses one port for two things', () => {
    expect(faultsOf({ ...LEAST, PORT: '4001', METRICS_PORT: '4001' })).toEqual([
      expect.stringMatching(/^METRICS_PORT /),
    ]);
    expect(read({ PORT: '0', METRICS_PORT: '0' }).metricsPort).toBe(0);
  });

  it('says how the storage is written', () => {
    expect(faultsOf({ ...LEAST, STORAGE_URL: '/var/recordings' })).toEqual([
      'STORAGE_URL must be file:<folder> or s3://<bucket>/<prefix>',
    ]);
  });

  it.each([
    ['200ms', 200],
    ['20s', 20_000],
    ['5m', 300_000],
    ['6h', 21_600_000],
    ['30d', 2_592_000_000],
    ['1ms', 1],
  ])('takes %s for %d ms', (text, ms) => {
    expect(read({ STALE_AFTER: text }).staleAfterMs).toBe(ms);
  });

  it.each(['0s', '-5s', '5', '1h30m', '5 minutes', '1.5h', '99999999999999d'])(
    'refuses the duration %s',
    (text) => {
      expect(faultsOf({ ...LEAST, STALE_AFTER: text })).toEqual([expect.stringMatching(/^STALE_AFTER /)]);
    },
  );

  it.each([
    ['file:/srv/media', '/srv/media'],
    ['file:///srv/media', '/srv/media'],
    ['file:.tallylight/storage', resolve('.tallylight/storage')],
    ['file:/srv/my%20media', '/srv/my media'],
  ])('keeps media of %s in the folder %s', (STORAGE_URL, folder) => {
    expect(read({ STORAGE_URL }).storage).toEqual({ kind: 'file', folder, deployment: null });
  });

  it.each(['file:', 'file://nas/media', 'file:/srv/%zz'])('finds no folder in %s', (STORAGE_URL) => {
    expect(faultsOf({ ...LEAST, STORAGE_URL })).toEqual([expect.stringMatching(/^STORAGE_URL /)]);
  });

  it.each([
    ['s3://bucket', 'bucket', ''],
    ['s3://bucket/', 'bucket', ''],
    ['s3://bucket/a/b/', 'bucket', 'a/b'],
    ['s3://My_Bucket.x/prefix', 'My_Bucket.x', 'prefix'],
  ])('finds in %s the bucket %s and the prefix "%s"', (STORAGE_URL, bucket, prefix) => {
    expect(read({ STORAGE_URL }).storage).toMatchObject({ kind: 's3', bucket, prefix });
  });

  it('reaches the bucket as the egress does, unless told another way', () => {
    const s3 = { STORAGE_URL: 's3://b/p', S3_ENDPOINT: 'http://s3:8333', S3_FORCE_PATH_STYLE: 'true' };
    expect(read(s3).storage).toMatchObject({
      endpoint: 'http://s3:8333',
      egressEndpoint: 'http://s3:8333',
      forcePathStyle: true,
      credentials: null,
    });
    expect(read({ ...s3, EGRESS_S3_ENDPOINT: 'http://inner:8333' }).storage).toMatchObject({
      egressEndpoint: 'http://inner:8333',
    });
  });

  it('redirects to media in a bucket, and to none in a folder', () => {
    expect(read({}).mediaDelivery).toBe('proxy');
    const bucket = { STORAGE_URL: 's3://b/p', MEDIA_DELIVERY: 'redirect' };
    expect(read(bucket).mediaDelivery).toBe('redirect');
    expect(faultsOf({ ...LEAST, MEDIA_DELIVERY: 'redirect' })).toEqual([
      expect.stringMatching(/^MEDIA_DELIVERY .*bucket.*folder/),
    ]);
    expect(faultsOf({ ...LEAST, ...bucket, MEDIA_DELIVERY: 'cdn' })).toEqual([
      'MEDIA_DELIVERY must be proxy or redirect',
    ]);
  });

  it('wants both halves of a pair of S3 keys, or neither', () => {
    const half = { ...LEAST, STORAGE_URL: 's3://b', S3_ACCESS_KEY_ID: 'id' };
    expect(faultsOf(half)).toEqual([expect.stringContaining('S3_SECRET_ACCESS_KEY')]);
    expect(faultsOf({ ...half, S3_SECRET_ACCESS_KEY: 'secret' })).toEqual([]);
  });

  it('is bound to this machine alone in development, and speaks HTTP to LiveKit', () => {
    expect(read({}, true).host).toBe('127.0.0.1');
    expect(read({ HOST: '::' }, true).host).toBe('::');
    expect(read({}).livekit.url).toBe('https://livekit.example.com');
    expect(read({ LIVEKIT_URL: 'ws://10.0.0.1:7880/' }).livekit.url).toBe('http://10.0.0.1:7880/');
  });

  it('tells no secret in a fault', () => {
    const faults = faultsOf({
      ...LEAST,
      TALLYLIGHT_ADMIN_KEY: 'short-secret',
      REDIS_URL: 'ftp://user:hunter22@host',
    });
    expect(faults.join('\n')).not.toMatch(/short-secret|hunter22/);
    expect(faults).toHaveLength(2);
  });

  it('can not be changed by who reads it', () => {
    const config = read({});
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
  });
});
