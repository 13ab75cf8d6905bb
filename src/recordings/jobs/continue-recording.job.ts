import { Injectable } from '@nestjs/common';
import { isTallyError } from '../../kernel/errors.js';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { ContinueRecording } from '../use-cases/continue-recording.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

export const continueRecording = defineJob<OfRecording>({
  queue: 'recorders',
  name: 'continue-recording',
  payload: ofRecording,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

const UNANSWERED_MS = 2_000;

@Injectable()
export class ContinueRecordingJob extends JobHandler<OfRecording> {
  readonly definition = continueRecording;

  constructor(private readonly continueRecording: ContinueRecording) {
    super();
  }

  async handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    try {
      const inMs = await this.continueRecording.execute(recordingId);
      return inMs === null ? done : again(inMs);
    } catch (error) {
      if (isTallyError(error, 'LIVEKIT_UNAVAILABLE')) return again(UNANSWERED_MS);
      throw error;
    }
  }
}
