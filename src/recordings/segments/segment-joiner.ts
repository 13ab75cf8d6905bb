import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { THRESHOLDS } from '../domain/thresholds.js';
import { type JoinedMedia, joinSegments, type Segment } from './join-segments.js';

const READ_BYTES = 1024 * 1024;
const FOLDER_NAME = 'tallylight-join-';

/** Joins segments in a folder of its own, which is gone afterwards; one that a killed process left is removed by a later start. */
@Injectable()
export class SegmentJoiner implements OnApplicationBootstrap {
  private readonly log = new Logger('Recovery');

  constructor(private readonly clock: Clock) {}

  /** What `use` makes of the joined file, which it may read once or more. Throws NothingToJoin, what a segment's `read` throws, and what `use` throws. */
  async join<T>(
    segments: AsyncIterable<Segment>,
    use: (joined: JoinedMedia, open: () => Readable) => Promise<T>,
  ): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), FOLDER_NAME));
    try {
      const path = join(folder, 'joined.mp4');
      return await use(await joinSegments(segments, path), () =>
        createReadStream(path, { highWaterMark: READ_BYTES }),
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Of processes that died while they joined: by now nobody would join for so long. Fails nothing: a later start tries again. */
  async onApplicationBootstrap(): Promise<void> {
    try {
      await removeJoinsBefore(this.clock.now() - THRESHOLDS.recoveryGiveUpMs, tmpdir());
    } catch (error) {
      this.log.debug({ message: 'what earlier joins left could not be removed', cause: String(error) });
    }
  }
}

/** Removes from `folder` the folders of joins that were begun before this instant, ms. */
export async function removeJoinsBefore(instant: number, folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(FOLDER_NAME)) continue;
    const path = join(folder, name);
    if ((await stat(path)).mtimeMs < instant) await rm(path, { recursive: true, force: true });
  }
}
