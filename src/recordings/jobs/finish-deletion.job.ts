import { Injectable } from '@nestjs/common';
import { defineJob, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { patiently } from '../../queue/patiently.js';
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

  handle({ recordingId: id, roomId, audioOnly }: OfMedia): Promise<JobOutcome> {
    const subject = { id, roomId, audioOnly };
    return patiently(() => this.deletion.carryOut(subject, null), ['STORAGE_UNAVAILABLE'], STORAGE_AWAY_MS);
  }
}
