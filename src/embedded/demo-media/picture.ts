/** A colour as video stores it. */
export interface Colour {
  readonly y: number;
  readonly cb: number;
  readonly cr: number;
}

/** In pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Side of a macroblock, in pixels; chroma has half of it. */
export const BLOCK = 16;

/** Columns of five, the lowest bit on top, seven rows high. */
const GLYPHS: Readonly<Record<string, readonly number[]>> = {
  '0': [0x3e, 0x51, 0x49, 0x45, 0x3e],
  '1': [0x00, 0x42, 0x7f, 0x40, 0x00],
  '2': [0x42, 0x61, 0x51, 0x49, 0x46],
  '3': [0x21, 0x41, 0x45, 0x4b, 0x31],
  '4': [0x18, 0x14, 0x12, 0x7f, 0x10],
  '5': [0x27, 0x45, 0x45, 0x45, 0x39],
  '6': [0x3c, 0x4a, 0x49, 0x49, 0x30],
  '7': [0x01, 0x71, 0x09, 0x05, 0x03],
  '8': [0x36, 0x49, 0x49, 0x49, 0x36],
  '9': [0x06, 0x49, 0x49, 0x29, 0x1e],
  A: [0x7e, 0x11, 0x11, 0x11, 0x7e],
  B: [0x7f, 0x49, 0x49, 0x49, 0x36],
  C: [0x3e, 0x41, 0x41, 0x41, 0x22],
  D: [0x7f, 0x41, 0x41, 0x22, 0x1c],
  E: [0x7f, 0x49, 0x49, 0x49, 0x41],
  F: [0x7f, 0x09, 0x09, 0x09, 0x01],
  G: [0x3e, 0x41, 0x49, 0x49, 0x7a],
  H: [0x7f, 0x08, 0x08, 0x08, 0x7f],
  I: [0x00, 0x41, 0x7f, 0x41, 0x00],
  J: [0x20, 0x40, 0x41, 0x3f, 0x01],
  K: [0x7f, 0x08, 0x14, 0x22, 0x41],
  L: [0x7f, 0x40, 0x40, 0x40, 0x40],
  M: [0x7f, 0x02, 0x0c, 0x02, 0x7f],
  N: [0x7f, 0x04, 0x08, 0x10, 0x7f],
  O: [0x3e, 0x41, 0x41, 0x41, 0x3e],
  P: [0x7f, 0x09, 0x09, 0x09, 0x06],
  Q: [0x3e, 0x41, 0x51, 0x21, 0x5e],
  R: [0x7f, 0x09, 0x19, 0x29, 0x46],
  S: [0x46, 0x49, 0x49, 0x49, 0x31],
  T: [0x01, 0x01, 0x7f, 0x01, 0x01],
  U: [0x3f, 0x40, 0x40, 0x40, 0x3f],
  V: [0x1f, 0x20, 0x40, 0x20, 0x1f],
  W: [0x3f, 0x40, 0x38, 0x40, 0x3f],
  X: [0x63, 0x14, 0x08, 0x14, 0x63],
  Y: [0x07, 0x08, 0x70, 0x08, 0x07],
  Z: [0x61, 0x51, 0x49, 0x45, 0x43],
  ':': [0x00, 0x36, 0x36, 0x00, 0x00],
  '-': [0x08, 0x08, 0x08, 0x08, 0x08],
  '.': [0x00, 0x60, 0x60, 0x00, 0x00],
  ' ': [0, 0, 0, 0, 0],
};
/** For what has no glyph: a box. */
const UNKNOWN = [0x7f, 0x41, 0x41, 0x41, 0x7f];
const GLYPH = { width: 5, height: 7, advance: 6 } as const;

/** How large a text is drawn, in pixels. */
export function textSize(text: string, scale: number): { readonly width: number; readonly height: number } {
  const letters = [...text].length;
  return { width: Math.max(0, letters * GLYPH.advance - 1) * scale, height: GLYPH.height * scale };
}

/** One picture in 4:2:0, of whole macroblocks. */
export class Picture {
  /** In macroblocks. */
  readonly columns: number;
  readonly rows: number;
  readonly y: Uint8Array;
  readonly cb: Uint8Array;
  readonly cr: Uint8Array;

  constructor(width: number, height: number) {
    this.columns = Math.ceil(width / BLOCK);
    this.rows = Math.ceil(height / BLOCK);
    const pixels = this.columns * this.rows * BLOCK * BLOCK;
    this.y = new Uint8Array(pixels);
    this.cb = new Uint8Array(pixels / 4);
    this.cr = new Uint8Array(pixels / 4);
  }

  get stride(): number {
    return this.columns * BLOCK;
  }

  /** Its coordinates are even, as two pixels share their chroma. */
  paint({ x, y, width, height }: Box, colour: Colour): void {
    fillPlane(this.y, this.stride, { x, y, width, height }, colour.y);
    const half = { x: x / 2, y: y / 2, width: width / 2, height: height / 2 };
    fillPlane(this.cb, this.stride / 2, half, colour.cb);
    fillPlane(this.cr, this.stride / 2, half, colour.cr);
  }

  /** `scale`, even: pixels for each dot of a glyph. */
  text(words: string, at: { readonly x: number; readonly y: number }, scale: number, colour: Colour): void {
    [...words.toUpperCase()].forEach((letter, n) => {
      (GLYPHS[letter] ?? UNKNOWN).forEach((column, dx) => {
        for (let dy = 0; dy < GLYPH.height; dy += 1) {
          if (((column >> dy) & 1) === 0) continue;
          const x = at.x + (n * GLYPH.advance + dx) * scale;
          this.paint({ x, y: at.y + dy * scale, width: scale, height: scale }, colour);
        }
      });
    });
  }
}

function fillPlane(plane: Uint8Array, stride: number, { x, y, width, height }: Box, value: number): void {
  for (let row = y; row < y + height; row += 1) {
    plane.fill(value, row * stride + x, row * stride + x + width);
  }
}
