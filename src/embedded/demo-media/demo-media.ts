import { extname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Media, RecordMedia } from '../../livekit/simulator/recorded-media.js';
import {
  type MakeSegment,
  type SegmentPictures,
  writeSegment,
} from '../../livekit/simulator/segment-media.js';
import { DemoVideo, KEY_EVERY_SECONDS } from './demo-video.js';
import { aacEntry, avcConfiguration, avcEntry, mp4Head, type Mp4Track, totalBytes } from './mp4.js';
import { oggBytes, oggPages } from './ogg.js';

const TICKS_A_SECOND = 6_000;
const CHUNK_BYTES = 256 * 1024;
const BREATHE_EVERY = 600;

/** One frame of AAC that is silent, and what describes it: two channels of 48 kHz. */
const AAC = {
  frame: Buffer.from([0x21, 0, 0x49, 0x90, 2, 0x19, 0, 0x23, 0x80]),
  description: Buffer.from([0x11, 0x90]),
  rate: 48_000,
  samples: 1_024,
} as const;

/** Two people of each room, by its name. */
export type NamesOf = (roomName: string) => readonly [string, string];

/**
 * What the embedded simulator records: as long as its egress was, of the size that was asked for, and plainly a demo. It
 * is made while it is written, so an hour costs no more memory than a minute, but for four bytes a picture.
 */
export function demoMedia(namesOf: NamesOf): RecordMedia {
  return ({ filename, roomName, durationMs, picture }) => {
    if (extname(filename) === '.ogg') return { size: oggBytes(durationMs), chunks: oggPages(durationMs) };
    if (picture === null) return silentMp4(durationMs);
    return videoMp4(new DemoVideo({ ...picture, roomName, names: namesOf(roomName) }), durationMs);
  };
}

async function videoMp4(video: DemoVideo, durationMs: number): Promise<Media> {
  const { width, height, framesPerSecond } = video.scene;
  const count = Math.max(1, Math.ceil((durationMs * framesPerSecond) / 1_000));
  const sizes = new Uint32Array(count);
  let n = 0;
  for (const { bytes } of video.samples(0, count)) {
    sizes[n] = bytes.length;
    n += 1;
    // Whoever else is at work in this process goes on.
    if (n % BREATHE_EVERY === 0) await setImmediate();
  }
  const track: Mp4Track = {
    kind: 'video',
    width,
    height,
    sampleEntry: avcEntry(
      width,
      height,
      avcConfiguration(video.parameters.sequence, video.parameters.picture),
    ),
    timescale: TICKS_A_SECOND,
    ticksPerSample: TICKS_A_SECOND / framesPerSecond,
    ticks: Math.max(1, Math.round((durationMs * TICKS_A_SECOND) / 1_000)),
    sizes,
    syncEvery: KEY_EVERY_SECONDS * framesPerSecond,
  };
  return mp4(track, function* samples() {
    for (const { bytes } of video.samples(0, count)) yield bytes;
  });
}

/**
 * The same meeting in segments: each begins with a key picture, and its clock shows how long the recording has been going on.
 * One after another they play, and are joined, without a jump.
 */
export function demoSegments(namesOf: NamesOf): MakeSegment {
  return async (shape) => {
    const { roomName, picture, startsAt, seconds } = shape;
    if (picture === null) return writeSegment(shape, null);
    return writeSegment(
      shape,
      picturesOf(new DemoVideo({ ...picture, roomName, names: namesOf(roomName) }), startsAt, seconds),
    );
  };
}

/** Those of the whole meeting that begin in these seconds of it; at least one. */
function picturesOf(video: DemoVideo, startsAt: number, seconds: number): SegmentPictures {
  const { width, height, framesPerSecond } = video.scene;
  const { sequence, picture } = video.parameters;
  const from = Math.round(startsAt * framesPerSecond);
  const to = Math.max(from + 1, Math.round((startsAt + seconds) * framesPerSecond));
  return {
    decoderConfig: {
      codec: `avc1.${sequence.toString('hex', 1, 4)}`,
      ...{ codedWidth: width, codedHeight: height },
      description: avcConfiguration(sequence, picture),
    },
    packets: (function* packets() {
      let n = from;
      for (const sample of video.samples(from, to)) {
        yield { ...sample, at: n / framesPerSecond, lasts: 1 / framesPerSecond };
        n += 1;
      }
    })(),
  };
}

function silentMp4(durationMs: number): Media {
  const ticks = Math.max(1, Math.round((durationMs * AAC.rate) / 1_000));
  const count = Math.ceil(ticks / AAC.samples);
  const track: Mp4Track = {
    kind: 'audio',
    width: 0,
    height: 0,
    sampleEntry: aacEntry(AAC.rate, AAC.description),
    timescale: AAC.rate,
    ticksPerSample: AAC.samples,
    ticks,
    sizes: { each: AAC.frame.length, count },
    syncEvery: 1,
  };
  return mp4(track, function* samples() {
    for (let n = 0; n < count; n += 1) yield AAC.frame;
  });
}

function mp4(track: Mp4Track, samples: () => Iterable<Buffer>): Media {
  const head = mp4Head(track);
  return { size: head.length + totalBytes(track), chunks: gathered(head, samples()) };
}

/** In pieces that are worth a write of their own. */
function* gathered(head: Buffer, samples: Iterable<Buffer>): Generator<Buffer> {
  let waiting: Buffer[] = [head];
  let bytes = head.length;
  for (const sample of samples) {
    waiting.push(sample);
    bytes += sample.length;
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}
