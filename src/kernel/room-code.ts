import { createHash } from 'node:crypto';
import { parseRoomId, type RoomId } from './ids.js';

/** With an extension behind it, a part of a path has at most 200 bytes. */
const LONGEST = 195;
const HASHED = /^==[A-Za-z0-9_-]{43}$/;
const ESCAPED = /^(?!\.)(?:[A-Za-z0-9._-]|=[0-9A-F]{2})+$/;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * A room's name as one part of a path or a key: of `A-Z a-z 0-9 . _ - =` alone, never beginning with a dot, at most 195 bytes,
 * and unlike every other room's. A name of plain characters stays as it is. Every other byte, and a dot at the beginning, is
 * `=` and two upper-case hexadecimal digits; a name too long for that is `==` and its SHA-256 in base64url.
 */
export function encodeRoomId(id: RoomId): string {
  let code = '';
  for (const byte of ENCODER.encode(id)) {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_-]/.test(character) || (character === '.' && code !== '');
    code += plain ? character : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return code.length <= LONGEST ? code : `==${createHash('sha256').update(id).digest('base64url')}`;
}

/** The room of which `code` is the encoding. `hashed`: only who knows the name can tell; null: of none. */
export function decodeRoomId(code: string): RoomId | 'hashed' | null {
  if (HASHED.test(code)) return 'hashed';
  if (!ESCAPED.test(code)) return null;
  const bytes = [...code.matchAll(/=([0-9A-F]{2})|(.)/g)].map(([, hex, plain]) =>
    hex === undefined ? (plain ?? '').charCodeAt(0) : Number.parseInt(hex, 16),
  );
  // What is no UTF-8 is decoded to something else, of which this is not the encoding.
  const id = parseRoomId(DECODER.decode(Uint8Array.from(bytes)));
  return id !== null && encodeRoomId(id) === code ? id : null;
}

/** The order of rooms in every list: by the bytes of their names, which is Redis' order. */
export function compareRoomIds(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Halves of characters stand for what is above all others, though their numbers are not. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}
