import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { TallyError } from '../../kernel/errors.js';
import { RESTORE_GENERATIONS_KEY } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';

const kept = z.object({ format: z.literal(1), last: z.int().nonnegative() });

/** Numbers every time that recordings come back from the bucket, in the bucket itself: what they leap by is never the same twice. */
@Injectable()
export class RestoreGeneration {
  constructor(private readonly storage: ObjectStorage) {}

  /** The next number, not yet taken. Throws STORAGE_UNAVAILABLE. */
  async next(): Promise<number> {
    const body = await this.storage.get(RESTORE_GENERATIONS_KEY);
    if (body === null) return 1;
    const parsed = kept.safeParse(jsonOf(body));
    if (parsed.success) return parsed.data.last + 1;
    throw new TallyError(
      'STORAGE_UNAVAILABLE',
      `the object ${RESTORE_GENERATIONS_KEY} is damaged; put {"format":1,"last":<a number above any before>} there`,
      { cause: parsed.error },
    );
  }

  /** Durable when it answers, and then the number may be used. */
  async take(number: number): Promise<void> {
    const body = JSON.stringify({ format: 1, last: number });
    await this.storage.put(RESTORE_GENERATIONS_KEY, Buffer.from(body), 'application/json');
  }
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    return cause;
  }
}
