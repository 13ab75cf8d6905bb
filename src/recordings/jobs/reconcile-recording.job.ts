import { Injectable } from '@nestjs/common';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { ReconcileRecording } from '../use-cases/reconcile-recording.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

/** The one timer of a recording: it is judged, and says when that is worth the next time. */
export const reconcileRecording = defineJob<OfRecording>({
  queue: 'recordings',
  name: 'reconcile-recording',
  payload: ofRecording,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

@Injectable()
export class ReconcileRecordingJob extends JobHandler<OfRecording> {
  readonly definition = reconcileRecording;

  constructor(private readonly reconcile: ReconcileRecording) {
    super();
  }

  async handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    const inMs = await this.reconcile.execute(recordingId);
    return inMs === null ? done : again(inMs);
  }
}
