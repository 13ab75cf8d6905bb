import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId } from '../../kernel/ids.js';
import { mediaKey, segmentKeys, segmentNumber } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';
import type { Fact } from '../domain/facts.js';
import type { StoredRecording } from '../domain/recording.js';
import { isRecovering } from '../domain/segments.js';
import { type JoinedMedia, NothingToJoin, type Segment } from '../segments/join-segments.js';
import { SegmentJoiner } from '../segments/segment-joiner.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';

const CAUSE = 'recovery';

/** Puts a recording together from its segments whose file did not come. Any number of processes may be at it, and any may die. */
@Injectable()
export class RecoverRecording {
  private readonly log = new Logger('Recovery');

  constructor(
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly storage: ObjectStorage,
    private readonly joiner: SegmentJoiner,
    private readonly clock: Clock,
  ) {}

  /** Throws STORAGE_UNAVAILABLE where the storage could not be asked, which is never taken for "there are none". */
  async execute(id: RecordingId): Promise<void> {
    const recording = await this.store.get(id);
    if (recording === null || !isRecovering(recording)) return;
    const file = await this.storage.head(mediaKey(recording));
    if (file !== null && file.sizeBytes > 0) {
      const media = { sizeBytes: file.sizeBytes };
      await this.apply(
        id,
        { kind: 'media-looked-for', media, at: this.clock.now() },
        'its file came after all',
      );
      return;
    }
    try {
      await this.joiner.join(this.segmentsOf(recording), (joined, open) => this.put(recording, joined, open));
    } catch (error) {
      if (!(error instanceof NothingToJoin)) throw error;
      await this.giveUp(recording, error);
    }
  }

  private async put(recording: StoredRecording, joined: JoinedMedia, open: () => Readable): Promise<void> {
    const { id } = recording;
    // Another may have done it meanwhile, and the segments that were read last were gone already.
    const present = await this.store.get(id);
    if (present === null || !isRecovering(present)) return;
    const key = mediaKey(recording);
    await this.storage.write(key, open(), `${recording.audioOnly ? 'audio' : 'video'}/mp4`);
    const { sizeBytes, durationMs } = joined;
    this.log.log({
      event: 'segments_joined',
      message: `recording ${id} is put together from ${joined.joined} segments`,
      ...{ recordingId: id, segments: joined.joined, sizeBytes, durationMs },
      ...{ skipped: joined.skipped.length, gaps: joined.gaps.length },
      ...(joined.skipped.length > 0 && { firstSkipped: joined.skipped[0] }),
    });
    const fact = {
      kind: 'segments-joined',
      ...{ filename: posix.basename(key), sizeBytes, durationMs },
      ...{ missing: missingOf(joined), at: this.clock.now() },
    } as const;
    await this.apply(id, fact, `joined from ${joined.joined} segments`);
  }

  private async giveUp(recording: StoredRecording, { skipped }: NothingToJoin): Promise<void> {
    const [first] = skipped;
    const { prefix } = segmentKeys(recording);
    this.log.warn({
      event: 'segments_unusable',
      message: `nothing can be made of the ${skipped.length} segments of recording ${recording.id}; they are kept`,
      ...{ recordingId: recording.id, segments: skipped.length, first },
    });
    const fact = {
      kind: 'segments-unusable',
      why:
        first === undefined
          ? 'no segment of it was written'
          : `none of its ${skipped.length} segments can be read`,
      folder: first === undefined ? null : `${posix.dirname(prefix)}/`,
      at: this.clock.now(),
    } as const;
    await this.apply(recording.id, fact, 'nothing can be made of its segments');
  }

  private async apply(id: RecordingId, fact: Fact, reason: string): Promise<void> {
    await this.writer.apply(id, fact, CAUSE, reason);
  }

  /** In the order of their numbers; their names alone are held, and a recording is as long as its maximum duration at most. */
  private async *segmentsOf(recording: StoredRecording): AsyncIterable<Segment> {
    const { prefix } = segmentKeys(recording);
    const found: { readonly key: string; readonly number: number }[] = [];
    for await (const { key } of this.storage.list(prefix)) {
      const number = segmentNumber(key);
      if (number !== null) found.push({ key, number });
    }
    found.sort((a, b) => a.number - b.number);
    for (const { key } of found) yield { name: posix.basename(key), read: () => this.storage.get(key) };
  }
}

function missingOf({ gaps, skipped }: JoinedMedia): string | null {
  const lostMs = gaps.reduce((sum, gap) => sum + gap.lostMs, 0);
  if (lostMs > 0) return `${Math.round(lostMs / 100) / 10} s of which no segment could be read`;
  return skipped.length === 0 ? null : `${skipped.length} segments that could not be read`;
}
