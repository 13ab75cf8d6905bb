import { Injectable } from '@nestjs/common';
import {
  defineJob,
  done,
  type JobDefinition,
  JobHandler,
  type JobOutcome,
  JobQueue,
  type QueueName,
} from '../../queue/define-job.js';
import { reconcileRecording } from './reconcile-recording.job.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

/**
 * Timers that version 1.0 left in Redis and in the outbox, each for one question. All of them are answered by judging the
 * recording, so each wakes it; nobody adds them any more.
 */
export const EARLIER_EFFECTS = [
  'pass-start-deadline',
  'end-at-limit',
  'check-recorder',
  'continue-recording',
];

const earlier = (queue: QueueName, name: string): JobDefinition<OfRecording> =>
  defineJob<OfRecording>({
    queue,
    name,
    payload: ofRecording,
    key: ({ recordingId }) => recordingId,
    mode: 'wake',
    options: { attempts: 20, backoffMs: 500 },
  });

@Injectable()
abstract class EarlierTimer extends JobHandler<OfRecording> {
  constructor(private readonly jobs: JobQueue) {
    super();
  }

  async handle(payload: OfRecording): Promise<JobOutcome> {
    await this.jobs.add(reconcileRecording, payload);
    return done;
  }
}

@Injectable()
class StartDeadlineTimer extends EarlierTimer {
  readonly definition = earlier('timers', 'start-deadline');
}

@Injectable()
class EndAtLimitTimer extends EarlierTimer {
  readonly definition = earlier('timers', 'end-at-limit');
}

@Injectable()
class CheckRecorderTimer extends EarlierTimer {
  readonly definition = earlier('recorders', 'check-recorder');
}

@Injectable()
class ContinueRecordingTimer extends EarlierTimer {
  readonly definition = earlier('recorders', 'continue-recording');
}

export const EARLIER_TIMERS = [
  StartDeadlineTimer,
  EndAtLimitTimer,
  CheckRecorderTimer,
  ContinueRecordingTimer,
];
