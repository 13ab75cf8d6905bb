import { aRecording } from '../../test/support/builders.js';
import { MemoryObjectStorage } from '../../test/support/memory-object-storage.js';
import { artifactsOf } from './object-keys.js';
import type { DeleteResult } from './object-storage.port.js';
import { RecordingObjects } from './recording-objects.js';

/** Answers nothing, ever. */
class SilentStorage extends MemoryObjectStorage {
  override deleteMany(): Promise<Map<string, DeleteResult>> {
    return new Promise(() => undefined);
  }
}

class Storage extends MemoryObjectStorage {
  readonly refused = new Set<string>();
  asked = 0;

  override deleteMany(keys: readonly string[]): Promise<Map<string, DeleteResult>> {
    this.asked += 1;
    const some = keys.filter((key) => !this.refused.has(key));
    return super.deleteMany(some).then((results) => {
      for (const key of keys)
        if (this.refused.has(key)) results.set(key, { deleted: false, code: 'AccessDenied', why: 'no' });
      return results;
    });
  }
}

describe('the removal of recordings from the storage', () => {
  const put = (storage: Storage, key: string) => storage.put(key, Buffer.from('x'), 'video/mp4');
  const left = async (storage: Storage): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of storage.list('')) keys.push(key);
    return keys;
  };
  const segmentOf = (prefixes: readonly string[], n: number) => `${prefixes[0]}segment-${n}.ts`;

  it('counts what is not answered for in time as not asked', async () => {
    const giveUp = new AbortController();
    const removal = new RecordingObjects(new SilentStorage()).remove(
      [artifactsOf(aRecording()), artifactsOf(aRecording())],
      giveUp.signal,
    );
    giveUp.abort();
    const left = { gone: false, why: expect.stringContaining('could not be asked') };
    expect(await removal).toEqual([left, left]);
  });

  it('takes the file in either container, every segment and the record, and nothing else', async () => {
    const storage = new Storage();
    const [a, b] = [artifactsOf(aRecording()), artifactsOf(aRecording())];
    for (const { media, prefixes, record } of [a, b])
      for (const key of [...media, segmentOf(prefixes, 1), segmentOf(prefixes, 2), record])
        await put(storage, key);
    expect(await new RecordingObjects(storage).remove([a])).toEqual([{ gone: true }]);
    expect((await left(storage)).toSorted()).toEqual(
      [...b.media, segmentOf(b.prefixes, 1), segmentOf(b.prefixes, 2), b.record].toSorted(),
    );
    expect(await new RecordingObjects(storage).remove([a])).toEqual([{ gone: true }]);
  });

  it('keeps the record of one whose media the storage refuses to delete, and tells of each', async () => {
    const storage = new Storage();
    const [refused, gone, half] = [
      artifactsOf(aRecording()),
      artifactsOf(aRecording()),
      artifactsOf(aRecording()),
    ];
    for (const { media, record } of [refused, gone, half])
      for (const key of [...media, record]) await put(storage, key);
    storage.refused.add(refused.media[0] ?? '').add(half.record);
    expect(await new RecordingObjects(storage).remove([refused, gone, half])).toEqual([
      { gone: false, why: 'no' },
      { gone: true },
      { gone: false, why: 'no' },
    ]);
    expect(await new RecordingObjects(storage).haveMedia([refused, gone, half])).toEqual([
      true,
      false,
      false,
    ]);
    expect((await left(storage)).toSorted()).toEqual(
      [refused.media[0], refused.record, half.record].toSorted(),
    );
  });

  it('asks a storage that is away once, and takes nothing for gone', async () => {
    const storage = new Storage();
    storage.away = true;
    const all = Array.from({ length: 50 }, () => artifactsOf(aRecording()));
    const removals = await new RecordingObjects(storage).remove(all);
    expect(removals.every((one) => !one.gone)).toBe(true);
    expect(storage.asked).toBe(1);
    expect(await new RecordingObjects(storage).haveMedia(all)).toEqual(all.map(() => null));
  });
});
