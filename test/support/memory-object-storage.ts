import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { TallyError } from '../../src/kernel/errors.js';
import type { EgressOutput } from '../../src/livekit/livekit.types.js';
import {
  type ByteSpan,
  type DeleteResult,
  type ObjectInfo,
  ObjectStorage,
} from '../../src/storage/object-storage.port.js';

interface Kept {
  readonly body: Buffer;
  readonly lastModifiedMs: number;
}

/** The storage port over a map, for tests of what stands on it; can be away, and can be slow to put. */
export class MemoryObjectStorage extends ObjectStorage {
  private readonly objects = new Map<string, Kept>();
  /** While true every call fails as a storage does that nobody answers for. */
  away = false;
  /** Awaited by every put before it takes effect. */
  beforePut: (key: string) => Promise<void> = async () => undefined;

  constructor(private readonly now: () => number = () => 1_700_000_000_000) {
    super();
  }

  async put(key: string, body: Buffer, _contentType: string): Promise<void> {
    this.reach();
    await this.beforePut(key);
    this.reach();
    this.objects.set(key, { body: Buffer.from(body), lastModifiedMs: this.now() });
  }

  async write(key: string, body: Readable, contentType: string): Promise<number> {
    this.reach();
    const whole = await buffer(body);
    await this.put(key, whole, contentType);
    return whole.length;
  }

  async get(key: string): Promise<Buffer | null> {
    this.reach();
    const kept = this.objects.get(key);
    return kept === undefined ? null : Buffer.from(kept.body);
  }

  async head(key: string): Promise<ObjectInfo | null> {
    this.reach();
    return this.infoOf(key);
  }

  async open(key: string, span?: ByteSpan): Promise<{ info: ObjectInfo; stream: Readable } | null> {
    this.reach();
    const info = this.infoOf(key);
    const kept = this.objects.get(key);
    if (info === null || kept === undefined) return null;
    const body = span ? kept.body.subarray(span.first, span.last + 1) : kept.body;
    return { info, stream: Readable.from([body], { objectMode: false }) };
  }

  async deleteMany(keys: readonly string[]): Promise<Map<string, DeleteResult>> {
    this.reach();
    return new Map(
      keys.map((key): [string, DeleteResult] => {
        this.objects.delete(key);
        return [key, { deleted: true }];
      }),
    );
  }

  async *list(prefix: string, after = ''): AsyncIterable<ObjectInfo> {
    this.reach();
    for (const key of [...this.objects.keys()].toSorted()) {
      this.reach();
      const info = key.startsWith(prefix) && key > after ? this.infoOf(key) : null;
      if (info !== null) yield info;
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
    return { kind: 'file', filepath: key };
  }

  async check(): Promise<void> {
    this.reach();
  }

  private infoOf(key: string): ObjectInfo | null {
    const kept = this.objects.get(key);
    if (kept === undefined) return null;
    const etag = createHash('md5').update(kept.body).digest('hex');
    return { key, sizeBytes: kept.body.length, etag, lastModifiedMs: kept.lastModifiedMs };
  }

  private reach(): void {
    if (this.away) {
      throw new TallyError('STORAGE_UNAVAILABLE', 'the storage does not answer; try again in a moment');
    }
  }
}
