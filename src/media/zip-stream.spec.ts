import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { eventually } from '../../test/support/eventually.js';
import { readZip } from '../../test/support/zip-reader.js';
import { centralHeader, localHeader, zipLength } from './zip-format.js';
import { zipStream } from './zip-stream.js';

const never = new AbortController().signal;
const entry = (name: string, sizeBytes: number, modifiedAtMs = 0) => ({ name, sizeBytes, modifiedAtMs });

describe('a ZIP made while it is read', () => {
  it('holds each entry as it was, and is as long as was said before', async () => {
    const content = fc.record({
      content: fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 5 }),
      at: fc.integer({ min: Date.UTC(1980, 0, 2), max: Date.UTC(2037, 0) }),
      name: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(content, { maxLength: 6 }), async (files) => {
        const entries = files.map(({ content: pieces, at, name }, n) => ({
          ...entry(`${n}/${name}`, Buffer.concat(pieces).length, at),
          pieces,
        }));
        const zip = await buffer(
          zipStream(entries, async ({ pieces }) => Readable.from(pieces.map((p) => Buffer.from(p))), never),
        );
        expect(zip.length).toBe(zipLength(entries));
        expect(readZip(zip)).toEqual(
          entries.map(({ name, pieces, modifiedAtMs }) => ({
            name,
            content: Buffer.concat(pieces),
            modifiedAtMs: Math.floor(modifiedAtMs / 1000) * 1000,
          })),
        );
      }),
    );
  });

  it('can hold more than four gigabytes before and in an entry', () => {
    const large = entry('large.mp4', 6e9);
    expect(localHeader(large).readBigUInt64LE(30 + 9 + 4)).toBe(6_000_000_000n);
    const central = centralHeader({ ...large, crc: 1, offset: 7e9 });
    expect([0, 8, 16].map((at) => central.readBigUInt64LE(46 + 9 + 4 + at))).toEqual([
      6_000_000_000n,
      6_000_000_000n,
      7_000_000_000n,
    ]);
    expect(zipLength([large, large])).toBeGreaterThan(12e9);
  });

  it('has one source open at a time, read no faster than the archive', async () => {
    let open = 0;
    let most = 0;
    let made = 0;
    const source = async (): Promise<Readable> => {
      most = Math.max(most, (open += 1));
      const bytes = function* () {
        for (let n = 0; n < 100; n += 1) {
          made += 65_536;
          yield Buffer.alloc(65_536);
        }
      };
      return Readable.from(bytes(), { objectMode: false }).once('close', () => (open -= 1));
    };
    const entries = Array.from({ length: 3 }, (_, n) => entry(`${n}`, 6_553_600));
    const zip = zipStream(entries, source, never);
    let taken = 0;
    for await (const chunk of zip) {
      taken += chunk.length;
      expect(made - taken).toBeLessThan(1_000_000);
    }
    expect(most).toBe(1);
    await eventually(() => open === 0 || `${open} sources are still open`);
  });

  it.each([
    ['breaks off', () => Readable.from(breaksOff()), 'a broke off after 5 of 10 bytes: the disk is gone'],
    ['is too short', () => Readable.from([Buffer.alloc(9)]), 'is not 10 bytes long'],
    ['is too long', () => Readable.from([Buffer.alloc(11)]), 'is not 10 bytes long'],
  ])('fails when a source %s, and never looks whole', async (_name, open, message) => {
    const zip = zipStream([entry('a', 10), entry('b', 10)], async () => open(), never);
    const taken: Buffer[] = [];
    const reading = (async () => {
      for await (const chunk of zip) taken.push(chunk);
    })();
    await expect(reading).rejects.toThrow(message);
    expect(() => readZip(Buffer.concat(taken))).toThrow(/and not|out of range|out of bounds/);
  });

  it('fails when a source is not there any more', async () => {
    const zip = zipStream([entry('a', 1)], async () => Promise.reject(new Error('it is gone')), never);
    await expect(buffer(zip)).rejects.toThrow('it is gone');
  });

  it('frees a source that is silent as soon as the signal comes', async () => {
    const gone = new AbortController();
    const silent = new Readable({ read: () => undefined });
    const zip = zipStream([entry('a', 1)], async () => silent, gone.signal);
    const outcome = buffer(zip).catch((error: Error) => error.name);
    await eventually(() => silent.listenerCount('readable') > 0 || 'the source is not being read yet');
    gone.abort();
    expect(await outcome).toBe('AbortError');
    expect(silent.destroyed).toBe(true);
  });

  it('frees a source that came too late', async () => {
    const gone = new AbortController();
    const late = new Readable({ read: () => undefined });
    let give: ((source: Readable) => void) | null = null;
    const open = (): Promise<Readable> => new Promise((resolve) => (give = resolve));
    const outcome = buffer(zipStream([entry('a', 1)], open, gone.signal)).catch((e: Error) => e.name);
    await eventually(() => give !== null || 'the source is not asked for yet');
    gone.abort();
    (give as ((source: Readable) => void) | null)?.(late);
    expect(await outcome).toBe('AbortError');
    expect(late.destroyed).toBe(true);
  });
});

function* breaksOff(): Generator<Buffer> {
  yield Buffer.alloc(5);
  throw new Error('the disk is gone');
}
