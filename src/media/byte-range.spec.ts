import * as fc from 'fast-check';
import { parseByteRange } from './byte-range.js';

const part = (first: number, last: number) => ({ kind: 'part', span: { first, last } });
const whole = { kind: 'whole' };
const none = { kind: 'none' };
const sizes = fc.integer({ min: 1, max: 2 ** 40 });

describe('a Range header', () => {
  it.each([
    ['bytes=0-0', part(0, 0)],
    ['bytes=0-9', part(0, 9)],
    ['bytes=0-', part(0, 9)],
    ['bytes=9-', part(9, 9)],
    ['bytes=3-5', part(3, 5)],
    ['bytes=3-1000', part(3, 9)],
    ['bytes=3-99999999999999999999999999', part(3, 9)],
    ['bytes=-3', part(7, 9)],
    ['bytes=-10', part(0, 9)],
    ['bytes=-11', part(0, 9)],
    ['bytes=-99999999999999999999999999', part(0, 9)],
    ['BYTES=1-2', part(1, 2)],
    ['bytes= 1-2 ', part(1, 2)],
    ['bytes=1-2,', part(1, 2)],
    ['bytes=,1-2', part(1, 2)],
  ])('%s of ten bytes is a part', (header, expected) => {
    expect(parseByteRange(header, 10)).toEqual(expected);
  });

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=,',
    'bytes=a-b',
    'bytes=1',
    'bytes=1-2-3',
    'bytes=5-2',
    'bytes=99-98',
    'bytes=99999999999999999999999999-99999999999999999999999998',
    'bytes=+1-2',
    'bytes=1.5-2',
    'bytes=0x1-2',
    'bytes=1 - 2',
    'bytes=0-1,3-4',
    'bytes=0-1,90-91',
    'bytes=90-91,92-',
    'items=0-5',
    'seconds=1-2',
    'xbytes=0-1',
    '0-5',
  ])('%s is answered as the whole', (header) => {
    expect(parseByteRange(header, 10)).toEqual(whole);
  });

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=99999999999999999999999999-', 'bytes=-0', 'bytes=-000'])(
    '%s of ten bytes can not be satisfied',
    (header) => {
      expect(parseByteRange(header, 10)).toEqual(none);
    },
  );

  it('finds no first byte in nothing, and its end to be all of it', () => {
    expect(parseByteRange('bytes=0-', 0)).toEqual(none);
    expect(parseByteRange('bytes=0-0', 0)).toEqual(none);
    expect(parseByteRange('bytes=-5', 0)).toEqual(whole);
    expect(parseByteRange('bytes=-0', 0)).toEqual(none);
  });

  it('names what it says for every range within the bytes', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, a, b) => {
        const [first, last] = [a % size, b % size].sort((x, y) => x - y) as [number, number];
        expect(parseByteRange(`bytes=${first}-${last}`, size)).toEqual(part(first, last));
        expect(parseByteRange(`bytes=${first}-`, size)).toEqual(part(first, size - 1));
        expect(parseByteRange(`bytes=-${size - first}`, size)).toEqual(part(first, size - 1));
      }),
    );
  });

  it('is never answered with a span outside of the bytes, whatever it is', () => {
    const likely = fc.stringMatching(/^bytes=[0-9 ,-]{0,12}$/);
    fc.assert(
      fc.property(fc.oneof(likely, fc.string()), fc.nat(2_000), (header, size) => {
        const answer = parseByteRange(header, size);
        if (answer.kind !== 'part') return;
        expect(answer.span.first).toBeGreaterThanOrEqual(0);
        expect(answer.span.last).toBeGreaterThanOrEqual(answer.span.first);
        expect(answer.span.last).toBeLessThan(size);
      }),
      { numRuns: 2_000 },
    );
  });
});
