import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { asSegments, makeSegments, probeMp4 } from '../../../test/support/made-segments.js';
import { joinSegments, NothingToJoin } from './join-segments.js';

describe('segments that are joined', () => {
  let folder: string;
  let target: string;
  let segments: Buffer[];
  let pictures: readonly Uint8Array[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tallylight-join-'));
    target = join(folder, 'joined.mp4');
    ({ segments, pictures } = await makeSegments(4));
  });
  afterEach(() => rm(target, { force: true }));
  afterAll(() => rm(folder, { recursive: true }));

  it('are one MP4 that begins with its index and has every picture and sound as it was', async () => {
    const joined = await joinSegments(asSegments(segments), target);
    const file = await readFile(target);
    expect(await readdir(folder)).toEqual(['joined.mp4']);
    expect(joined).toEqual({ joined: 4, skipped: [], gaps: [], durationMs: 8_000, sizeBytes: file.length });
    expect(file.indexOf('moov')).toBeLessThan(file.indexOf('mdat'));
    const { durationS, video, audio } = await probeMp4(target);
    expect(durationS).toBeCloseTo(8, 1);
    expect([video?.codec, audio?.codec]).toEqual(['avc1.4d4016', 'mp4a.40.2']);
    expect(video?.times).toHaveLength(120);
    video?.times.forEach((time, i) => expect(time).toBeCloseTo(i / 15, 3));
    video?.data.forEach((data, i) => {
      // After the six bytes that say that a picture begins, a transport stream repeats what it is encoded by.
      const picture = Buffer.from(pictures[i % 30]!).subarray(6);
      expect(Buffer.from(data).subarray(-picture.length).equals(picture)).toBe(true);
    });
    expect(audio?.times).toHaveLength(375);
    audio?.times.forEach((time, i) => expect(time).toBeCloseTo((i * 1_024) / 48_000, 3));
  });

  it('go on without a pause where some are torn, gone or empty, and what is missing is named', async () => {
    const bodies = [segments[0]!, segments[1]!.subarray(0, 1_000), null, segments[3]!];
    const joined = await joinSegments(asSegments(bodies), target);
    expect(joined).toMatchObject({
      joined: 2,
      skipped: [
        { name: '1.ts', why: 'it ends in the middle of a packet' },
        { name: '2.ts', why: 'it is not there' },
      ],
    });
    expect(joined.gaps).toHaveLength(1);
    expect(joined.gaps[0]?.atMs).toBeCloseTo(2_000, -2);
    expect(joined.gaps[0]?.lostMs).toBeCloseTo(4_000, -2);
    const { durationS, video } = await probeMp4(target);
    expect(durationS).toBeCloseTo(4, 1);
    expect(video?.times).toHaveLength(60);
    const times = video?.times ?? [];
    times.slice(1).forEach((time, i) => expect(time - times[i]!).toBeLessThan(0.11));
  });

  it('go on where their clock began anew', async () => {
    const again = await makeSegments(1, { startsAt: 0 });
    const joined = await joinSegments(asSegments([segments[0]!, ...again.segments]), target);
    expect(joined).toMatchObject({ joined: 2, gaps: [], skipped: [] });
    const { video } = await probeMp4(target);
    expect(video?.times.toSorted((a, b) => a - b)).toEqual(video?.times);
    expect(video?.times.at(-1)).toBeCloseTo(59 / 15, 1);
  });

  it('may be of sound alone', async () => {
    const sound = await makeSegments(3, { withVideo: false });
    const joined = await joinSegments(asSegments(sound.segments), target);
    expect(joined).toMatchObject({ joined: 3, durationMs: 6_016 });
    expect(await probeMp4(target)).toMatchObject({ video: null, audio: { codec: 'mp4a.40.2' } });
  });

  it('keep the order in which pictures are shown', async () => {
    const order = (frame: number): number =>
      frame === 0 || frame === 29 ? frame : frame % 2 ? frame + 1 : frame - 1;
    const reordered = await makeSegments(2, { order });
    await joinSegments(asSegments(reordered.segments), target);
    const { video } = await probeMp4(target);
    video?.times.forEach((time, i) =>
      expect(time).toBeCloseTo(Math.floor(i / 30) * 2 + order(i % 30) / 15, 2),
    );
  });

  it('are not mixed with what is encoded otherwise', async () => {
    const sound = await makeSegments(1, { withVideo: false });
    expect(await joinSegments(asSegments([segments[0]!, ...sound.segments]), target)).toMatchObject({
      joined: 1,
      skipped: [{ name: '1.ts', why: expect.stringContaining('otherwise') }],
    });
  });

  it('leave nothing behind where none can be joined', async () => {
    const outcome = await joinSegments(asSegments([Buffer.alloc(0), null]), target).catch((e: unknown) => e);
    expect(outcome).toBeInstanceOf(NothingToJoin);
    expect((outcome as NothingToJoin).skipped).toHaveLength(2);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leave nothing behind where one can not be asked for, or the join is given up', async () => {
    const away = { name: '1.ts', read: () => Promise.reject(new Error('the storage is unavailable')) };
    await expect(joinSegments([...asSegments([segments[0]!]), away], target)).rejects.toThrow('unavailable');
    expect(await readdir(folder)).toEqual([]);
    const over = new AbortController();
    const last = { name: '1.ts', read: async () => (over.abort(new Error('given up')), segments[1]!) };
    const all = [...asSegments([segments[0]!]), last, ...asSegments([segments[2]!])];
    await expect(joinSegments(all, target, over.signal)).rejects.toThrow('given up');
    expect(await readdir(folder)).toEqual([]);
  });

  it('are skipped or joined, whatever happened to their bytes', async () => {
    const [first, second] = segments as [Buffer, Buffer];
    const damage = fc.record({ at: fc.nat(second.length - 1), length: fc.nat(400), with: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(second.length / 188), async ({ at, length, with: byte }, packets) => {
        const damaged = Buffer.from(second)
          .fill(byte, at, Math.min(at + length, second.length))
          .subarray(0, packets * 188);
        const { joined, skipped } = await joinSegments(asSegments([first, damaged]), target);
        expect(joined + skipped.length).toBe(2);
        const { video } = await probeMp4(target);
        expect(video?.times.length).toBeGreaterThanOrEqual(30);
      }),
      { numRuns: 10 },
    );
  });
});
