/** The sample tables of an MP4 that is written front to back, some bytes a sample, and the boxes around them (ISO/IEC 14496-12). */

import { box, fullBox, i64, u32, u64 } from './mp4-boxes.js';

/** Numbers of 32 bits, any many. */
class Column {
  private values = new Int32Array(1_024);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const more = new Int32Array(this.values.length * 2);
      more.set(this.values);
      this.values = more;
    }
    this.values[this.length] = value;
    this.length += 1;
  }

  at(i: number): number {
    return this.values[i] ?? 0;
  }
}

/** How one track is described, apart from its samples: the boxes that say what decodes it, and how it is shown. */
export interface TrackForm {
  /** Ticks a second. */
  readonly timescale: number;
  /** Whole boxes. */
  readonly hdlr: Buffer;
  readonly mediaHeader: Buffer;
  readonly dinf: Buffer;
  readonly stsd: Buffer;
  /** What stands after the duration: layers, volume, matrix, width and height. */
  readonly tkhdTail: Buffer;
  readonly mdhdTail: Buffer;
}

/** The samples of one track, in the order in which they are decoded. */
export class TrackTable {
  private readonly sizes = new Column();
  private readonly durations = new Column();
  private readonly offsets = new Column();
  private readonly keys = new Column();
  private readonly chunkSamples = new Column();
  private readonly chunks: number[] = [];
  private startsAt: number | null = null;
  private last: number | null = null;
  private isReordered = false;
  private everyIsKey = true;

  constructor(readonly form: TrackForm) {}

  /** Samples that follow each other in the file from `at` on; `dts` and `pts` in s. */
  addChunk(
    at: number,
    samples: readonly {
      readonly size: number;
      readonly dts: number;
      readonly pts: number;
      readonly isKey: boolean;
    }[],
  ): void {
    if (samples.length === 0) return;
    this.chunks.push(at);
    this.chunkSamples.push(samples.length);
    for (const { size, dts, pts, isKey } of samples) {
      const ticks = Math.round(dts * this.form.timescale);
      this.startsAt ??= ticks;
      if (this.last !== null) this.durations.push(Math.max(0, ticks - this.last));
      this.last = Math.max(ticks, this.last ?? ticks);
      const offset = Math.round(pts * this.form.timescale) - ticks;
      this.isReordered ||= offset !== 0;
      this.everyIsKey &&= isKey;
      this.offsets.push(offset);
      this.sizes.push(size);
      if (isKey) this.keys.push(this.sizes.length);
    }
  }

  /** The last sample lasts as long as the one before it. */
  private get lastDuration(): number {
    return this.durations.length === 0 ? 0 : this.durations.at(this.durations.length - 1);
  }

  /** In ticks, from the first sample on. */
  private get ticks(): number {
    return (this.last ?? 0) - (this.startsAt ?? 0) + this.lastDuration;
  }

  /** In s, from the beginning of the file. */
  get endsAt(): number {
    return ((this.last ?? 0) + this.lastDuration) / this.form.timescale;
  }

  /** `base` is where in the file the place 0 of the chunks is. */
  trak(id: number, movieTimescale: number, base: number): Buffer {
    const { form } = this;
    const delay = Math.round(((this.startsAt ?? 0) / form.timescale) * movieTimescale);
    const shown = Math.round((this.ticks / form.timescale) * movieTimescale);
    const tkhd = fullBox('tkhd', 1, 3, u64(0), u64(0), u32(id, 0), u64(delay + shown), form.tkhdTail);
    const mdhd = fullBox('mdhd', 1, 0, u64(0), u64(0), u32(form.timescale), u64(this.ticks), form.mdhdTail);
    const edits = [
      ...(delay > 0 ? [[u64(delay), i64(-1), u32(0x10000)]] : []),
      [u64(shown), i64(0), u32(0x10000)],
    ].flat();
    const elst = fullBox('elst', 1, 0, u32(delay > 0 ? 2 : 1), ...edits);
    const minf = box('minf', form.mediaHeader, form.dinf, this.stbl(base));
    return box('trak', tkhd, box('edts', elst), box('mdia', mdhd, form.hdlr, minf));
  }

  private stbl(base: number): Buffer {
    const durations = runs(this.sizes.length, (i) =>
      i < this.durations.length ? this.durations.at(i) : this.lastDuration,
    );
    const boxes = [this.form.stsd, fullBox('stts', 0, 0, u32(durations.length / 8), durations)];
    if (this.isReordered) {
      const offsets = runs(this.sizes.length, (i) => this.offsets.at(i));
      boxes.push(fullBox('ctts', 1, 0, u32(offsets.length / 8), offsets));
    }
    if (!this.everyIsKey) boxes.push(fullBox('stss', 0, 0, u32(this.keys.length), column(this.keys)));
    boxes.push(this.stsc());
    boxes.push(fullBox('stsz', 0, 0, u32(0, this.sizes.length), column(this.sizes)));
    const places = Buffer.alloc(this.chunks.length * 8);
    this.chunks.forEach((at, i) => places.writeBigUInt64BE(BigInt(base + at), i * 8));
    boxes.push(fullBox('co64', 0, 0, u32(this.chunks.length), places));
    return box('stbl', ...boxes);
  }

  private stsc(): Buffer {
    const entries: Buffer[] = [];
    for (let i = 0; i < this.chunkSamples.length; i += 1) {
      if (i > 0 && this.chunkSamples.at(i) === this.chunkSamples.at(i - 1)) continue;
      entries.push(u32(i + 1, this.chunkSamples.at(i), 1));
    }
    return fullBox('stsc', 0, 0, u32(entries.length), ...entries);
  }
}

/** Ticks a second of the whole file. */
const MOVIE_TIMESCALE = 1_000;

/** Everything before the samples, which then follow in one piece of `bytes`. `mvhdTail`: what stands after the duration. */
export function movieHead(
  ftyp: Buffer,
  mvhdTail: Buffer,
  tracks: readonly TrackTable[],
  bytes: number,
): Buffer {
  const durationMs = Math.round(Math.max(...tracks.map(({ endsAt }) => endsAt)) * MOVIE_TIMESCALE);
  const moovAt = (base: number): Buffer => {
    const mvhd = fullBox('mvhd', 1, 0, u64(0), u64(0), u32(MOVIE_TIMESCALE), u64(durationMs), mvhdTail);
    return box('moov', mvhd, ...tracks.map((track, i) => track.trak(i + 1, MOVIE_TIMESCALE, base)));
  };
  const mdat = Buffer.concat([u32(1), Buffer.from('mdat', 'latin1'), u64(16 + bytes)]);
  const base = ftyp.length + moovAt(0).length + mdat.length;
  return Buffer.concat([ftyp, moovAt(base), mdat]);
}

/** A box of a file in memory: its type, the whole of it, and what is in it. */
export interface Box {
  readonly type: string;
  readonly whole: Buffer;
  readonly body: Buffer;
}

export function boxesOf(bytes: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const short = bytes.readUInt32BE(at);
    const head = short === 1 ? 16 : 8;
    const size = short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short || bytes.length - at;
    if (size < head || at + size > bytes.length) throw new Error('a box is longer than what holds it');
    const whole = bytes.subarray(at, at + size);
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), whole, body: whole.subarray(head) });
    at += size;
  }
  return boxes;
}

/** The boxes of this path, `mdia/minf/stbl`, within `bytes`. */
export function findBoxes(bytes: Buffer, path: string): Box[] {
  const [first, ...rest] = path.split('/');
  const found = boxesOf(bytes).filter(({ type }) => type === first);
  return rest.length === 0 ? found : found.flatMap(({ body }) => findBoxes(body, rest.join('/')));
}

export function findBox(bytes: Buffer, path: string): Box {
  const [found] = findBoxes(bytes, path);
  if (found === undefined) throw new Error(`there is no ${path}`);
  return found;
}

/** Of a header box with times (mvhd, tkhd, mdhd): what stands after its duration. `between`: bytes from the second time to the duration. */
export function afterDuration(body: Buffer, between: number): Buffer {
  const time = body[0] === 1 ? 8 : 4;
  return body.subarray(4 + 2 * time + between + time);
}

function column(values: Column): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (let i = 0; i < values.length; i += 1) bytes.writeInt32BE(values.at(i), i * 4);
  return bytes;
}

/** Pairs of a count and a value. */
function runs(length: number, valueOf: (i: number) => number): Buffer {
  const counts = new Column();
  const values = new Column();
  let count = 0;
  for (let i = 0; i < length; i += 1) {
    count += 1;
    if (i + 1 < length && valueOf(i + 1) === valueOf(i)) continue;
    counts.push(count);
    values.push(valueOf(i));
    count = 0;
  }
  const bytes = Buffer.alloc(counts.length * 8);
  for (let i = 0; i < counts.length; i += 1) {
    bytes.writeInt32BE(counts.at(i), i * 8);
    bytes.writeInt32BE(values.at(i), i * 8 + 4);
  }
  return bytes;
}
