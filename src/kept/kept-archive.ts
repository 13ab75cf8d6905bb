import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { TallyError } from '../kernel/errors.js';
import { ACCESS_PREFIX, accessKey } from '../storage/object-keys.js';
import { ObjectStorage } from '../storage/object-storage.port.js';
import { type Collection, COLLECTIONS, type Kept } from './kept.store.js';

export type ArchivedKept =
  { readonly collection: Collection; readonly kept: Kept<unknown> } | { readonly fault: string };

const archived = z.object({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  rev: z.string().min(1),
  handles: z.array(z.string()),
  doc: z.record(z.string(), z.unknown()),
});

/** The durable copies under `access/` in the bucket. Throws STORAGE_UNAVAILABLE where it can't be asked. */
@Injectable()
export class KeptArchive {
  constructor(private readonly storage: ObjectStorage) {}

  async write(collection: Collection, kept: Kept<unknown>): Promise<void> {
    const body = Buffer.from(JSON.stringify(kept, null, 2));
    await this.storage.put(accessKey(collection, kept.id), body, 'application/json');
  }

  async remove(collection: Collection, id: string): Promise<void> {
    const key = accessKey(collection, id);
    const result = (await this.storage.deleteMany([key])).get(key);
    if (result?.deleted === true) return;
    throw new TallyError('STORAGE_UNAVAILABLE', `the storage did not delete ${key}; try again in a moment`, {
      cause: result,
    });
  }
}

/** What an object under `access/` holds, or why it can't be understood. */
export function parseArchivedKept(key: string, body: Buffer): ArchivedKept {
  const [folder = ''] = key.slice(ACCESS_PREFIX.length).split('/');
  const collection = COLLECTIONS.find((one) => one === folder);
  if (collection === undefined) return { fault: 'its folder is none of ours' };
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch (error) {
    return { fault: `it is no JSON: ${String(error)}` };
  }
  const parsed = archived.safeParse(json);
  if (!parsed.success) return { fault: z.prettifyError(parsed.error) };
  if (accessKey(collection, parsed.data.id) !== key)
    return { fault: 'it holds another document than it is called' };
  return { collection, kept: parsed.data };
}
