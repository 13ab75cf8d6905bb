import { Injectable } from '@nestjs/common';
import { defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
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

@Injectable()
export class FinishDeletionJob extends JobHandler<OfObjects> {
  readonly definition = finishDeletion;

  constructor(private readonly deletion: DeleteRecording) {
    super();
  }

  async handle({ recordingId: id, roomId }: OfObjects): Promise<JobOutcome> {
    await this.deletion.carryOut({ id, roomId }, null);
    return done;
  }
}
