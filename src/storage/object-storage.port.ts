import type { Readable } from 'node:stream';
import type { EgressOutput } from '../livekit/livekit.types.js';

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes, as a strong validator. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  /** Known only by a look at it: it is in an archive class, and nothing can be read of it before it is restored. */
  readonly archived?: boolean;
}

/** First and last byte, both included. */
export interface ByteSpan {
  readonly first: number;
  readonly last: number;
}

/** What the answer at a presigned address says of the object. */
export interface PresignedAnswer {
  readonly contentType: string;
  readonly contentDisposition?: string | undefined;
}

export type DeleteResult =
  { readonly deleted: true } | { readonly deleted: false; readonly code: string; readonly why: string };

/**
 * Objects by key, under the configured prefix. "Not there" is null; a storage that can't be asked throws STORAGE_UNAVAILABLE.
 * No lock is built on conditional writes: several servers ignore them.
 */
export abstract class ObjectStorage {
  /** Whole or not at all, durable when it answers. */
  abstract put(key: string, body: Buffer, contentType: string): Promise<void>;
  /**
   * Writes what a stream gives, in flat memory, whole or not at all, and answers its length in bytes. A stream that fails leaves
   * nothing behind under the key; neither does a storage that takes nothing for a minute. `giveUp` ends it.
   */
  abstract write(key: string, body: Readable, contentType: string, giveUp?: AbortSignal): Promise<number>;
  abstract get(key: string): Promise<Buffer | null>;
  /** `giveUp` ends the waiting for an answer, here and in `open`. */
  abstract head(key: string, giveUp?: AbortSignal): Promise<ObjectInfo | null>;
  /**
   * A stream of the object or of a span of it; destroying the stream frees everything at once. One that ends early or falls
   * silent fails. Throws ObjectArchived.
   */
  abstract open(
    key: string,
    span?: ByteSpan,
    giveUp?: AbortSignal,
  ): Promise<{ info: ObjectInfo; stream: Readable } | null>;
  /** One result per key; an object that was not there counts as deleted. Any number of keys. */
  abstract deleteMany(keys: readonly string[]): Promise<Map<string, DeleteResult>>;
  /** In the order of keys, read page by page of at most 1,000; `after`: only keys that stand after this one. */
  abstract list(prefix: string, after?: string): AsyncIterable<ObjectInfo>;
  /**
   * An address that opens the object to whoever has it, for at most so long, also with ranges and conditions; null where the
   * storage has none. Whether the object is there is not asked.
   */
  abstract presign(
    key: string,
    expiresInSeconds: number,
    answer: PresignedAnswer,
    giveUp?: AbortSignal,
  ): Promise<string | null>;
  /** Where an egress has to write so that `key` is this object. */
  abstract egressOutput(key: string): EgressOutput;
  /** Which host and bucket, or folder, this is; for an operator. */
  abstract readonly place: string;
  /** What works and should be changed all the same, in sentences for an operator. Throws STORAGE_UNAVAILABLE. */
  abstract notices(): Promise<readonly string[]>;
  /** Throws when the storage can't be reached or read. */
  abstract check(): Promise<void>;
}
