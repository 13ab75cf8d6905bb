import { S3Client } from '@aws-sdk/client-s3';
import type { StorageConfig } from '../config/config.js';

// The SDK would warn of the Node version at every start, on a version that this product supports.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

type S3Storage = Extract<StorageConfig, { kind: 's3' }>;

const CONNECT_WITHIN_MS = 3_000;
/** From the last byte of a request to the first of its answer. */
const ANSWER_WITHIN_MS = 10_000;
const SILENCE_WITHIN_MS = 30_000;
const TRIES = 3;

/** For requests whose answers are read at once: a connection that falls silent is given up. */
export function controlClient(at: S3Storage): S3Client {
  return client(at, SILENCE_WITHIN_MS);
}

/** For bodies that are read as slowly as a player plays: silence on the wire says nothing here. */
export function streamingClient(at: S3Storage): S3Client {
  return client(at, 0);
}

function client(at: S3Storage, socketTimeout: number): S3Client {
  // The number of connections is bounded by who asks, not here: a queue would be a place to hang.
  const agent = { keepAlive: true, maxSockets: Infinity };
  return new S3Client({
    region: at.region,
    ...(at.endpoint ? { endpoint: at.endpoint } : {}),
    ...(at.credentials ? { credentials: at.credentials } : {}),
    forcePathStyle: at.forcePathStyle,
    maxAttempts: TRIES,
    // The checksums that the SDK would add by itself are refused by several servers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_WITHIN_MS,
      requestTimeout: ANSWER_WITHIN_MS,
      throwOnRequestTimeout: true,
      socketTimeout,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
}
