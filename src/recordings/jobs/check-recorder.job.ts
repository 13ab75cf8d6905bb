import { Injectable } from '@nestjs/common';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { CheckRecorder } from '../use-cases/check-recorder.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

export const checkRecorder = defineJob<OfRecording>({
  queue: 'recorders',
  name: 'check-recorder',
  payload: ofRecording,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

@Injectable()
export class CheckRecorderJob extends JobHandler<OfRecording> {
  readonly definition = checkRecorder;

  constructor(private readonly check: CheckRecorder) {
    super();
  }

  async handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    const inMs = await this.check.execute(recordingId);
    return inMs === null ? done : again(inMs);
  }
}
