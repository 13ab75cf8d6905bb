import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { parseDuration } from '../kernel/duration.js';
import { canonicalAddress, parseUrl, percentDecoded, withoutSlashes } from '../kernel/url.js';
import { redisUrlProblem } from '../redis/redis-url.js';
import { Config, type StorageConfig } from './config.js';

const duration = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms !== null) return ms;
      context.addIssue({
        code: 'custom',
        message: `"${text}" is no duration; write 200ms, 20s, 5m, 6h or 30d`,
      });
      return z.NEVER;
    });

const port = z.coerce.number('must be a port number').int().min(0).max(65_535);
const url = (...protocols: string[]) =>
  address(protocols, `must be an address that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`);
const address = (protocols: readonly string[], otherwise: string) =>
  z
    .string('is missing')
    .refine((text) => {
      const parsed = parseUrl(text);
      return parsed !== null && protocols.includes(parsed.protocol);
    }, otherwise)
    // What a folder is called is read where it is.
    .refine(
      (text) => text.startsWith('file:') || percentDecoded(text) !== null,
      'has a percent sign that stands for nothing; write %25 for the sign itself',
    );

/** Exactly as a browser sends them; what is more than an origin would never match. */
const origins = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
  )
  .refine(
    (all) => all.every((one) => parseUrl(one)?.origin === one),
    'must be origins like https://app.example.org, without a path, separated by commas',
  );
const flag = z
  .enum(['true', 'false', '1', '0'], 'must be true or false')
  .transform((text) => text === 'true' || text === '1');
const secret = z.string('is missing').min(1, 'is empty');

/** As LiveKit's own configuration has them: `key: secret`, one a line or separated by commas. */
const keyPairs = z.string().transform((text, context) => {
  const pairs = text
    .split(/[\n,]/)
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map((one) => {
      const colon = one.indexOf(':');
      return { apiKey: one.slice(0, Math.max(colon, 0)).trim(), apiSecret: one.slice(colon + 1).trim() };
    });
  if (pairs.every(({ apiKey, apiSecret }) => apiKey !== '' && apiSecret !== '')) return pairs;
  context.addIssue({
    code: 'custom',
    message: 'must be pairs of a key and its secret, "key: secret", one a line or separated by commas',
  });
  return z.NEVER;
});
/** Several, separated by commas, while one is changed for another. */
const secrets = z
  .string()
  .transform((text) => text.split(',').map((one) => one.trim()))
  .refine((all) => all.every((one) => one.length >= 16), 'must have at least 16 characters, each of several');

const schema = z.object({
  HOST: z.string().min(1).optional(),
  PORT: port.default(4000),
  PUBLIC_URL: url('http:', 'https:').optional(),
  ROLE: z.enum(['api', 'worker', 'all'], 'must be api, worker or all').default('all'),
  TALLYLIGHT_ADMIN_KEY: secret.min(16, 'must have at least 16 characters'),
  TALLYLIGHT_SECRET: secrets.optional(),
  CORS_ORIGINS: origins.default([]),
  QUEUES_UI: z.enum(['read', 'write', 'off'], 'must be read, write or off').default('read'),
  RATE_LIMIT: z.enum(['on', 'off'], 'must be on or off').default('on'),
  TRUST_PROXY: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine(
      (all) => all.every(isNetwork),
      'must be addresses or networks like 10.0.0.0/8, separated by commas',
    )
    .optional(),
  WEBHOOK_ALLOW_PRIVATE: flag.default(false),
  REDIS_URL: url('redis:', 'rediss:').superRefine((text, context) => {
    const problem = redisUrlProblem(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  }),
  DEPLOYMENT_ID: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,128}$/, 'must be 1 to 128 of A-Z a-z 0-9 . _ -')
    .optional(),
  STORAGE_URL: address(['file:', 's3:'], 'must be file:<folder> or s3://<bucket>/<prefix>'),
  MEDIA_DELIVERY: z.enum(['proxy', 'redirect'], 'must be proxy or redirect').default('proxy'),
  S3_ENDPOINT: url('http:', 'https:').optional(),
  S3_REGION: z.string().min(1).optional(),
  S3_ACCESS_KEY_ID: secret.optional(),
  S3_SECRET_ACCESS_KEY: secret.optional(),
  S3_FORCE_PATH_STYLE: flag.optional(),
  EGRESS_S3_ENDPOINT: url('http:', 'https:').optional(),
  LIVEKIT_URL: url('ws:', 'wss:', 'http:', 'https:'),
  LIVEKIT_API_KEY: secret,
  LIVEKIT_API_SECRET: secret,
  LIVEKIT_API_KEYS: keyPairs.optional(),
  RECORDING_START_TIMEOUT: duration('20s'),
  LIVEKIT_START_TIMEOUT: duration('35s'),
  LIVEKIT_STOP_TIMEOUT: duration('20s'),
  LIVEKIT_TIMEOUT: duration('10s'),
  RECORDING_MAX_DURATION: duration('6h'),
  ORPHANED_LOCK_GRACE: duration('1m'),
  STALE_AFTER: duration('5m'),
  RECORDER_CHECK_EVERY: duration('20s'),
  RECORDER_LOST_AFTER: duration('20s'),
  SWEEP_ORPHANED_LOCKS_EVERY: duration('30m'),
  SWEEP_STALE_RECORDINGS_EVERY: duration('15m'),
  SWEEP_LIVEKIT_RECONCILIATION_EVERY: duration('15s'),
  SWEEP_STORAGE_RECONCILIATION_EVERY: duration('6h'),
  SWEEP_RETENTION_EVERY: duration('1h'),
  BULK_DELETE_ATTEMPTS: z.coerce.number('must be a whole number').int().min(1).max(100).default(4),
  BULK_DELETE_BACKOFF: duration('1s'),
  EVENT_LOG_RETENTION: duration('7d'),
  METRICS_PORT: port.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:').optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error').default('info'),
  LOG_FORMAT: z.enum(['json', 'pretty'], 'must be json or pretty').optional(),
});

export interface ConfigContext {
  /** The embedded stack: bound to loopback unless HOST says otherwise. */
  readonly development: boolean;
  readonly onTerminal: boolean;
}

/** Thrown once for all faults: the message has a line for every variable that is missing or bad. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : 'faults'}:\n${faults.map((f) => `  ${f}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

/** Checks the environment; an empty variable counts as not set. */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  context: ConfigContext,
): Config {
  const set = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(set);
  const faults = parsed.success ? [] : parsed.error.issues.map((i) => `${i.path.join('.')} ${i.message}`);
  const storage = readStorage(set, faults);
  if (parsed.success && parsed.data.PORT !== 0 && parsed.data.METRICS_PORT === parsed.data.PORT) {
    faults.push('METRICS_PORT must be another port than PORT; without it, PORT has the metrics for an ADMIN');
  }
  if (set.MEDIA_DELIVERY === 'redirect' && storage?.kind === 'file') {
    faults.push(
      'MEDIA_DELIVERY redirect needs a bucket, STORAGE_URL=s3://<bucket>/<prefix>; media in a folder is sent by proxy',
    );
  }
  if (!parsed.success || faults.length > 0 || storage === null) throw new ConfigError(faults);
  const env_ = parsed.data;
  return new Config({
    host: env_.HOST ?? (context.development ? '127.0.0.1' : '0.0.0.0'),
    port: env_.PORT,
    publicUrl: withoutSlashes(env_.PUBLIC_URL ?? `http://localhost:${env_.PORT}`, false),
    role: env_.ROLE,
    adminKey: env_.TALLYLIGHT_ADMIN_KEY,
    secrets: env_.TALLYLIGHT_SECRET ?? [`from the first ADMIN key: ${env_.TALLYLIGHT_ADMIN_KEY}`],
    corsOrigins: env_.CORS_ORIGINS,
    queuesUi: env_.QUEUES_UI,
    rateLimit: env_.RATE_LIMIT === 'on',
    trustProxy: env_.TRUST_PROXY ?? [],
    isPublicUrlSet: env_.PUBLIC_URL !== undefined,
    webhookAllowPrivate: env_.WEBHOOK_ALLOW_PRIVATE,
    redisUrl: env_.REDIS_URL,
    storage,
    mediaDelivery: env_.MEDIA_DELIVERY,
    livekit: {
      url: env_.LIVEKIT_URL.replace(/^ws/, 'http'),
      apiKey: env_.LIVEKIT_API_KEY,
      apiSecret: env_.LIVEKIT_API_SECRET,
      furtherKeys: env_.LIVEKIT_API_KEYS ?? [],
    },
    recordingStartTimeoutMs: env_.RECORDING_START_TIMEOUT,
    livekitStartTimeoutMs: env_.LIVEKIT_START_TIMEOUT,
    livekitStopTimeoutMs: env_.LIVEKIT_STOP_TIMEOUT,
    livekitTimeoutMs: env_.LIVEKIT_TIMEOUT,
    recordingMaxDurationMs: env_.RECORDING_MAX_DURATION,
    orphanedLockGraceMs: env_.ORPHANED_LOCK_GRACE,
    staleAfterMs: env_.STALE_AFTER,
    recorderCheckEveryMs: env_.RECORDER_CHECK_EVERY,
    recorderLostAfterMs: env_.RECORDER_LOST_AFTER,
    sweepEveryMs: {
      orphanedLocks: env_.SWEEP_ORPHANED_LOCKS_EVERY,
      staleRecordings: env_.SWEEP_STALE_RECORDINGS_EVERY,
      livekitReconciliation: env_.SWEEP_LIVEKIT_RECONCILIATION_EVERY,
      storageReconciliation: env_.SWEEP_STORAGE_RECONCILIATION_EVERY,
      retention: env_.SWEEP_RETENTION_EVERY,
    },
    bulkDeleteAttempts: env_.BULK_DELETE_ATTEMPTS,
    bulkDeleteBackoffMs: env_.BULK_DELETE_BACKOFF,
    eventLogRetentionMs: env_.EVENT_LOG_RETENTION,
    metricsPort: env_.METRICS_PORT ?? null,
    tracing: env_.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
    logLevel: env_.LOG_LEVEL,
    logFormat: env_.LOG_FORMAT ?? (context.onTerminal ? 'pretty' : 'json'),
    development: context.development,
  });
}

function readStorage(env: Record<string, string | undefined>, faults: string[]): StorageConfig | null {
  const { STORAGE_URL: address = '' } = env;
  const parsed = parseUrl(address);
  if (parsed === null) return null;
  if (parsed.protocol === 'file:') {
    const folder = folderOf(address);
    if (folder === null) faults.push('STORAGE_URL names no folder of this machine; write file:<folder>');
    return folder === null ? null : { kind: 'file', folder, deployment: env.DEPLOYMENT_ID ?? null };
  }
  if (!parsed.hostname) {
    faults.push('STORAGE_URL names no bucket; write s3://<bucket>/<prefix>');
    return null;
  }
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId !== !secretAccessKey) {
    faults.push('S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together; set both or neither');
  }
  const bucket = parsed.hostname;
  const prefix = withoutSlashes(parsed.pathname);
  const endpoint = env.S3_ENDPOINT ?? null;
  const egressEndpoint = env.EGRESS_S3_ENDPOINT ?? endpoint;
  return {
    kind: 's3',
    bucket,
    prefix,
    endpoint,
    deployment:
      env.DEPLOYMENT_ID ?? derivedDeployment(canonicalAddress(egressEndpoint ?? ''), bucket, prefix),
    region: env.S3_REGION ?? env.AWS_REGION ?? 'us-east-1',
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : null,
    forcePathStyle: env.S3_FORCE_PATH_STYLE === 'true' || env.S3_FORCE_PATH_STYLE === '1',
    egressEndpoint,
  };
}

/** The same for every instance on one storage; says nothing of where that is. */
function derivedDeployment(...storage: readonly string[]): string {
  return createHash('sha256').update(storage.join('\n')).digest('base64url').slice(0, 22);
}

/** `file:relative`, `file:/absolute` and `file:///absolute` alike; null for no folder, or another machine's. */
function folderOf(storageUrl: string): string | null {
  const path = storageUrl.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
  if (path === '' || path.startsWith('//')) return null;
  try {
    return resolve(decodeURIComponent(path));
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function isNetwork(text: string): boolean {
  const [ip = '', bits, more] = text.split('/');
  const most = isIP(ip) === 4 ? 32 : 128;
  return (
    isIP(ip) !== 0 &&
    more === undefined &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  );
}
