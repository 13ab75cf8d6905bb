import { ObjectStorage } from './object-storage.port.js';

export interface ObjectRead {
  readonly key: string;
  /** Null: removed since it was listed. */
  readonly body: Buffer | null;
}

/** Reads objects in the order of the given keys, `atOnce` of them side by side: never more than so many are in memory. */
export async function* readAhead(
  storage: ObjectStorage,
  keys: AsyncIterable<string>,
  atOnce: number,
): AsyncGenerator<ObjectRead, void> {
  const ahead: Promise<ObjectRead>[] = [];
  for await (const key of keys) {
    const reading = storage.get(key).then((body) => ({ key, body }));
    // Thrown where it is awaited, which may be later than it fails.
    reading.catch(() => undefined);
    ahead.push(reading);
    const [first] = ahead;
    if (ahead.length < atOnce || first === undefined) continue;
    yield await first;
    ahead.shift();
  }
  for (const reading of ahead) yield await reading;
}
