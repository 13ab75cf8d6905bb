import { Injectable } from '@nestjs/common';
import { TallyError } from '../../kernel/errors.js';
import type { RecordingId } from '../../kernel/ids.js';
import { artifactsOf, mediaKey } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';
import { RecordingObjects } from '../../storage/recording-objects.js';
import { areSegmentsSpare } from '../domain/segments.js';
import { RecordingStore } from '../store/recording.store.js';

/** Removes the segments of a recording whose file is there: the bucket is asked before anything is deleted. */
@Injectable()
export class DropSegments {
  constructor(
    private readonly store: RecordingStore,
    private readonly storage: ObjectStorage,
    private readonly objects: RecordingObjects,
  ) {}

  /** Does nothing where they may be needed. Safe to repeat. Throws STORAGE_UNAVAILABLE where not all of them are gone. */
  async execute(id: RecordingId): Promise<void> {
    const recording = await this.store.get(id);
    if (recording === null || !areSegmentsSpare(recording) || recording.upkeep.deleted) return;
    const file = await this.storage.head(mediaKey(recording));
    if (file === null || file.sizeBytes === 0) return;
    const why = await this.objects.removeSegments(artifactsOf(recording));
    if (why === null) return;
    throw new TallyError(
      'STORAGE_UNAVAILABLE',
      `the storage did not delete the segments of recording ${id} (${why}); it is tried again until it has`,
      { recordingId: id },
    );
  }
}
