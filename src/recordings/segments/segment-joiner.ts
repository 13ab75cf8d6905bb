import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { type JoinedMedia, joinSegments, type Segment } from './join-segments.js';

const READ_BYTES = 1024 * 1024;

/** Joins segments in a folder of its own, which is gone afterwards; one that a killed process left is the machine's to clear. */
@Injectable()
export class SegmentJoiner {
  /** What `use` makes of the joined file, which it may read once or more. Throws NothingToJoin, what a segment's `read` throws, and what `use` throws. */
  async join<T>(
    segments: AsyncIterable<Segment>,
    use: (joined: JoinedMedia, open: () => Readable) => Promise<T>,
  ): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'tallylight-join-'));
    try {
      const path = join(folder, 'joined.mp4');
      return await use(await joinSegments(segments, path), () =>
        createReadStream(path, { highWaterMark: READ_BYTES }),
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
