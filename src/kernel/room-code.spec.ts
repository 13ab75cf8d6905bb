import * as fc from 'fast-check';
import { aRoomName, roomNames } from '../../test/support/room-names.js';
import { parseRoomId, type RoomId } from './ids.js';
import { compareRoomIds, decodeRoomId, encodeRoomId } from './room-code.js';

const encoded = (name: string): string => encodeRoomId(aRoomName(name));

describe('the id of a room', () => {
  it.each([
    ['Weekly Standup'],
    ['!abc:matrix.example.org'],
    ['team/standup'],
    ['équipe-été'],
    ['O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc'],
    ['.'],
    ['..'],
    ['.metadata'],
    ['{room_name}'],
    ['a\\b'],
    ['100%'],
    [' '],
    ['x'.repeat(256)],
    ['😀'.repeat(64)],
  ])('may be whatever LiveKit takes: %j', (name) => {
    expect(parseRoomId(name)).toBe(name);
  });

  it.each([
    [''],
    ['x'.repeat(257)],
    ['é'.repeat(129)],
    ['😀'.repeat(65)],
    ['a\nb'],
    ['a\0'],
    ['a\u007f'],
    ['a\u0085'],
    ['a\ud800'],
    ['\udc00a'],
  ])('is never too long, and has no control character and no half of a character: %j', (name) => {
    expect(parseRoomId(name)).toBeNull();
  });
});

describe('the encoding of a room in a key', () => {
  it.each([
    ['standup-7', 'standup-7'],
    ['A.b_c-d..e', 'A.b_c-d..e'],
    ['x'.repeat(128), 'x'.repeat(128)],
    ['.', '=2E'],
    ['..', '=2E.'],
    ['.metadata', '=2Emetadata'],
    ['.room_metadata', '=2Eroom_metadata'],
    ['.tmp', '=2Etmp'],
    ['Weekly Standup', 'Weekly=20Standup'],
    ['team/standup', 'team=2Fstandup'],
    ['../../etc', '=2E.=2F..=2Fetc'],
    ['a\\b', 'a=5Cb'],
    ['{room_name}-{time}', '=7Broom_name=7D-=7Btime=7D'],
    ['100%', '100=25'],
    ['a=b', 'a=3Db'],
    ['é', '=C3=A9'],
  ])('of %j is %s', (name, code) => {
    expect(encoded(name)).toBe(code);
    expect(decodeRoomId(code)).toBe(name);
  });

  it('of a long name is a digest, which says nothing of the name', () => {
    const code = encoded('😀'.repeat(64));
    expect(code).toMatch(/^==[A-Za-z0-9_-]{43}$/);
    expect(decodeRoomId(code)).toBe('hashed');
  });

  it('is one safe, short part of a path, and leads back', () => {
    fc.assert(
      fc.property(roomNames, (id) => {
        const code = encodeRoomId(id);
        expect(code).toMatch(/^[A-Za-z0-9_=-][A-Za-z0-9._=-]*$/);
        expect(code.length).toBeLessThanOrEqual(195);
        expect([id, 'hashed']).toContain(decodeRoomId(code));
      }),
    );
  });

  it("is no other room's", () => {
    const close = fc.tuple(roomNames, fc.constantFrom('', '.', '=', '=2E', '/', ' ', '=='), fc.boolean());
    fc.assert(
      fc.property(roomNames, close, (a, [base, added, before]) => {
        const b = parseRoomId(before ? added + base : base + added);
        fc.pre(b !== null && a !== b && base !== b);
        expect(encodeRoomId(a)).not.toBe(encodeRoomId(b!));
        expect(encodeRoomId(base)).not.toBe(encodeRoomId(b!));
      }),
    );
  });

  it.each([
    '',
    '.',
    '..',
    '.a',
    'a=2',
    'a=2e',
    'a=41',
    'a=FF',
    '=',
    '==',
    '==short',
    'a b',
    'é',
    'a/b',
    'a=0A',
  ])('is never %j', (code) => {
    expect(decodeRoomId(code)).toBeNull();
  });
});

describe('the order of rooms', () => {
  it('is that of their bytes', () => {
    fc.assert(
      fc.property(roomNames, roomNames, (a, b) => {
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareRoomIds(a, b))).toBe(bytes);
      }),
    );
    const ids = ['\uff5e', '😀', 'z', 'é'].map((name) => name as RoomId);
    expect(ids.toSorted(compareRoomIds)).toEqual(['z', 'é', '\uff5e', '😀']);
  });
});
