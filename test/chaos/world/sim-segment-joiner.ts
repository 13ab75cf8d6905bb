import { Readable } from 'node:stream';
import {
  type JoinedMedia,
  NothingToJoin,
  type Segment,
} from '../../../src/recordings/segments/join-segments.js';
import type { SegmentJoiner } from '../../../src/recordings/segments/segment-joiner.js';

const SEGMENT_MS = 2_000;
const JOINED = Buffer.from('joined');

/** Joins what is read of the segments without looking into them, and without a disk. */
export class SimSegmentJoiner implements Pick<SegmentJoiner, 'join'> {
  async join<T>(
    segments: AsyncIterable<Segment>,
    use: (joined: JoinedMedia, open: () => Readable) => Promise<T>,
  ): Promise<T> {
    let joined = 0;
    for await (const segment of segments) if ((await segment.read()) !== null) joined += 1;
    if (joined === 0) throw new NothingToJoin([]);
    const media = {
      sizeBytes: JOINED.length,
      durationMs: joined * SEGMENT_MS,
      joined,
      skipped: [],
      gaps: [],
    };
    return use(media, () => Readable.from([JOINED], { objectMode: false }));
  }
}
