import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { TallyError } from '../../../src/kernel/errors.js';
import type { EgressOutput } from '../../../src/livekit/livekit.types.js';
import {
  type ByteSpan,
  type DeleteResult,
  type ObjectInfo,
  ObjectStorage,
} from '../../../src/storage/object-storage.port.js';
import type { Dice } from './dice.js';
import type { Incarnation } from './incarnation.js';
import type { SimClock } from './sim-clock.js';

interface Kept {
  readonly body: Buffer;
  readonly lastModifiedMs: number;
}

/** The bucket that all instances and all egress workers share. */
export class Bucket {
  private readonly objects = new Map<string, Kept>();
  private written = 0;
  away = false;
  /** Lists show only what was written before this instant, ms; null: everything. */
  listedUntil: number | null = null;
  /** It is unavailable to us, and egresses write to it. */
  hidden = false;
  /** The chance that a delete of one key fails while its request succeeds. */
  deleteFails = 0;
  /** The chance that a request takes effect and its answer is lost. */
  answersLost = 0;
  slow = false;
  /** Every request of ours takes so long, ms. */
  slowByMs = 0;

  constructor(
    private readonly clock: SimClock,
    private readonly dice: Dice,
  ) {}

  async ask<T>(op: () => T): Promise<T> {
    if (this.away || this.hidden) throw this.unavailable();
    if (this.slowByMs > 0) await this.clock.sleep(this.slowByMs);
    if (this.dice.chance(this.slow ? 0.8 : 0.1))
      await this.clock.sleep(this.dice.int(1, this.slow ? 4_000 : 30));
    if (this.away) throw this.unavailable();
    const answer = op();
    if (this.answersLost > 0 && this.dice.chance(this.answersLost)) throw this.unavailable();
    return answer;
  }

  set(key: string, body: Buffer): void {
    this.written += 1;
    this.objects.set(key, { body, lastModifiedMs: this.clock.now() });
  }

  get(key: string): Kept | undefined {
    return this.objects.get(key);
  }

  delete(key: string): DeleteResult {
    if (this.deleteFails > 0 && this.dice.chance(this.deleteFails)) {
      return { deleted: false, code: 'InternalError', why: 'we encountered an internal error' };
    }
    this.objects.delete(key);
    return { deleted: true };
  }

  keys(prefix = ''): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** Grows with every write. */
  get writes(): number {
    return this.written;
  }

  private unavailable(): TallyError {
    return new TallyError('STORAGE_UNAVAILABLE', 'the storage does not answer; try again in a moment');
  }
}

/** The bucket as one instance reaches it. */
export class SimStorage extends ObjectStorage {
  constructor(
    private readonly bucket: Bucket,
    private readonly of: Incarnation,
  ) {
    super();
  }

  put(key: string, body: Buffer, _contentType: string): Promise<void> {
    return this.ask(`put ${key.slice(-12)}`, () => this.bucket.set(key, body));
  }

  async write(key: string, body: Readable, contentType: string): Promise<number> {
    const whole = await buffer(body);
    await this.put(key, whole, contentType);
    return whole.length;
  }

  get(key: string): Promise<Buffer | null> {
    return this.ask(`read ${key.slice(-12)}`, () => this.bucket.get(key)?.body ?? null);
  }

  head(key: string): Promise<ObjectInfo | null> {
    return this.ask(`head ${key.slice(-12)}`, () => this.infoOf(key));
  }

  open(key: string, _span?: ByteSpan): Promise<{ info: ObjectInfo; stream: Readable } | null> {
    return this.ask('open', () => {
      const info = this.infoOf(key);
      const body = this.bucket.get(key)?.body;
      return info === null || body === undefined ? null : { info, stream: Readable.from([body]) };
    });
  }

  deleteMany(keys: readonly string[]): Promise<Map<string, DeleteResult>> {
    return this.ask(
      `delete ${keys.map((key) => key.slice(-12)).join(' ')}`,
      () => new Map(keys.map((key) => [key, this.bucket.delete(key)])),
    );
  }

  async *list(prefix: string, after = ''): AsyncIterable<ObjectInfo> {
    const keys = await this.ask(`list ${prefix}`, () => this.bucket.keys(prefix));
    for (const key of keys.filter((one) => one > after)) {
      const info = this.infoOf(key);
      if (info !== null && info.lastModifiedMs <= (this.bucket.listedUntil ?? Infinity)) yield info;
    }
  }

  readonly place = 'the memory of a test';

  async notices(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async presign(): Promise<null> {
    return Promise.resolve(null);
  }

  egressOutput(key: string): EgressOutput {
    return { ...OUTPUT, filepath: key };
  }

  check(): Promise<void> {
    return this.ask('check', () => undefined);
  }

  private ask<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.bucket.ask(op));
  }

  private infoOf(key: string): ObjectInfo | null {
    const kept = this.bucket.get(key);
    if (kept === undefined) return null;
    return { key, sizeBytes: kept.body.length, etag: 'e', lastModifiedMs: kept.lastModifiedMs };
  }
}

/** Where an egress of another deployment writes to. */
export const STRANGERS_BUCKET = 'theirs';
const OUTPUT = {
  kind: 's3',
  ...{ bucket: 'ours', region: 'r', endpoint: 'http://s3.test', forcePathStyle: true },
  ...{ accessKeyId: 'k', secretAccessKey: 's', deployment: 'ours' },
} as const;

/** What another deployment asks for; without a mark as before there were any. */
export function strangersOutput(key: string, marked: boolean): EgressOutput {
  return { ...OUTPUT, filepath: key, bucket: STRANGERS_BUCKET, deployment: marked ? STRANGERS_BUCKET : '' };
}
