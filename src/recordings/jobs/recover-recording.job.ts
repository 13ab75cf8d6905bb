import { Injectable } from '@nestjs/common';
import { defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { RecoverRecording } from '../use-cases/recover-recording.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

export const recoverRecording = defineJob<OfRecording>({
  queue: 'recoveries',
  name: 'recover-recording',
  payload: ofRecording,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 5, backoffMs: 2_000 },
});

@Injectable()
export class RecoverRecordingJob extends JobHandler<OfRecording> {
  readonly definition = recoverRecording;

  constructor(private readonly recover: RecoverRecording) {
    super();
  }

  async handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    await this.recover.execute(recordingId);
    return done;
  }
}
