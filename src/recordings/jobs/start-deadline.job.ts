import { Injectable } from '@nestjs/common';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { PassStartDeadline } from '../use-cases/pass-start-deadline.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

export const startDeadline = defineJob<OfRecording>({
  queue: 'timers',
  name: 'start-deadline',
  payload: ofRecording,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 200 },
});

@Injectable()
export class StartDeadlineJob extends JobHandler<OfRecording> {
  readonly definition = startDeadline;

  constructor(private readonly deadline: PassStartDeadline) {
    super();
  }

  async handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    const inMs = await this.deadline.execute(recordingId);
    return inMs === null ? done : again(inMs);
  }
}
