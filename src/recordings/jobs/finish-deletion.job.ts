import { Injectable } from '@nestjs/common';
import { isTallyError } from '../../kernel/errors.js';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { DeleteRecording } from '../use-cases/delete-recording.js';
import { ofMedia, type OfMedia } from './recording-payload.js';

export const finishDeletion = defineJob<OfMedia>({
  queue: 'deletions',
  name: 'finish-deletion',
  payload: ofMedia,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

const STORAGE_AWAY_MS = 10_000;

@Injectable()
export class FinishDeletionJob extends JobHandler<OfMedia> {
  readonly definition = finishDeletion;

  constructor(private readonly deletion: DeleteRecording) {
    super();
  }

  async handle({ recordingId: id, roomId, audioOnly }: OfMedia): Promise<JobOutcome> {
    try {
      await this.deletion.carryOut({ id, roomId, audioOnly }, null);
      return done;
    } catch (error) {
      if (isTallyError(error, 'STORAGE_UNAVAILABLE')) return again(STORAGE_AWAY_MS);
      throw error;
    }
  }
}
