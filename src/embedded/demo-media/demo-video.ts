import { deltaSlice, keySlice, pictureParameters, sequenceParameters, type VideoFormat } from './h264.js';
import { BLOCK, type Box, type Colour, Picture, textSize } from './picture.js';

/** How often a picture stands for itself, s: where a player can go to, and a segment can begin. */
export const KEY_EVERY_SECONDS = 2;

export interface DemoScene extends VideoFormat {
  readonly roomName: string;
  /** Who is in the two tiles. */
  readonly names: readonly [string, string];
}

export interface VideoSample {
  /** NAL units, each after its length in four bytes, as MP4 stores them. */
  readonly bytes: Buffer;
  readonly isKey: boolean;
}

type Slices = readonly [Buffer, Buffer];
/** More than pictures between two keys, so that two first keys in a row have different ids. */
const OTHER_IDS = 60_000;

const GROUND: Colour = { y: 32, cb: 130, cr: 126 };
const TILES: readonly [Colour, Colour] = [
  { y: 70, cb: 152, cr: 110 },
  { y: 74, cb: 112, cr: 150 },
];
const INK: Colour = { y: 225, cb: 128, cr: 128 };
const FAINT: Colour = { y: 195, cb: 128, cr: 128 };
const AMBER: Colour = { y: 180, cb: 60, cr: 158 };

/** The picture of a simulated meeting: two named tiles, the word DEMO, and a clock that runs. */
export class DemoVideo {
  readonly parameters: { readonly sequence: Buffer; readonly picture: Buffer };
  private readonly picture: Picture;
  /** Where the clock is drawn, in whole macroblocks. */
  private readonly clock: Box;
  private readonly clockScale: number;
  private readonly sames = new Map<number, Buffer>();
  /** The slices above and below the clock, for both ids that key pictures after the first have in turn. */
  private readonly still: readonly [Slices, Slices];

  constructor(readonly scene: DemoScene) {
    this.parameters = { sequence: sequenceParameters(scene), picture: pictureParameters() };
    this.picture = new Picture(scene.width, scene.height);
    this.clockScale = even(Math.min(scene.width, scene.height) / 120);
    const height = up(textSize('0', this.clockScale).height + BLOCK);
    this.clock = { x: 0, y: down(scene.height - BLOCK / 2 - height), width: down(scene.width), height };
    this.draw();
    this.still = [this.around(0), this.around(1)];
  }

  /**
   * The samples number `from` (a key picture, whichever it is) to `to` (excluded), of which each second has
   * `framesPerSecond`. They can follow those of another call.
   */
  *samples(from: number, to: number): Generator<VideoSample> {
    const { framesPerSecond } = this.scene;
    const keyEvery = KEY_EVERY_SECONDS * framesPerSecond;
    for (let n = from; n < to; n += 1) {
      const after = (n - from) % keyEvery;
      const second = Math.floor(n / framesPerSecond);
      if (after === 0) {
        this.showClock(second);
        yield { bytes: n === from ? this.firstKey(from) : this.key((n - from) / keyEvery), isKey: true };
      } else {
        const changed = n % framesPerSecond === 0 ? this.showClock(second) : [];
        yield { bytes: changed.length > 0 ? this.delta(changed, after) : this.same(after), isKey: false };
      }
    }
  }

  /** Its id is that of no key picture close to it, as the one before may be of another call. */
  private firstKey(from: number): Buffer {
    const id = 2 + (from % OTHER_IDS);
    return this.keyBetween(this.around(id), id);
  }

  private key(n: number): Buffer {
    return n % 2 === 0 ? this.keyBetween(this.still[0], 0) : this.keyBetween(this.still[1], 1);
  }

  private keyBetween([above, below]: Slices, id: number): Buffer {
    const { firstRow, endRow } = this.clockRows;
    return framed([above, keySlice(this.picture, firstRow, endRow, id), below]);
  }

  private around(id: number): Slices {
    const { firstRow, endRow } = this.clockRows;
    return [keySlice(this.picture, 0, firstRow, id), keySlice(this.picture, endRow, this.picture.rows, id)];
  }

  private delta(changed: readonly number[], after: number): Buffer {
    return framed([deltaSlice(this.picture, changed, after)]);
  }

  /** Nothing moved: there are no more of these than pictures between two keys. */
  private same(after: number): Buffer {
    const known = this.sames.get(after) ?? this.delta([], after);
    this.sames.set(after, known);
    return known;
  }

  private get clockRows(): { readonly firstRow: number; readonly endRow: number } {
    return { firstRow: this.clock.y / BLOCK, endRow: (this.clock.y + this.clock.height) / BLOCK };
  }

  private draw(): void {
    const { picture, scene } = this;
    const { width, height, roomName, names } = scene;
    picture.paint({ x: 0, y: 0, width: picture.stride, height: picture.rows * BLOCK }, GROUND);
    const side = Math.min(width, height);
    const margin = down(side / 22);
    const title = even(side / 180);
    const header = down(side / 7);
    const demo = even(side / 100);
    picture.text('DEMO', { x: width - margin - textSize('DEMO', demo).width, y: margin / 2 }, demo, AMBER);
    const mostLetters = Math.floor((width - 3 * margin - textSize('DEMO', demo).width) / (6 * title));
    picture.text(roomName.slice(0, mostLetters), { x: margin, y: margin }, title, INK);
    const area = { x: margin, y: header, width: width - 2 * margin, height: this.clock.y - header };
    tilesOf(area, margin, width > height).forEach((tile, n) => {
      const name = names[n] ?? '';
      picture.paint(tile, TILES[n] ?? GROUND);
      this.drawPerson(tile, name, title);
    });
  }

  private drawPerson(tile: Box, name: string, scale: number): void {
    const initial = name.slice(0, 1);
    // A dot of whole macroblocks costs next to nothing.
    const large = Math.max(BLOCK, down(tile.height / 2 / 7));
    const { width, height } = textSize(initial, large);
    const x = down(tile.x + (tile.width - width) / 2);
    this.picture.text(initial, { x, y: down(tile.y + (tile.height - height) / 2) }, large, INK);
    const shown = name.slice(0, Math.floor((tile.width - 2 * BLOCK) / (6 * scale)));
    const y = tile.y + tile.height - BLOCK - 8 * scale;
    this.picture.text(shown, { x: tile.x + BLOCK, y }, scale, FAINT);
  }

  /** Draws it where it shows another time; answers the macroblocks that changed by it. */
  private showClock(second: number): number[] {
    const { picture, clock, clockScale } = this;
    const { firstRow, endRow } = this.clockRows;
    const before = picture.y.slice(clock.y * picture.stride, (clock.y + clock.height) * picture.stride);
    picture.paint({ ...clock, width: picture.stride }, GROUND);
    const words = clockWords(second);
    const { width, height } = textSize(words, clockScale);
    const at = { x: down((clock.width - width) / 2), y: clock.y + even((clock.height - height) / 2) };
    picture.text(words, at, clockScale, INK);
    const changed: number[] = [];
    for (let block = firstRow * picture.columns; block < endRow * picture.columns; block += 1) {
      if (differs(picture, before, block, clock.y)) changed.push(block);
    }
    return changed;
  }
}

function tilesOf(area: Box, gap: number, sideBySide: boolean): readonly Box[] {
  const width = down(sideBySide ? (area.width - gap) / 2 : area.width);
  const height = down(sideBySide ? area.height - gap : (area.height - 2 * gap) / 2);
  const first = { x: area.x, y: area.y, width, height };
  return [first, sideBySide ? { ...first, x: area.x + width + gap } : { ...first, y: area.y + height + gap }];
}

/** Ink and ground differ in luma, so that tells. */
function differs({ y, stride, columns }: Picture, before: Uint8Array, block: number, top: number): boolean {
  const from = Math.floor(block / columns) * BLOCK * stride + (block % columns) * BLOCK;
  for (let row = 0; row < BLOCK; row += 1) {
    for (let at = from + row * stride; at < from + row * stride + BLOCK; at += 1) {
      if (y[at] !== before[at - top * stride]) return true;
    }
  }
  return false;
}

/** `0:00:42`. */
function clockWords(second: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${Math.floor(second / 3_600)}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
}

function framed(units: readonly Buffer[]): Buffer {
  return Buffer.concat(
    units.flatMap((unit) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(unit.length);
      return [length, unit];
    }),
  );
}

const down = (n: number): number => Math.floor(n / BLOCK) * BLOCK;
const up = (n: number): number => Math.ceil(n / BLOCK) * BLOCK;
const even = (n: number): number => Math.max(2, Math.floor(n / 2) * 2);
