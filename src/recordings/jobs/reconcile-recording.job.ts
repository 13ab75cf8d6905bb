import { Injectable } from '@nestjs/common';
import { defineJob, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { retryWhileUnavailable } from '../../queue/retry-while-unavailable.js';
import { ReconcileRecording } from '../use-cases/reconcile-recording.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

export const reconcileRecording = defineJob<OfRecording>({
  queue: 'recordings',
  name: 'reconcile-recording',
  payload: ofRecording,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

/** Who can't be asked is asked again after this, for as long as there is something to ask. */
const AWAY = ['LIVEKIT_UNAVAILABLE', 'STORAGE_UNAVAILABLE'] as const;
const UNANSWERED_MS = 2_000;

@Injectable()
export class ReconcileRecordingJob extends JobHandler<OfRecording> {
  readonly definition = reconcileRecording;

  constructor(private readonly reconcile: ReconcileRecording) {
    super();
  }

  handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    return retryWhileUnavailable(() => this.reconcile.execute(recordingId), AWAY, UNANSWERED_MS);
  }
}
