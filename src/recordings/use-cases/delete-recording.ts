import { Injectable } from '@nestjs/common';
import { requireRecordingId, requireRecordingVisible, requireRight } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { TallyError } from '../../kernel/errors.js';
import type { RecordingId, RoomId } from '../../kernel/ids.js';
import { mediaKey, metadataKey } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';
import { isFinal, type StoredRecording } from '../domain/recording.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';

export interface DeletionSubject {
  readonly id: RecordingId;
  readonly roomId: RoomId;
  readonly audioOnly: boolean;
}

/** Media first, then the record. What stops half way is finished by a job that was filed before the first byte went. */
@Injectable()
export class DeleteRecording {
  constructor(
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly storage: ObjectStorage,
    private readonly clock: Clock,
  ) {}

  /** What was deleted, as it was. Throws STORAGE_UNAVAILABLE when it could not be finished now. */
  async execute(id: string, actor: Actor): Promise<StoredRecording> {
    const found = await this.store.get(requireRecordingId(id));
    const recording = requireRecordingVisible(actor, id, found?.upkeep.deleted ? null : found);
    requireRight(actor, 'delete', recording.roomId, 'delete a recording');
    if (!isFinal(recording.status)) {
      throw new TallyError(
        'RECORDING_NOT_STOPPED',
        `recording ${id} is ${recording.status}; stop it before deleting it`,
        {
          recordingId: id,
          roomId: recording.roomId,
        },
      );
    }
    await this.deleteAs(actor.name, recording);
    return recording;
  }

  /** For whoever may: a caller that was asked already, or the product itself. Of a final recording. Throws STORAGE_UNAVAILABLE. */
  async deleteAs(by: string, recording: DeletionSubject): Promise<void> {
    await this.writer.tell(recording.id, { kind: 'deletion-requested', by, at: this.clock.now() }, by);
    await this.carryOut(recording, by);
  }

  /** Safe to repeat, also when the row is gone: media that landed after the deletion goes the same way. */
  async carryOut(subject: DeletionSubject, cause: string | null): Promise<void> {
    const { id, roomId, audioOnly } = subject;
    // A crash in between leaves a record without media, which a sweep can see; the other order leaves a file nobody knows.
    await this.remove(mediaKey(roomId, id, audioOnly), id);
    await this.remove(metadataKey(roomId, id), id);
    const by = cause ?? (await this.store.get(id))?.upkeep.deletion?.by ?? 'deletion';
    await this.writer.tell(id, { kind: 'deleted', at: this.clock.now() }, by);
  }

  private async remove(key: string, id: RecordingId): Promise<void> {
    const result = (await this.storage.deleteMany([key])).get(key);
    if (result?.deleted) return;
    throw new TallyError(
      'STORAGE_UNAVAILABLE',
      `the storage did not delete everything of recording ${id}; it is tried again until it has`,
      {
        recordingId: id,
        cause: result,
      },
    );
  }
}
