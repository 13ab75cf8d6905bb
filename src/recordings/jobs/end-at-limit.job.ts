import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { durationLimitOf } from '../domain/deadlines.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

/** The maximum duration: LiveKit has no limit of its own per request. */
export const endAtLimit = defineJob<OfRecording>({
  queue: 'timers',
  name: 'end-at-limit',
  payload: ofRecording,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 200 },
});

@Injectable()
export class EndAtLimitJob extends JobHandler<OfRecording> {
  readonly definition = endAtLimit;

  constructor(
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** Being run is not being due: the row says when it is. */
  async handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    const recording = await this.store.get(recordingId);
    const dueAt = recording && durationLimitOf(recording);
    if (dueAt === null) return done;
    const leftMs = dueAt - this.clock.now();
    if (leftMs > 0) return again(leftMs);
    await this.writer.apply(recordingId, { kind: 'duration-limit-passed', at: this.clock.now() }, 'limit');
    return done;
  }
}
