import { Injectable } from '@nestjs/common';
import { isTallyError } from '../../kernel/errors.js';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
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
const UNANSWERED_MS = 2_000;

@Injectable()
export class ReconcileRecordingJob extends JobHandler<OfRecording> {
  readonly definition = reconcileRecording;

  constructor(private readonly reconcile: ReconcileRecording) {
    super();
  }

  async handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    try {
      const inMs = await this.reconcile.execute(recordingId);
      return inMs === null ? done : again(inMs);
    } catch (error) {
      if (isTallyError(error, 'LIVEKIT_UNAVAILABLE') || isTallyError(error, 'STORAGE_UNAVAILABLE'))
        return again(UNANSWERED_MS);
      throw error;
    }
  }
}
