import { Readable } from 'node:stream';
import {
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  type GetObjectCommandOutput,
  type HeadObjectCommandOutput,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Clock } from '../kernel/clock.js';
import { isTallyError, type TallyError } from '../kernel/errors.js';
import type { EgressOutput } from '../livekit/livekit.types.js';
import { assertObjectKey } from './object-keys.js';
import {
  type ByteSpan,
  type DeleteResult,
  type ObjectInfo,
  ObjectStorage,
  type PresignedAnswer,
} from './object-storage.port.js';
import { controlClient, PATIENCE, type Patience, streamingClient, within } from './s3-clients.js';
import { S3Deletes } from './s3-deletes.js';
import {
  describeS3Failure,
  NoAnswerInTime,
  placeOf,
  type S3Storage,
  statusOf,
  UnexpectedAnswer,
  wasAnswered,
} from './s3-faults.js';
import { lifecycleNotices, skewNotice } from './s3-notices.js';
import { firstByte, watchForStall } from './stall.js';
import { type Asked, beyondEnd, failureName, ObjectArchived, storageUnavailable } from './storage-errors.js';

/** How often a small object is read again whose answer broke off. */
const READS = 3;
/** Of a body that is written as it comes: two parts are in memory at once, and 10,000 of them are the most a store takes. */
const PART_BYTES = 16 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
/** A part that the store takes more slowly is given up. */
const WRITE_SILENT_MS = 60_000;
const WRITE_LONGEST_MS = 12 * 3_600_000;
/** The slowest upload that is waited for. */
const BYTES_PER_MS = 500;

/** Objects of a bucket, under a prefix. Asks nothing of the server that its clones don't do: no conditional writes, no checksums beyond the required. */
export class S3ObjectStorage extends ObjectStorage {
  private readonly control: S3Client;
  /** Apart from the rest: any number of listeners who have paused can't keep a small request waiting. */
  private readonly streaming: S3Client;
  private readonly deletes: S3Deletes;

  constructor(
    private readonly at: S3Storage,
    private readonly clock: Clock,
    private readonly patience: Patience = PATIENCE,
  ) {
    super();
    this.control = controlClient(at);
    this.streaming = streamingClient(at);
    this.deletes = new S3Deletes(this.control, at, clock, patience);
  }

  async put(key: string, body: Buffer, contentType: string): Promise<void> {
    const command = new PutObjectCommand({
      ...this.object(key),
      Body: body,
      ContentLength: body.length,
      ContentType: contentType,
    });
    const withinMs = this.patience.ask + body.length / BYTES_PER_MS;
    await this.asking({ verb: 'writing', of: key }, withinMs, (signal) =>
      this.control.send(command, { abortSignal: signal }),
    );
  }

  async write(key: string, body: Readable, contentType: string, giveUp?: AbortSignal): Promise<number> {
    const upload = new Upload({
      client: this.control,
      params: { ...this.object(key), Body: body, ContentType: contentType },
      partSize: PART_BYTES,
      queueSize: PARTS_AT_ONCE,
    });
    const over = new AbortController();
    let written = 0;
    let lastAt = this.clock.now();
    upload.on('httpUploadProgress', ({ loaded = 0 }) => {
      written = loaded;
      lastAt = this.clock.now();
    });
    const stalled = new Promise<never>((_resolve, reject) => {
      void this.untilStalled(() => lastAt, over.signal).then((yes) => {
        if (yes) reject(new NoAnswerInTime(WRITE_SILENT_MS));
      });
    });
    stalled.catch(() => undefined);
    const write = async (signal: AbortSignal): Promise<number> => {
      signal.addEventListener('abort', () => void upload.abort(), { once: true });
      try {
        await Promise.race([upload.done(), stalled]);
        return written;
      } catch (error) {
        // What has come of it until now is taken back by the store; the stream is not read any further.
        void upload.abort();
        body.destroy();
        throw error;
      } finally {
        over.abort();
      }
    };
    return this.asking({ verb: 'writing', of: key }, WRITE_LONGEST_MS, write, giveUp);
  }

  /** True as soon as nothing was taken for so long; false when it is over before. */
  private async untilStalled(lastAt: () => number, over: AbortSignal): Promise<boolean> {
    while (!over.aborted) {
      const left = lastAt() + WRITE_SILENT_MS - this.clock.now();
      if (left <= 0) return true;
      await this.clock.sleep(left, over).catch(() => undefined);
    }
    return false;
  }

  async get(key: string): Promise<Buffer | null> {
    const object = this.object(key);
    return this.asking({ verb: 'reading', of: key }, this.patience.read, async (signal) => {
      for (let reads = 1; ; reads += 1) {
        const answer = await this.orAbsent(signal, () =>
          this.control.send(new GetObjectCommand(object), { abortSignal: signal }),
        );
        if (!answer) return null;
        try {
          return await wholeBody(answer);
        } catch (error) {
          if (reads === READS || signal.aborted) throw error;
        }
      }
    });
  }

  async head(key: string, giveUp?: AbortSignal): Promise<ObjectInfo | null> {
    const command = new HeadObjectCommand(this.object(key));
    const look = async (signal: AbortSignal): Promise<ObjectInfo | null> => {
      const answer = await this.orAbsent(signal, () => this.control.send(command, { abortSignal: signal }));
      return answer && { ...toInfo(key, answer.ContentLength, answer), archived: isArchived(answer) };
    };
    return this.asking({ verb: 'looking', of: key }, this.patience.ask, look, giveUp);
  }

  async open(
    key: string,
    span?: ByteSpan,
    giveUp?: AbortSignal,
  ): Promise<{ info: ObjectInfo; stream: Readable } | null> {
    const range = span && `bytes=${span.first}-${span.last}`;
    const command = new GetObjectCommand({ ...this.object(key), Range: range });
    const open = async (signal: AbortSignal): Promise<{ info: ObjectInfo; stream: Readable } | null> => {
      const answer = await this.orAbsent(signal, () =>
        this.streaming.send(command, { abortSignal: signal }),
      ).catch(async (error: unknown) => {
        if (span && statusOf(error) === 416) throw beyondEnd(span.first, await this.sizeOf(key, signal));
        throw failureName(error) === 'InvalidObjectState' ? new ObjectArchived(error) : error;
      });
      if (!answer) return null;
      if (!(answer.Body instanceof Readable)) throw new UnexpectedAnswer('the object came without a body');
      try {
        const info = toInfo(key, wholeSize(answer, span), answer);
        if (answer.ContentLength !== 0) await firstByte(answer.Body, signal);
        return { info, stream: watchForStall(answer.Body) };
      } catch (error) {
        answer.Body.destroy();
        throw error;
      }
    };
    return this.asking({ verb: 'opening', of: key }, this.patience.open, open, giveUp);
  }

  async deleteMany(keys: readonly string[]): Promise<Map<string, DeleteResult>> {
    keys.forEach(assertObjectKey);
    const fullKeys = new Map([...new Set(keys)].map((key) => [this.full(key), key]));
    const results = await this.deletes.delete([...fullKeys.keys()]);
    return new Map([...results].map(([fullKey, result]) => [fullKeys.get(fullKey) ?? fullKey, result]));
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    let token: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await this.asking(
        { verb: 'listing', of: prefix },
        this.patience.read,
        (signal) =>
          this.control.send(
            new ListObjectsV2Command({
              Bucket: this.at.bucket,
              Prefix: this.full(prefix),
              ContinuationToken: token,
              ...(after !== undefined && { StartAfter: this.full(after) }),
            }),
            { abortSignal: signal },
          ),
      );
      for (const seen of page.Contents ?? []) {
        const key = this.relative(seen.Key ?? '');
        // What consoles put into a bucket to show a folder is no object of ours.
        if (key === '' || key.endsWith('/')) continue;
        // Some servers ignore where to begin.
        if (after !== undefined && key <= after) continue;
        yield toInfo(key, seen.Size, seen);
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
      if (page.IsTruncated && !token) {
        throw this.failed(
          { verb: 'listing', of: prefix },
          new UnexpectedAnswer('a page without a way to the next one'),
        );
      }
    } while (token);
  }

  get place(): string {
    return placeOf(this.at);
  }

  async notices(): Promise<readonly string[]> {
    const command = new GetBucketLifecycleConfigurationCommand({ Bucket: this.at.bucket });
    const rules = await this.asking({ verb: 'reading its rules' }, this.patience.ask, (signal) =>
      this.control.send(command, { abortSignal: signal }).catch((error: unknown) => {
        // It has none, doesn't know what that is, or does not tell us.
        if (wasAnswered(error) || statusOf(error) === 501) return { Rules: [] };
        throw error;
      }),
    );
    const skew = skewNotice(this.control.config.systemClockOffset);
    return [...(skew === null ? [] : [skew]), ...lifecycleNotices(rules.Rules ?? [], this.full(''))];
  }

  async presign(
    key: string,
    expiresInSeconds: number,
    answer: PresignedAnswer,
    giveUp?: AbortSignal,
  ): Promise<string> {
    const command = new GetObjectCommand({
      ...this.object(key),
      ResponseContentType: answer.contentType,
      ResponseContentDisposition: answer.contentDisposition,
      ResponseCacheControl: 'private, no-cache',
    });
    const sign = async (): Promise<string> => {
      const { expiration } = await this.streaming.config.credentials();
      // An address is worth nothing once the credentials that signed it are.
      const left =
        expiration === undefined ? Infinity : Math.floor((expiration.getTime() - this.clock.now()) / 1_000);
      const expiresIn = Math.max(1, Math.min(expiresInSeconds, left));
      // The store's time, where this machine's is off: others would find it not yet valid, or over.
      const signingDate = new Date(new Date().getTime() + this.control.config.systemClockOffset);
      return getSignedUrl(this.streaming, command, { expiresIn, signingDate });
    };
    return this.asking({ verb: 'signing an address', of: key }, this.patience.ask, sign, giveUp);
  }

  egressOutput(key: string): EgressOutput {
    assertObjectKey(key);
    return {
      kind: 's3',
      filepath: this.full(key),
      bucket: this.at.bucket,
      region: this.at.region,
      endpoint: this.at.egressEndpoint,
      accessKeyId: this.at.credentials?.accessKeyId ?? null,
      secretAccessKey: this.at.credentials?.secretAccessKey ?? null,
      forcePathStyle: this.at.forcePathStyle,
      deployment: this.at.deployment,
    };
  }

  async check(): Promise<void> {
    const command = new ListObjectsV2Command({ Bucket: this.at.bucket, Prefix: this.full(''), MaxKeys: 1 });
    await this.asking({ verb: 'listing its bucket' }, this.patience.ask, (signal) =>
      this.control.send(command, { abortSignal: signal }),
    );
  }

  /** After the requests that are under way: downloads are read from here. */
  onApplicationShutdown(): void {
    this.control.destroy();
    this.streaming.destroy();
  }

  private async sizeOf(key: string, signal: AbortSignal): Promise<number> {
    const answer = await this.control.send(new HeadObjectCommand(this.object(key)), { abortSignal: signal });
    return answer.ContentLength ?? 0;
  }

  /** Null for an object that is not there; a bucket that is not there is a failure. */
  private async orAbsent<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (failureName(error) === 'NoSuchKey') return null;
      if (failureName(error) === 'NoSuchBucket' || statusOf(error) !== 404) throw error;
      // An answer to HEAD has no body that could tell a missing object from a missing bucket.
      await this.control.send(new HeadBucketCommand({ Bucket: this.at.bucket }), { abortSignal: signal });
      return null;
    }
  }

  private async asking<T>(
    asked: Asked,
    withinMs: number,
    ask: (signal: AbortSignal) => Promise<T>,
    giveUp?: AbortSignal,
  ): Promise<T> {
    try {
      return await within(withinMs, giveUp, ask);
    } catch (error) {
      throw isTallyError(error) || error instanceof ObjectArchived ? error : this.failed(asked, error);
    }
  }

  private failed(asked: Asked, error: unknown): TallyError {
    return storageUnavailable(asked, error, describeS3Failure(error, this.at));
  }

  private object(key: string): { Bucket: string; Key: string } {
    assertObjectKey(key);
    return { Bucket: this.at.bucket, Key: this.full(key) };
  }

  private full(key: string): string {
    return this.at.prefix === '' ? key : `${this.at.prefix}/${key}`;
  }

  private relative(fullKey: string): string {
    return this.at.prefix === '' ? fullKey : fullKey.slice(this.at.prefix.length + 1);
  }
}

interface Described {
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
}

function toInfo(key: string, size: number | undefined, { ETag, LastModified }: Described): ObjectInfo {
  if (size === undefined || ETag === undefined || LastModified === undefined) {
    throw new UnexpectedAnswer('an answer without size, ETag or Last-Modified');
  }
  return {
    key,
    sizeBytes: size,
    etag: ETag.replace(/^W\//, '').replace(/^"|"$/g, ''),
    lastModifiedMs: LastModified.getTime(),
  };
}

const ARCHIVES: ReadonlySet<string | undefined> = new Set([
  'GLACIER',
  'DEEP_ARCHIVE',
  'ARCHIVE_ACCESS',
  'DEEP_ARCHIVE_ACCESS',
]);

/** Nothing can be read of it: it is in an archive, and no copy of it has been restored. */
function isArchived({ StorageClass, ArchiveStatus, Restore }: HeadObjectCommandOutput): boolean {
  if (!ARCHIVES.has(StorageClass) && !ARCHIVES.has(ArchiveStatus)) return false;
  return !(Restore ?? '').includes('ongoing-request="false"');
}

/** All that was promised; throws where it ended early. */
async function wholeBody({ Body, ContentLength }: GetObjectCommandOutput): Promise<Buffer> {
  const body = Buffer.from((await Body?.transformToByteArray()) ?? []);
  if (ContentLength === undefined || body.length === ContentLength) return body;
  throw Object.assign(new Error(`${body.length} of ${ContentLength} bytes came`), { code: 'ECONNRESET' });
}

/** The object's size; throws where the server sent another span than was asked for. */
function wholeSize(answer: GetObjectCommandOutput, span: ByteSpan | undefined): number | undefined {
  if (!span) return answer.ContentLength;
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? '');
  const size = Number(range?.[3]);
  const rightSpan =
    range && Number(range[1]) === span.first && Number(range[2]) === Math.min(span.last, size - 1);
  if (!rightSpan) throw new UnexpectedAnswer('the server did not send the span that was asked for');
  return size;
}
