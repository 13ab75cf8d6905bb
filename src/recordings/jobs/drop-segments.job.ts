import { Injectable } from '@nestjs/common';
import { defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { DropSegments } from '../use-cases/drop-segments.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

export const dropSegments = defineJob<OfRecording>({
  queue: 'records',
  name: 'drop-segments',
  payload: ofRecording,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

@Injectable()
export class DropSegmentsJob extends JobHandler<OfRecording> {
  readonly definition = dropSegments;

  constructor(private readonly segments: DropSegments) {
    super();
  }

  async handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    await this.segments.execute(recordingId);
    return done;
  }
}
