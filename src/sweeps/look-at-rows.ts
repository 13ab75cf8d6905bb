import { Injectable } from '@nestjs/common';
import type { StoredRecording } from '../recordings/domain/recording.js';
import { MetadataArchive } from '../recordings/store/metadata-archive.js';
import { mediaKey, metadataKey } from '../storage/object-keys.js';
import { ObjectStorage } from '../storage/object-storage.port.js';
import { ForgottenRecordings } from './forgotten-recordings.js';
import { ON_ITS_WAY_MS } from './look-at-objects.js';
import type { ObjectsSeen } from './objects-seen.js';
import type { SweepPass } from './sweep.js';

/** Recordings whose objects are not in the bucket, or that nobody comes back to. What the list did not show is asked for by its name before it is told. */
@Injectable()
export class LookAtRows {
  constructor(
    private readonly storage: ObjectStorage,
    private readonly archive: MetadataArchive,
    private readonly forgotten: ForgottenRecordings,
  ) {}

  async look(pass: SweepPass, recording: StoredRecording, seen: ObjectsSeen, now: number): Promise<void> {
    const { id, hasMedia, updatedAt, upkeep } = recording;
    if (now - updatedAt < ON_ITS_WAY_MS) return;
    await this.forgotten.look(pass, recording);
    if (upkeep.deletion !== null) return;
    if (!seen.has(id, 'metadata') && (await this.isMissing(metadataKey(recording)))) {
      await pass.suspect(
        {
          kind: 'METADATA_MISSING',
          subject: id,
          action: 'write its record',
          detail: `${metadataKey(recording)} is not in the storage`,
        },
        () => this.archive.write(id),
      );
    }
    if (!hasMedia || seen.has(id, 'media')) return;
    const key = mediaKey(recording);
    if (!(await this.isMissing(key))) return;
    // The row stays as it is: whoever took the media away may bring it back, and the media's door answers MEDIA_GONE meanwhile.
    pass.note({
      kind: 'MEDIA_MISSING',
      subject: id,
      action: 'none: bring the media back, or delete the recording',
      detail: `${key} is not in the storage`,
    });
  }

  private async isMissing(key: string): Promise<boolean> {
    return (await this.storage.head(key)) === null;
  }
}
