import { Injectable } from '@nestjs/common';
import { defineJob, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { retryWhileUnavailable } from '../../queue/retry-while-unavailable.js';
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

  handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    return retryWhileUnavailable(
      () => this.continueRecording.execute(recordingId),
      ['LIVEKIT_UNAVAILABLE'],
      UNANSWERED_MS,
    );
  }
}
