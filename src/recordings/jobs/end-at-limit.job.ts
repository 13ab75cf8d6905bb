import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

/** The maximum duration: LiveKit has no limit of its own per request. */
export const endAtLimit = defineJob<OfRecording>({
  queue: 'timers',
  name: 'end-at-limit',
  payload: ofRecording,
  key: ({ recordingId }) => recordingId,
  mode: 'once',
  options: { attempts: 20, backoffMs: 200, keepSeconds: 600 },
});

@Injectable()
export class EndAtLimitJob extends JobHandler<OfRecording> {
  readonly definition = endAtLimit;

  constructor(
    private readonly writer: RecordingWriter,
    private readonly clock: Clock,
  ) {
    super();
  }

  async handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    await this.writer.tell(recordingId, { kind: 'duration-limit-passed', at: this.clock.now() }, 'limit');
    return done;
  }
}
