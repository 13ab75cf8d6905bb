import { setMaxListeners } from 'node:events';
import { S3Client } from '@aws-sdk/client-s3';
import { traced } from '../kernel/tracing.js';
import { NoAnswerInTime, type S3Storage } from './s3-faults.js';

// The SDK would warn of the Node version at every start, on a version that this product supports.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/** How long each kind of request may take, with everything that is tried again, in ms. */
export interface Patience {
  /** For what somebody waits for: one look, one small write, one deletion. */
  readonly ask: number;
  /** Until the head of an answer whose body is streamed. */
  readonly open: number;
  /** For a small object with its body, and for a page of a list. */
  readonly read: number;
  /** For a deletion of many objects. */
  readonly deleteMany: number;
}

export const PATIENCE: Patience = { ask: 8_000, open: 5_000, read: 20_000, deleteMany: 10_000 };

const CONNECT_WITHIN_MS = 3_000;
/** From the last byte of a request to the first of its answer. */
const ANSWER_WITHIN_MS = 10_000;
const SILENCE_WITHIN_MS = 10_000;
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
  const made = new S3Client({
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
  made.middlewareStack.add(
    (next, { commandName }) =>
      (args) =>
        traced(`s3 ${String(commandName)}`, {}, () => next(args), 'of-another'),
    { step: 'initialize', name: 'tallylight-trace' },
  );
  return made;
}

/**
 * Gives `work` up after `withinMs`, or when `giveUp` says so; throws NoAnswerInTime then. What `work` has given back before is
 * left alone, a body that is still being streamed too.
 */
export async function within<T>(
  withinMs: number,
  giveUp: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // A signal of its own for the request: one that fires later than the answer would end the body too.
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const ends = [AbortSignal.timeout(Math.ceil(withinMs)), ...(giveUp ? [giveUp] : [])];
  // The SDK does not look at the signal while it waits before a retry, or for credentials.
  const aborted = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener('abort', () => reject(new NoAnswerInTime(withinMs)), { once: true });
  });
  aborted.catch(() => undefined);
  // One signal may bound many requests at once.
  if (giveUp) setMaxListeners(0, giveUp);
  for (const end of ends) {
    end.addEventListener('abort', abort, { once: true });
    if (end.aborted) abort();
  }
  try {
    return await Promise.race([work(controller.signal), aborted]);
  } catch (error) {
    throw controller.signal.aborted ? new NoAnswerInTime(withinMs) : error;
  } finally {
    for (const end of ends) end.removeEventListener('abort', abort);
  }
}
