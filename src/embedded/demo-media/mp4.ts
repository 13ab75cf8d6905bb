import { box, fullBox, u32, u64 } from '../../recordings/segments/mp4-boxes.js';

/** An MP4 of one track whose samples follow each other without a gap: its head first, so that it plays while it is read. */
export interface Mp4Track {
  readonly kind: 'video' | 'audio';
  /** In pixels; 0 for audio. */
  readonly width: number;
  readonly height: number;
  /** The codec's own box in `stsd`. */
  readonly sampleEntry: Buffer;
  /** Ticks a second. */
  readonly timescale: number;
  /** Of every sample but the last one, in ticks. */
  readonly ticksPerSample: number;
  /** Of the whole track. */
  readonly ticks: number;
  /** In bytes; one for all where every sample has the same. */
  readonly sizes: Uint32Array | { readonly each: number; readonly count: number };
  /** How many samples it is from one that can be gone to, to the next; 1: each. */
  readonly syncEvery: number;
}

/** Everything before the first byte of the first sample. */
export function mp4Head(track: Mp4Track): Buffer {
  const type = box('ftyp', text('isom'), u32(512), text('isomiso2avc1mp41'));
  const total = totalBytes(track);
  // 64 bits of length, whatever it is: the head then has one size.
  const data = Buffer.concat([u32(1), text('mdat'), u64(total + 16)]);
  const length = type.length + movie(track, 0).length + data.length;
  return Buffer.concat([type, movie(track, length), data]);
}

export function totalBytes({ sizes }: Mp4Track): number {
  if (!(sizes instanceof Uint32Array)) return sizes.each * sizes.count;
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** An AVCDecoderConfigurationRecord (ISO/IEC 14496-15): samples have the length of each NAL unit in four bytes before it. */
export function avcConfiguration(sequence: Buffer, picture: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([1, sequence[1] ?? 0, sequence[2] ?? 0, sequence[3] ?? 0, 0xff, 0xe1]),
    u16(sequence.length),
    sequence,
    Buffer.from([1]),
    u16(picture.length),
    picture,
  ]);
}

/** `avc1`, with what `avcConfiguration` makes. */
export function avcEntry(width: number, height: number, configuration: Buffer): Buffer {
  const resolution = u32(0x0048_0000);
  return box(
    'avc1',
    ...[zeros(6), u16(1), zeros(16), u16(width), u16(height), resolution, resolution],
    ...[u32(0), u16(1), zeros(32), u16(24), u16(0xffff), box('avcC', configuration)],
  );
}

/** `mp4a`: two channels; `description` is AAC's AudioSpecificConfig. */
export function aacEntry(sampleRate: number, description: Buffer): Buffer {
  const decoder = descriptor(4, Buffer.from([0x40, 0x15]), zeros(11), descriptor(5, description));
  const stream = descriptor(3, u16(1), Buffer.from([0]), decoder, descriptor(6, Buffer.from([2])));
  return box(
    'mp4a',
    ...[zeros(6), u16(1), zeros(8), u16(2), u16(16), u32(0), u32(sampleRate * 65_536)],
    fullBox('esds', 0, 0, stream),
  );
}

function movie(track: Mp4Track, firstByte: number): Buffer {
  const { timescale, ticks } = track;
  const header = fullBox(
    'mvhd',
    0,
    0,
    ...[u32(0), u32(0), u32(timescale), u32(ticks), u32(0x0001_0000), u16(0x0100), zeros(10)],
    ...[MATRIX, zeros(24), u32(2)],
  );
  return box('moov', header, box('trak', trackHeader(track), media(track, firstByte)));
}

function trackHeader({ kind, width, height, ticks }: Mp4Track): Buffer {
  return fullBox(
    'tkhd',
    0,
    3,
    ...[u32(0), u32(0), u32(1), u32(0), u32(ticks), zeros(12), u16(kind === 'audio' ? 0x0100 : 0), u16(0)],
    ...[MATRIX, u32(width * 65_536), u32(height * 65_536)],
  );
}

function media(track: Mp4Track, firstByte: number): Buffer {
  const { kind, timescale, ticks } = track;
  const header = fullBox('mdhd', 0, 0, u32(0), u32(0), u32(timescale), u32(ticks), u16(0x55c4), u16(0));
  const handler = text(kind === 'video' ? 'vide' : 'soun');
  const about = kind === 'video' ? fullBox('vmhd', 0, 1, zeros(8)) : fullBox('smhd', 0, 0, zeros(4));
  const here = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  return box(
    'mdia',
    header,
    fullBox('hdlr', 0, 0, u32(0), handler, zeros(12), Buffer.from([0])),
    box('minf', about, here, sampleTable(track, firstByte)),
  );
}

function sampleTable(track: Mp4Track, firstByte: number): Buffer {
  const { sizes, syncEvery, sampleEntry } = track;
  const list = sizes instanceof Uint32Array ? sizes : null;
  const count = sizes instanceof Uint32Array ? sizes.length : sizes.count;
  const syncs = Math.ceil(count / syncEvery);
  return box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), sampleEntry),
    durations(track, count),
    ...(syncEvery === 1
      ? []
      : [
          fullBox(
            'stss',
            0,
            0,
            u32(syncs),
            u32s(syncs, (n) => n * syncEvery + 1),
          ),
        ]),
    fullBox('stsc', 0, 0, u32(1), u32(1), u32(count), u32(1)),
    list === null
      ? fullBox('stsz', 0, 0, u32('each' in sizes ? sizes.each : 0), u32(count))
      : fullBox(
          'stsz',
          0,
          0,
          u32(0),
          u32(count),
          u32s(count, (n) => list[n] ?? 0),
        ),
    fullBox('stco', 0, 0, u32(1), u32(firstByte)),
  );
}

/** All alike but the last, which takes what is left. */
function durations({ ticks, ticksPerSample }: Mp4Track, count: number): Buffer {
  const last = Math.max(1, ticks - (count - 1) * ticksPerSample);
  if (count === 1) return fullBox('stts', 0, 0, u32(1), u32(1), u32(last));
  return fullBox('stts', 0, 0, u32(2), u32(count - 1), u32(ticksPerSample), u32(1), u32(last));
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const zeros = (count: number): Buffer => Buffer.alloc(count);

function u32s(count: number, valueOf: (n: number) => number): Buffer {
  const bytes = Buffer.alloc(4 * count);
  for (let n = 0; n < count; n += 1) bytes.writeUInt32BE(valueOf(n), 4 * n);
  return bytes;
}

/** Nothing is turned or stretched. */
const MATRIX = Buffer.concat([0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000].map((value) => u32(value)));

/** Of MPEG-4 systems, shorter than 128 bytes. */
function descriptor(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}
