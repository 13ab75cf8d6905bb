import type { RecordingId } from '../kernel/ids.js';

const METADATA = 1;
const MEDIA = 2;
const SEGMENTS = 4;
const FLAGS = { metadata: METADATA, media: MEDIA, segments: SEGMENTS } as const;
export type SeenKind = keyof typeof FLAGS;
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const FIRST_SIZE = 1 << 12;

/**
 * Which recordings have objects in the bucket, in a few bytes each: the last sixty bits of an id stand for it.
 * "Seen" may be wrong once in a million years, "not seen" never is.
 */
export class ObjectsSeen {
  /** Objects of deleted recordings. */
  leftovers = 0;
  private high = new Uint32Array(FIRST_SIZE);
  private low = new Uint32Array(FIRST_SIZE);
  private flags = new Uint8Array(FIRST_SIZE);
  private count = 0;

  add(id: RecordingId, what: SeenKind): void {
    if (this.count * 2 >= this.flags.length) this.grow();
    this.put(bitsOf(id, -12, -6), bitsOf(id, -6), FLAGS[what]);
  }

  has(id: RecordingId, what: SeenKind): boolean {
    const place = this.placeOf(bitsOf(id, -12, -6), bitsOf(id, -6));
    return ((this.flags[place] ?? 0) & FLAGS[what]) !== 0;
  }

  private put(high: number, low: number, flags: number): void {
    const place = this.placeOf(high, low);
    if (this.flags[place] === 0) this.count += 1;
    this.high[place] = high;
    this.low[place] = low;
    this.flags[place] = (this.flags[place] ?? 0) | flags;
  }

  /** Where it is, or would be. */
  private placeOf(high: number, low: number): number {
    const mask = this.flags.length - 1;
    let place = (Math.imul(high, 0x9e3779b1) ^ Math.imul(low, 0x85ebca6b)) & mask;
    while (this.flags[place] !== 0 && (this.high[place] !== high || this.low[place] !== low))
      place = (place + 1) & mask;
    return place;
  }

  private grow(): void {
    const { high, low, flags } = this;
    const size = flags.length * 2;
    this.high = new Uint32Array(size);
    this.low = new Uint32Array(size);
    this.flags = new Uint8Array(size);
    this.count = 0;
    flags.forEach((flag, i) => {
      if (flag !== 0) this.put(high[i] ?? 0, low[i] ?? 0, flag);
    });
  }
}

function bitsOf(id: RecordingId, from: number, to?: number): number {
  let bits = 0;
  for (const letter of id.slice(from, to)) bits = bits * 32 + ALPHABET.indexOf(letter);
  return bits;
}
