import { Readable } from 'node:stream';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  type GetObjectCommandOutput,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';
import type { StorageConfig } from '../config/config.js';
import { isTallyError } from '../kernel/errors.js';
import type { EgressOutput } from '../livekit/livekit.types.js';
import { assertObjectKey } from './object-keys.js';
import { type ByteSpan, type DeleteResult, type ObjectInfo, ObjectStorage } from './object-storage.port.js';
import { controlClient, streamingClient } from './s3-clients.js';
import { chunksOf, readDeleteAnswer } from './s3-deletes.js';
import { watchForStall } from './stall.js';
import { beyondEnd, failureName, storageUnavailable } from './storage-errors.js';

export type S3Storage = Extract<StorageConfig, { kind: 's3' }>;

/** What DeleteObjects takes in one request. */
const DELETE_CHUNK = 1000;

/** Objects of a bucket, under a prefix. Asks nothing of the server that its clones don't do: no conditional writes, no checksums beyond the required. */
export class S3ObjectStorage extends ObjectStorage {
  private readonly control: S3Client;
  /** Apart from the rest: any number of listeners who have paused can't keep a small request waiting. */
  private readonly streaming: S3Client;

  constructor(private readonly at: S3Storage) {
    super();
    this.control = controlClient(at);
    this.streaming = streamingClient(at);
  }

  async put(key: string, body: Buffer, contentType: string): Promise<void> {
    const command = new PutObjectCommand({
      ...this.object(key),
      Body: body,
      ContentLength: body.length,
      ContentType: contentType,
    });
    await this.asking(`writing ${key}`, () => this.control.send(command));
  }

  async get(key: string): Promise<Buffer | null> {
    const command = new GetObjectCommand(this.object(key));
    return this.asking(`reading ${key}`, async () => {
      const answer = await this.orAbsent(() => this.control.send(command));
      return answer && Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    });
  }

  async head(key: string): Promise<ObjectInfo | null> {
    const command = new HeadObjectCommand(this.object(key));
    return this.asking(`looking at ${key}`, async () => {
      const answer = await this.orAbsent(() => this.control.send(command));
      return answer && toInfo(key, answer.ContentLength, answer.ETag, answer.LastModified);
    });
  }

  async open(key: string, span?: ByteSpan): Promise<{ info: ObjectInfo; stream: Readable } | null> {
    const range = span && `bytes=${span.first}-${span.last}`;
    const command = new GetObjectCommand({ ...this.object(key), Range: range });
    return this.asking(`opening ${key}`, async () => {
      const answer = await this.orAbsent(() => this.streaming.send(command)).catch(async (error: unknown) => {
        if (span && statusOf(error) === 416) throw beyondEnd(key, span.first, await this.sizeOf(key));
        throw error;
      });
      if (!answer) return null;
      if (!(answer.Body instanceof Readable)) throw new Error('the object came without a body');
      try {
        const info = toInfo(key, wholeSize(answer, span), answer.ETag, answer.LastModified);
        return { info, stream: watchForStall(answer.Body) };
      } catch (error) {
        answer.Body.destroy();
        throw error;
      }
    });
  }

  async deleteMany(keys: readonly string[]): Promise<Map<string, DeleteResult>> {
    keys.forEach(assertObjectKey);
    const results = new Map<string, DeleteResult>();
    const chunks = chunksOf([...new Set(keys)], DELETE_CHUNK);
    let answered = 0;
    let failure: unknown;
    for (const chunk of chunks) {
      try {
        for (const [key, result] of await this.deleteChunk(chunk)) results.set(key, result);
        answered += 1;
      } catch (error) {
        failure = error;
        const code = 'STORAGE_UNAVAILABLE';
        const why = 'the storage gave no answer about it';
        for (const key of chunk) results.set(key, { deleted: false, code, why });
      }
    }
    // What was answered for some keys is not lost because others could not be asked for.
    if (failure !== undefined && answered === 0) throw failure;
    return results;
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    let token: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await this.asking(`listing ${prefix}`, () =>
        this.control.send(
          new ListObjectsV2Command({
            Bucket: this.at.bucket,
            Prefix: this.full(prefix),
            ContinuationToken: token,
          }),
        ),
      );
      for (const seen of page.Contents ?? []) {
        const key = this.relative(seen.Key ?? '');
        // What consoles put into a bucket to show a folder is no object of ours.
        if (key === '' || key.endsWith('/')) continue;
        yield toInfo(key, seen.Size, seen.ETag, seen.LastModified);
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
      if (page.IsTruncated && !token) {
        throw storageUnavailable(`listing ${prefix}`, new Error('a page without a way to the next one'));
      }
    } while (token);
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
    await this.asking(`answering for the bucket ${this.at.bucket}`, () => this.control.send(command));
  }

  /** Not before what is being streamed has had its time. */
  onApplicationShutdown(): void {
    this.control.destroy();
    this.streaming.destroy();
  }

  private async deleteChunk(keys: readonly string[]): Promise<Map<string, DeleteResult>> {
    const command = new DeleteObjectsCommand({
      Bucket: this.at.bucket,
      Delete: { Objects: keys.map((key) => ({ Key: this.full(key) })), Quiet: false },
    });
    const answer = await this.asking(`deleting ${keys.length} objects`, () => this.control.send(command));
    return readDeleteAnswer(keys, (key) => this.full(key), answer);
  }

  private async sizeOf(key: string): Promise<number> {
    const answer = await this.control.send(new HeadObjectCommand(this.object(key)));
    return answer.ContentLength ?? 0;
  }

  /** Null for an object that is not there; a bucket that is not there is a failure. */
  private async orAbsent<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (failureName(error) === 'NoSuchKey') return null;
      if (failureName(error) === 'NoSuchBucket' || statusOf(error) !== 404) throw error;
      // An answer to HEAD has no body that could tell a missing object from a missing bucket.
      await this.control.send(new HeadBucketCommand({ Bucket: this.at.bucket }));
      return null;
    }
  }

  private async asking<T>(doing: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw isTallyError(error) ? error : storageUnavailable(doing, error, adviceFor(error));
    }
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

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

function toInfo(key: string, size?: number, etag?: string, lastModified?: Date): ObjectInfo {
  if (size === undefined || etag === undefined || lastModified === undefined) {
    throw storageUnavailable(`describing ${key}`, new Error('an answer without size, ETag or Last-Modified'));
  }
  return {
    key,
    sizeBytes: size,
    etag: etag.replace(/^W\//, '').replace(/^"|"$/g, ''),
    lastModifiedMs: lastModified.getTime(),
  };
}

/** The object's size; throws where the server sent another span than was asked for. */
function wholeSize(answer: GetObjectCommandOutput, span: ByteSpan | undefined): number | undefined {
  if (!span) return answer.ContentLength;
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? '');
  const size = Number(range?.[3]);
  const rightSpan =
    range && Number(range[1]) === span.first && Number(range[2]) === Math.min(span.last, size - 1);
  if (!rightSpan) throw new Error('the server did not send the span that was asked for');
  return size;
}

function adviceFor(error: unknown): string {
  switch (statusOf(error)) {
    case 401:
    case 403:
      return 'check S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY and what they may do in the bucket';
    case 404:
      return 'check that the bucket of STORAGE_URL exists at S3_ENDPOINT';
    default:
      return 'check that S3_ENDPOINT can be reached, or try again later';
  }
}
