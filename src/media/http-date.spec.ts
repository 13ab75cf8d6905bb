import * as fc from 'fast-check';
import { parseHttpDate, toHttpDate } from './http-date.js';

describe('an HTTP-date', () => {
  const at = Date.UTC(1994, 10, 6, 8, 49, 37);

  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'is read as %s',
    (text) => {
      expect(parseHttpDate(text)).toBe(at);
    },
  );

  it.each([
    '',
    'yesterday',
    '1994-11-06T08:49:37Z',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 06 Nop 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:49:37 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 CET',
    'Sun, 06 Nov 1994 08:49:37',
    '"Sun, 06 Nov 1994 08:49:37 GMT"',
  ])('is not read from %j', (text) => {
    expect(parseHttpDate(text)).toBeNull();
  });

  it('is written so that it is read as the same second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 0) / 1000 }), (seconds) => {
        expect(parseHttpDate(toHttpDate(seconds * 1000))).toBe(seconds * 1000);
      }),
    );
  });
});
