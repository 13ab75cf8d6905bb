import type { ByteSpan } from '../storage/object-storage.port.js';

export type RangeAnswer =
  { readonly kind: 'whole' } | { readonly kind: 'part'; readonly span: ByteSpan } | { readonly kind: 'none' };

const WHOLE: RangeAnswer = { kind: 'whole' };
const NONE: RangeAnswer = { kind: 'none' };

/**
 * What a Range header (RFC 9110, section 14) asks of `sizeBytes` bytes. Several ranges and what is no byte range are
 * answered as the whole; `none` is 416.
 */
export function parseByteRange(header: string | undefined, sizeBytes: number): RangeAnswer {
  const set = /^[ \t]*bytes=(.*)$/is.exec(header ?? '')?.[1];
  const ranges = (set ?? '')
    .split(',')
    .map((range) => range.trim())
    .filter((range) => range !== '');
  const match = ranges.length === 1 ? /^(\d*)-(\d*)$/.exec(ranges[0] ?? '') : null;
  if (!match) return WHOLE;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? WHOLE : suffix(BigInt(last), sizeBytes);
  // Numbers of any length are well formed, so they are compared exactly.
  if (last !== '' && BigInt(last) < BigInt(first)) return WHOLE;
  if (BigInt(first) >= BigInt(sizeBytes)) return NONE;
  return part(Number(first), last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1));
}

function suffix(length: bigint, sizeBytes: number): RangeAnswer {
  if (length === 0n) return NONE;
  // The end of nothing is all of it, and no Content-Range can say so.
  if (sizeBytes === 0) return WHOLE;
  const wanted = length > BigInt(sizeBytes) ? sizeBytes : Number(length);
  return part(sizeBytes - wanted, sizeBytes - 1);
}

function part(first: number, last: number): RangeAnswer {
  return { kind: 'part', span: { first, last } };
}
