import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import type { ObjectInfo, ObjectStorage } from '../../src/storage/object-storage.port.js';

export interface StorageUnderTest {
  readonly storage: ObjectStorage;
  /** Keys of these tests begin with it, so that a shared bucket stays clean. */
  readonly space: string;
  stop(): Promise<void>;
}

async function hashOf(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** What every object storage must do; run on each adapter, and on a real bucket where one is given. */
export function objectStorageBattery(name: string, start: () => Promise<StorageUnderTest>): void {
  describe(name, () => {
    let under: StorageUnderTest;
    let storage: ObjectStorage;
    const key = (rest: string): string => `${under.space}/${rest}`;
    const put = (rest: string, body: string): Promise<void> =>
      storage.put(key(rest), Buffer.from(body), 'application/json');
    const listed = async (prefix: string): Promise<ObjectInfo[]> => {
      const all: ObjectInfo[] = [];
      for await (const info of storage.list(key(prefix))) all.push(info);
      return all;
    };
    const keysOf = async (prefix: string): Promise<string[]> => (await listed(prefix)).map((i) => i.key);

    beforeAll(async () => {
      under = await start();
      storage = under.storage;
    });
    afterAll(async () => {
      const left = await keysOf('');
      await storage.deleteMany(left);
      await under.stop();
    });

    it('gives back what was put, byte for byte', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (bytes) => {
          await storage.put(key('bytes.bin'), Buffer.from(bytes), 'application/octet-stream');
          expect(await storage.get(key('bytes.bin'))).toEqual(Buffer.from(bytes));
        }),
        { numRuns: 20 },
      );
    });

    it.each([0, 1, 5_000_000, 40_000_000])('writes a stream of %i bytes as it comes', async (length) => {
      const chunk = Buffer.alloc(64 * 1024, 'tallylight ');
      function* made(): Iterable<Buffer> {
        for (let at = 0; at < length; at += chunk.length)
          yield chunk.subarray(0, Math.min(chunk.length, length - at));
      }
      const written = await storage.write(
        key('streamed.mp4'),
        Readable.from(made(), { objectMode: false }),
        'video/mp4',
      );
      const head = await storage.head(key('streamed.mp4'));
      expect([written, head?.sizeBytes]).toEqual([length, length]);
      const opened = await storage.open(key('streamed.mp4'));
      const back = await hashOf(opened!.stream);
      expect(back).toBe(await hashOf(Readable.from(made())));
    });

    it.each([1_000, 20_000_000])('leaves nothing of a stream that fails after %i bytes', async (length) => {
      await put('torn.mp4', 'what was there');
      function* torn(): Iterable<Buffer> {
        for (let at = 0; at < length; at += 1_000_000) yield Buffer.alloc(Math.min(1_000_000, length));
        throw new Error('the source broke off');
      }
      const body = Readable.from(torn(), { objectMode: false });
      await expect(storage.write(key('torn.mp4'), body, 'video/mp4')).rejects.toThrow();
      expect(String(await storage.get(key('torn.mp4')))).toBe('what was there');
      expect(await keysOf('torn')).toEqual([key('torn.mp4')]);
    });

    it('says null of what is not there', async () => {
      expect(await storage.get(key('nowhere/a.json'))).toBeNull();
      expect(await storage.head(key('nowhere/a.json'))).toBeNull();
      expect(await storage.open(key('nowhere/a.json'))).toBeNull();
      expect(await storage.open(key('nowhere/a.json'), { first: 0, last: 3 })).toBeNull();
      await put('folder/a.json', '{}');
      expect(await storage.head(key('folder'))).toBeNull();
      expect(await storage.get(key('folder'))).toBeNull();
      expect(await storage.get(key('folder/a.json/below'))).toBeNull();
    });

    it('describes an object alike by head, open and list', async () => {
      await put('described/one.json', '0123456789');
      const head = await storage.head(key('described/one.json'));
      expect(head).toMatchObject({ key: key('described/one.json'), sizeBytes: 10 });
      expect(head?.etag).toMatch(/^[^"]+$/);
      expect(head?.lastModifiedMs).toBeGreaterThan(Date.UTC(2020, 0));
      const opened = await storage.open(key('described/one.json'));
      opened?.stream.destroy();
      const [seen] = await listed('described/');
      const second = (ms = 0): number => Math.floor(ms / 1000);
      for (const other of [opened?.info, seen]) {
        expect(other).toMatchObject({ key: head?.key, sizeBytes: 10, etag: head?.etag });
        expect(second(other?.lastModifiedMs)).toBe(second(head?.lastModifiedMs));
      }
    });

    it('changes the etag with the content', async () => {
      await put('etag.json', 'aaaa');
      const before = await storage.head(key('etag.json'));
      await put('etag.json', 'bbbb');
      const after = await storage.head(key('etag.json'));
      expect(after?.etag).not.toBe(before?.etag);
      expect(await storage.get(key('etag.json'))).toEqual(Buffer.from('bbbb'));
    });

    it('streams an object or any span of it', async () => {
      const body = 'the quick brown fox jumps over the lazy dog';
      await put('span.txt', body);
      const whole = await storage.open(key('span.txt'));
      expect(whole && (await text(whole.stream))).toBe(body);
      await fc.assert(
        fc.asyncProperty(fc.nat(body.length - 1), fc.nat(100), async (first, length) => {
          const opened = await storage.open(key('span.txt'), { first, last: first + length });
          expect(opened?.info.sizeBytes).toBe(body.length);
          expect(opened && (await text(opened.stream))).toBe(body.slice(first, first + length + 1));
        }),
        { numRuns: 25 },
      );
    });

    it('streams an empty object', async () => {
      await put('empty', '');
      const opened = await storage.open(key('empty'));
      expect(opened?.info.sizeBytes).toBe(0);
      expect(opened && (await text(opened.stream))).toBe('');
      expect(await storage.get(key('empty'))).toEqual(Buffer.alloc(0));
    });

    it('has no span beyond the end', async () => {
      await put('short.txt', 'short');
      await expect(storage.open(key('short.txt'), { first: 5, last: 9 })).rejects.toMatchObject({
        code: 'RANGE_NOT_SATISFIABLE',
      });
    });

    it('lists in the order of keys, also where a name is the beginning of a folder', async () => {
      const names = ['a.json', 'a/b', 'a/b.json', 'a/b0/c', 'a-b', 'a0', 'A/z', '.meta/a/x', 'b'];
      for (const name of names) await put(`order/${name}`, name);
      expect(await keysOf('order/')).toEqual(names.map((n) => key(`order/${n}`)).sort());
    });

    it('lists exactly the keys that begin with the prefix', async () => {
      for (const name of ['pre/ab/1', 'pre/ab/2', 'pre/abc/1', 'pre/abc.json', 'pre/b']) await put(name, '');
      expect(await keysOf('pre/ab/')).toEqual([key('pre/ab/1'), key('pre/ab/2')]);
      expect(await keysOf('pre/ab')).toEqual(
        ['pre/ab/1', 'pre/ab/2', 'pre/abc.json', 'pre/abc/1'].map((k) => key(k)).sort(),
      );
      expect(await keysOf('pre/ab/1')).toEqual([key('pre/ab/1')]);
      expect(await keysOf('pre/none/')).toEqual([]);
      expect(await keysOf('../')).toEqual([]);
    });

    it('lists what stands after a key alone, whether that key is there or not', async () => {
      const names = ['a.json', 'a/b', 'a/c/d', 'a/c/e', 'b', 'c'];
      for (const name of names) await put(`after/${name}`, name);
      const after = async (prefix: string, from: string): Promise<string[]> => {
        const all: string[] = [];
        for await (const info of storage.list(key(prefix), key(from))) all.push(info.key);
        return all;
      };
      const shown = (...from: string[]): string[] => from.map((name) => key(`after/${name}`));
      expect(await after('after/', 'after/a/c/d')).toEqual(shown('a/c/e', 'b', 'c'));
      expect(await after('after/', 'after/a/bb')).toEqual(shown('a/c/d', 'a/c/e', 'b', 'c'));
      expect(await after('after/a/', 'after/a/b')).toEqual(shown('a/c/d', 'a/c/e'));
      expect(await after('after/', 'after/c')).toEqual([]);
    });

    it('lists and deletes more than a page of objects', async () => {
      const names = Array.from({ length: 1_203 }, (_, n) => `many/${String(n).padStart(5, '0')}`);
      for (let i = 0; i < names.length; i += 50) {
        await Promise.all(names.slice(i, i + 50).map((name) => put(name, 'x')));
      }
      expect(await keysOf('many/')).toEqual(names.map((name) => key(name)));
      const results = await storage.deleteMany(names.map((name) => key(name)));
      expect(results.size).toBe(names.length);
      expect([...results.values()].every((result) => result.deleted)).toBe(true);
      expect(await keysOf('many/')).toEqual([]);
    });

    it('deletes what is there, and counts what was not there as deleted', async () => {
      await put('gone/a', 'a');
      const results = await storage.deleteMany([
        key('gone/a'),
        key('gone/b'),
        key('gone/a'),
        key('no/where'),
      ]);
      expect(results).toEqual(
        new Map([key('gone/a'), key('gone/b'), key('no/where')].map((k) => [k, { deleted: true }])),
      );
      expect(await storage.head(key('gone/a'))).toBeNull();
      expect(await storage.deleteMany([])).toEqual(new Map());
    });

    it('shows each of many simultaneous writers whole', async () => {
      const bodies = Array.from({ length: 20 }, (_, n) => String.fromCharCode(97 + n).repeat(20_000));
      await Promise.all(bodies.map((body) => put('race/same.json', body)));
      const survivor = String(await storage.get(key('race/same.json')));
      expect(bodies).toContain(survivor);
      expect(await keysOf('race/')).toEqual([key('race/same.json')]);
    });

    it.each(['', '/etc/passwd', '../outside', 'a/../../outside', 'a//b', 'a/', '.tmp/x'])(
      'refuses the key %j',
      async (bad) => {
        await expect(storage.put(bad, Buffer.from('x'), 'text/plain')).rejects.toThrow('no object key');
        await expect(storage.get(bad)).rejects.toThrow('no object key');
        await expect(storage.head(bad)).rejects.toThrow('no object key');
        await expect(storage.open(bad)).rejects.toThrow('no object key');
        await expect(storage.deleteMany([bad])).rejects.toThrow('no object key');
        expect(() => storage.egressOutput(bad)).toThrow('no object key');
      },
    );

    it('answers that it can be used', async () => {
      await expect(storage.check()).resolves.toBeUndefined();
    });
  });
}
