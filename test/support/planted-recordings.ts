import type { Redis } from 'ioredis';
import { SystemClock } from '../../src/kernel/clock.js';
import { newRecordingId } from '../../src/kernel/ids.js';
import { SystemRandom } from '../../src/kernel/random.js';
import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import { MissingRowsQueue } from '../../src/recordings/store/missing-rows-queue.js';
import { RedisRecordingPages } from '../../src/recordings/store/redis-recording-pages.js';
import { RedisRecordingStore } from '../../src/recordings/store/redis-recording.store.js';
import { RecordingWriter } from '../../src/recordings/write/recording.writer.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { mediaKey, metadataKey } from '../../src/storage/object-keys.js';
import { aConfig } from './a-config.js';
import { aRecording, aRoomId } from './builders.js';
import { NoDispatch } from './no-dispatch.js';

const AT_ONCE = 50;

export interface Planter {
  /** A recording that is over, in Redis as the product stores it; `fields` are laid over it. */
  plant(fields?: Partial<StoredRecording>): Promise<StoredRecording>;
  close(): void;
}

/** Writes recordings into a Redis that a product has made whole. */
export function openPlanter(redisUrl: string): Planter {
  const connections = new RedisConnections(aConfig({ REDIS_URL: redisUrl }));
  const store = new RedisRecordingStore(
    connections,
    new RedisRecordingPages(connections, new MissingRowsQueue(new SystemClock())),
    new SystemClock(),
  );
  const clock = new SystemClock();
  const writer = new RecordingWriter(store, new NoDispatch(), clock, new SystemRandom());
  const plant = async (fields: Partial<StoredRecording> = {}): Promise<StoredRecording> => {
    const requestedAt = fields.requestedAt ?? clock.now();
    const recording = aRecording({
      id: newRecordingId(requestedAt),
      roomId: aRoomId(),
      status: 'COMPLETE',
      requestedAt,
      updatedAt: requestedAt,
      endedAt: requestedAt,
      hasMedia: true,
      sizeBytes: 5,
      ...fields,
    });
    const over = {
      ...recording,
      upkeep: { ...recording.upkeep, holdsSlot: false, startAnswer: 'accepted' as const },
    };
    const result = await writer.create(over, [], 'test');
    if (result.kind !== 'done') throw new Error(result.kind);
    return over;
  };
  return { plant, close: () => connections.onApplicationShutdown() };
}

/** Many of them; their objects are planted by `plant`, keyed as in the bucket. */
export async function plantRecordings(
  redisUrl: string,
  count: number,
  plant: (key: string, body: Buffer) => void | Promise<void>,
  fields: Partial<StoredRecording> | ((i: number) => Partial<StoredRecording>) = {},
): Promise<StoredRecording[]> {
  const planter = openPlanter(redisUrl);
  const now = new SystemClock().now();
  const plantOne = async (i: number): Promise<StoredRecording> => {
    const more = typeof fields === 'function' ? fields(i) : fields;
    const over = await planter.plant({ requestedAt: now - 600_000 + i, ...more });
    await plant(mediaKey(over), Buffer.from('media'));
    await plant(metadataKey(over), Buffer.from('{}'));
    return over;
  };
  const planted: StoredRecording[] = [];
  for (let from = 0; from < count; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, k) => plantOne(from + k));
    planted.push(...(await Promise.all(some)));
  }
  planter.close();
  return planted;
}

/** Every key of the product's that holds this text, in its name or in what it holds; the queue's and the log's own apart. */
export async function keysNaming(redis: Redis, text: string): Promise<string[]> {
  const all = await redis.keys('{tl}:*');
  return all.filter((key) => key.includes(text) && !key.startsWith('{tl}:queue'));
}
