import { Injectable } from '@nestjs/common';
import { defineJob, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { retryWhileUnavailable } from '../../queue/retry-while-unavailable.js';
import { DeleteRecording } from '../use-cases/delete-recording.js';
import { ofObjects, type OfObjects } from './recording-payload.js';

export const finishDeletion = defineJob<OfObjects>({
  queue: 'deletions',
  name: 'finish-deletion',
  payload: ofObjects,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

const STORAGE_AWAY_MS = 10_000;

@Injectable()
export class FinishDeletionJob extends JobHandler<OfObjects> {
  readonly definition = finishDeletion;

  constructor(private readonly deletion: DeleteRecording) {
    super();
  }

  handle({ recordingId: id, roomId }: OfObjects): Promise<JobOutcome> {
    return retryWhileUnavailable(
      () => this.deletion.carryOut({ id, roomId }, null),
      ['STORAGE_UNAVAILABLE'],
      STORAGE_AWAY_MS,
    );
  }
}
