import type { Media, RecordedShape } from '../../livekit/simulator/recorded-media.js';
import { readSegment } from '../../recordings/segments/read-segment.js';
import { demoMedia, demoSegments } from './demo-media.js';

const record = demoMedia(() => ['ada', 'grace']);
const PICTURE = { width: 1280, height: 720, framesPerSecond: 30 };
const shape = (changes: Partial<RecordedShape> = {}): RecordedShape => ({
  filename: 'rec.mp4',
  roomName: 'Daily stand-up',
  durationMs: 4_321,
  picture: PICTURE,
  ...changes,
});
const bytesOf = ({ chunks }: Media): Buffer => Buffer.concat([...chunks]);

/** The number of 32 bits so many bytes after the name of a box. */
function u32In(bytes: Buffer, box: string, offset: number): number {
  return bytes.readUInt32BE(bytes.indexOf(box, 'latin1') + 4 + offset);
}

describe('what the embedded simulator records', () => {
  it.each([
    ['a video', shape()],
    ['a video of no length', shape({ durationMs: 0 })],
    ['a portrait of 60 frames', shape({ picture: { width: 1080, height: 1920, framesPerSecond: 60 } })],
    ['audio in an MP4', shape({ picture: null })],
    ['audio in an OGG', shape({ filename: 'rec.ogg', picture: null })],
    ['audio of no length', shape({ filename: 'rec.ogg', picture: null, durationMs: 0 })],
    ['audio of whole seconds', shape({ filename: 'rec.ogg', picture: null, durationMs: 3_000 })],
  ])('%s has the size that it says, the same each time', async (_name, what) => {
    const media = await record(what);
    const bytes = bytesOf(media);
    expect(bytes.length).toBe(media.size);
    expect(bytesOf(await record(what)).equals(bytes)).toBe(true);
  });

  it('is as long as its egress was, to the millisecond, and has a picture for each moment', async () => {
    const bytes = bytesOf(await record(shape()));
    const [timescale, ticks] = [u32In(bytes, 'mvhd', 12), u32In(bytes, 'mvhd', 16)];
    expect((ticks / timescale) * 1_000).toBe(4_321);
    // 130 pictures, 129 of which last a thirtieth of a second.
    expect([0, 1, 2, 3].map((n) => u32In(bytes, 'stts', 8 + 4 * n))).toEqual([129, 200, 1, 126]);
    expect(u32In(bytes, 'stsz', 8)).toBe(130);
    expect([0, 1, 2].map((n) => u32In(bytes, 'stss', 8 + 4 * n))).toEqual([1, 61, 121]);
  });

  it('says where an OGG ends, to the sample', async () => {
    const bytes = bytesOf(await record(shape({ filename: 'rec.ogg', picture: null })));
    const last = bytes.lastIndexOf('OggS', undefined, 'latin1');
    expect(bytes.readBigInt64LE(last + 6)).toBe(207_408n);
  });

  it('is made while it is read: no piece of a long one is large', async () => {
    let largest = 0;
    let total = 0;
    const media = await record(shape({ durationMs: 600_000 }));
    for (const { length } of media.chunks) {
      largest = Math.max(largest, length);
      total += length;
    }
    expect(total).toBe(media.size);
    expect(largest).toBeLessThan(1_500_000);
  });
});

describe('its segments', () => {
  const make = demoSegments(() => ['ada', 'grace']);
  const read = async (startsAt: number, seconds: number, picture: typeof PICTURE | null = PICTURE) => {
    const bytes = await make({ roomName: 'Daily stand-up', startsAt, seconds, picture });
    const segment = await readSegment(await import('mediabunny'), bytes);
    if (typeof segment === 'string') throw new Error(segment);
    return segment;
  };
  const picturesOf = ({ tracks }: Awaited<ReturnType<typeof read>>) => tracks.get('video')?.samples ?? [];

  it('each begin with a key picture, and none that the meeting has is missing or there twice', async () => {
    const lengths = [4.013, 1.99, 0.4, 4.2];
    let at = 0;
    const times: number[] = [];
    const firsts: string[] = [];
    for (const seconds of lengths) {
      const pictures = picturesOf(await read(at, seconds));
      expect(pictures[0]?.isKey).toBe(true);
      firsts.push(Buffer.from(pictures[0]?.data ?? []).toString('latin1'));
      times.push(...pictures.map(({ pts }) => pts));
      at += seconds;
    }
    expect(times.map((pts) => Math.round(pts * PICTURE.framesPerSecond))).toEqual(
      Array.from({ length: Math.round(at * PICTURE.framesPerSecond) }, (_, n) => n),
    );
    // A decoder tells two key pictures in a row by their ids.
    expect(new Set(firsts).size).toBe(lengths.length);
  });

  it('show the time of the meeting, not of the segment', async () => {
    const keyAt = async (startsAt: number) => picturesOf(await read(startsAt, 1))[0]?.data;
    const early = await keyAt(0);
    // 60,000 pictures later, where the id is the same again.
    const late = await keyAt(2_000);
    expect(early?.length).toBeGreaterThan(1_000);
    expect(late).not.toEqual(early);
    expect(await keyAt(2_000)).toEqual(late);
  });

  it('have sound alone where that was asked for', async () => {
    expect([...(await read(0, 1, null)).tracks.keys()]).toEqual(['audio']);
  });
});
