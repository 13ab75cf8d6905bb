import { Injectable } from '@nestjs/common';
import { requireRight } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { TallyError } from '../../kernel/errors.js';
import { artifactsOf, type HasObjects } from '../../storage/object-keys.js';
import { RecordingObjects } from '../../storage/recording-objects.js';
import { isFinal, type StoredRecording } from '../domain/recording.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { FindRecordings } from './find-recordings.js';

/** What a caller waits for the storage; what it has not done by then is finished by the job. */
const WAIT_MS = 8_000;

/** The objects first, then the row. What stops half way is finished by a job that was filed before the first byte went. */
@Injectable()
export class DeleteRecording {
  constructor(
    private readonly find: FindRecordings,
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly objects: RecordingObjects,
    private readonly clock: Clock,
  ) {}

  /** What was deleted, as it was. Throws STORAGE_UNAVAILABLE when it could not be finished now. */
  async execute(id: string, actor: Actor): Promise<StoredRecording> {
    const recording = await this.find.one(id, actor);
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
    await this.deleteAs(actor.name, recording, AbortSignal.timeout(WAIT_MS));
    return recording;
  }

  /** For whoever may: a caller that was asked already, or the product itself. Of a final recording. Throws STORAGE_UNAVAILABLE. */
  async deleteAs(by: string, recording: HasObjects, giveUp?: AbortSignal): Promise<void> {
    await this.writer.apply(recording.id, { kind: 'deletion-requested', by, at: this.clock.now() }, by);
    await this.carryOut(recording, by, giveUp);
  }

  /** Safe to repeat, also when the row is gone: media that landed after the deletion goes the same way. */
  async carryOut(subject: HasObjects, cause: string | null, giveUp?: AbortSignal): Promise<void> {
    const { id } = subject;
    await this.removeObjects(subject, giveUp);
    const by = cause ?? (await this.store.get(id))?.upkeep.deletion?.by ?? 'deletion';
    await this.writer.apply(id, { kind: 'deleted', at: this.clock.now() }, by);
  }

  private async removeObjects(subject: HasObjects, giveUp: AbortSignal | undefined): Promise<void> {
    const { id } = subject;
    const [removal] = await this.objects.remove([artifactsOf(subject)], giveUp);
    if (removal?.gone) return;
    throw new TallyError(
      'STORAGE_UNAVAILABLE',
      `the storage did not delete everything of recording ${id}; it is tried again until it has`,
      {
        recordingId: id,
        cause: removal,
      },
    );
  }
}
