import { Bits } from './bits.js';
import { BLOCK, type Picture } from './picture.js';

/**
 * As much of H.264 (ITU-T H.264, baseline profile, CAVLC) as a picture of flat areas and letters needs: a macroblock is
 * copied from the edge of its left or upper neighbour, sent as it is (I_PCM), or, in a picture after another, left as it
 * was. All of it is exact, so no picture drifts from what was drawn.
 */

export interface VideoFormat {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

/** Names of the numbers in the stream. */
const NAL = { delta: 0x61, key: 0x65, sps: 0x67, pps: 0x68 } as const;
const SLICE = { P: 5, I: 7 } as const;
const I_PCM = 25;
/** In a P slice, intra macroblocks are numbered after the five inter ones. */
const INTRA_IN_P = 5;
const COPY = { down: { luma: 0, chroma: 2 }, right: { luma: 1, chroma: 1 } } as const;
type Copy = (typeof COPY)[keyof typeof COPY];

/** Of a level: macroblocks a second, and of a picture (table A-1). */
const LEVELS = [
  { level: 31, perSecond: 108_000, perPicture: 3_600 },
  { level: 32, perSecond: 216_000, perPicture: 5_120 },
  { level: 40, perSecond: 245_760, perPicture: 8_192 },
  { level: 42, perSecond: 522_240, perPicture: 8_704 },
  { level: 52, perSecond: 2_073_600, perPicture: 36_864 },
] as const;

/** `frame_num` has 8 bits: so many pictures may follow a key picture. */
export const MOST_AFTER_KEY = 255;

export function sequenceParameters({ width, height, framesPerSecond }: VideoFormat): Buffer {
  const columns = Math.ceil(width / BLOCK);
  const rows = Math.ceil(height / BLOCK);
  const perPicture = columns * rows;
  const fitting = LEVELS.find(
    (one) => perPicture <= one.perPicture && perPicture * framesPerSecond <= one.perSecond,
  );
  const bits = new Bits();
  bits
    .put(66, 8)
    .put(0xc0, 8)
    .put(fitting?.level ?? 52, 8);
  // Its id, log2_max_frame_num - 4, pictures in the order of decoding, one reference, no gaps.
  bits.ue(0).ue(4).ue(2).ue(1).put(0, 1);
  bits.ue(columns - 1).ue(rows - 1);
  // Frames alone, direct_8x8_inference.
  bits.put(1, 1).put(1, 1);
  const right = (columns * BLOCK - width) / 2;
  const bottom = (rows * BLOCK - height) / 2;
  const isCropped = right > 0 || bottom > 0;
  bits.put(isCropped ? 1 : 0, 1);
  if (isCropped) bits.ue(0).ue(right).ue(0).ue(bottom);
  bits.put(0, 1);
  return nal(NAL.sps, bits);
}

export function pictureParameters(): Buffer {
  const bits = new Bits();
  // Ids, CAVLC, no second field, one slice group, one reference for each direction, no weights.
  bits.ue(0).ue(0).put(0, 1).put(0, 1).ue(0).ue(0).ue(0).put(0, 1).put(0, 2);
  // Quantisers, then: slices say whether they are smoothed, any prediction, no redundancy.
  bits.seZero().seZero().seZero().put(1, 1).put(0, 1).put(0, 1);
  return nal(NAL.pps, bits);
}

/** The rows `from` to `to` (excluded) of a picture that needs no other. Two pictures in a row differ in `idrPicId`, at most 65535. */
export function keySlice(picture: Picture, from: number, to: number, idrPicId: number): Buffer {
  const { columns } = picture;
  const first = from * columns;
  const bits = new Bits();
  bits.ue(first).ue(SLICE.I).ue(0).put(0, 8).ue(idrPicId);
  // No picture is kept for longer, the quantiser as it is, no smoothing.
  bits.put(0, 2).seZero().ue(1);
  const isPcm = new Uint8Array((to - from) * columns);
  for (let block = first; block < to * columns; block += 1) {
    const left = block % columns === 0 ? null : block - 1;
    const above = block - columns < first ? null : block - columns;
    const copy = copyOf(picture, block, left, above);
    if (copy === null) {
      isPcm[block - first] = 1;
      putPcm(bits, picture, block, 0);
      continue;
    }
    bits
      .ue(1 + copy.luma)
      .ue(copy.chroma)
      .seZero();
    const isNear = (one: number | null): boolean => one !== null && isPcm[one - first] === 1;
    putNoCoefficients(bits, isNear(left) || isNear(above));
  }
  return nal(NAL.key, bits);
}

/** A picture that is like the one before but for the macroblocks `changed`, in order. `frameNum`: after the key picture. */
export function deltaSlice(picture: Picture, changed: readonly number[], frameNum: number): Buffer {
  const bits = new Bits();
  bits.ue(0).ue(SLICE.P).ue(0).put(frameNum, 8);
  // As many references as usual, in their order, none kept for longer, the quantiser as it is, no smoothing.
  bits.put(0, 1).put(0, 1).put(0, 1).seZero().ue(1);
  let next = 0;
  for (const block of changed) {
    bits.ue(block - next);
    putPcm(bits, picture, block, INTRA_IN_P);
    next = block + 1;
  }
  const rest = picture.columns * picture.rows - next;
  if (rest > 0) bits.ue(rest);
  return nal(NAL.delta, bits);
}

/** From where a flat macroblock can be copied, pixel by pixel; null: from nowhere. */
function copyOf(picture: Picture, block: number, left: number | null, above: number | null): Copy | null {
  if (!holds(picture, block, 0, 0, WHOLE, WHOLE)) return null;
  if (left !== null && holds(picture, block, -1, 0, 1, WHOLE)) return COPY.right;
  if (above !== null && holds(picture, block, 0, -1, WHOLE, 1)) return COPY.down;
  return null;
}

const WHOLE = 16;

/** Whether all of an area, told from a macroblock's upper left corner, has the colour of that corner. */
function holds(
  picture: Picture,
  block: number,
  dx: number,
  dy: number,
  width: number,
  height: number,
): boolean {
  const x = (block % picture.columns) * BLOCK;
  const y = Math.floor(block / picture.columns) * BLOCK;
  const { stride } = picture;
  const isIn = (plane: Uint8Array, half: 1 | 2): boolean => {
    const wide = stride / half;
    const corner = (y / half) * wide + x / half;
    const w = width === 1 ? 1 : width / half;
    const h = height === 1 ? 1 : height / half;
    const colour = plane[corner];
    for (let row = 0; row < h; row += 1) {
      const from = corner + (dy + row) * wide + dx;
      for (let at = from; at < from + w; at += 1) if (plane[at] !== colour) return false;
    }
    return true;
  };
  return isIn(picture.y, 1) && isIn(picture.cb, 2) && isIn(picture.cr, 2);
}

/** `coeff_token` for none, whose code depends on how many the neighbours have: 16 where one was sent as it is. */
function putNoCoefficients(bits: Bits, isNearPcm: boolean): void {
  if (isNearPcm) bits.put(0b000011, 6);
  else bits.put(1, 1);
}

function putPcm(bits: Bits, picture: Picture, block: number, offset: number): void {
  const { columns, stride } = picture;
  const x = (block % columns) * BLOCK;
  const top = Math.floor(block / columns) * BLOCK;
  bits.ue(offset + I_PCM).align();
  for (let row = top; row < top + BLOCK; row += 1) {
    bits.putBytes(picture.y.subarray(row * stride + x, row * stride + x + BLOCK));
  }
  for (const plane of [picture.cb, picture.cr]) {
    for (let row = top / 2; row < (top + BLOCK) / 2; row += 1) {
      const from = (row * stride + x) / 2;
      bits.putBytes(plane.subarray(from, from + BLOCK / 2));
    }
  }
}

/** With its header, and a three before what would look like the beginning of another one. */
function nal(header: number, bits: Bits): Buffer {
  const payload = bits.end();
  const parts: Buffer[] = [Buffer.from([header])];
  let from = 0;
  for (let at = payload.indexOf(TWO_ZEROS); at >= 0; at = payload.indexOf(TWO_ZEROS, from)) {
    parts.push(payload.subarray(from, at + 2));
    from = at + 2;
    if ((payload[from] ?? 4) <= 3) parts.push(THREE);
  }
  return Buffer.concat([...parts, payload.subarray(from)]);
}

const TWO_ZEROS = Buffer.alloc(2);
const THREE = Buffer.from([3]);
