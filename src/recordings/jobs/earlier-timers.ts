import { Injectable } from '@nestjs/common';
import {
  defineJob,
  done,
  type JobDefinition,
  JobHandler,
  type JobOutcome,
  JobQueue,
} from '../../queue/define-job.js';
import type { QueueName } from '../../queue/queue-definitions.js';
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

const startDeadline = earlier('timers', 'start-deadline');
const endAtLimit = earlier('timers', 'end-at-limit');
const checkRecorder = earlier('recorders', 'check-recorder');
const continueRecording = earlier('recorders', 'continue-recording');

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
  readonly definition = startDeadline;
}

@Injectable()
class EndAtLimitTimer extends EarlierTimer {
  readonly definition = endAtLimit;
}

@Injectable()
class CheckRecorderTimer extends EarlierTimer {
  readonly definition = checkRecorder;
}

@Injectable()
class ContinueRecordingTimer extends EarlierTimer {
  readonly definition = continueRecording;
}

export const EARLIER_TIMERS = [
  StartDeadlineTimer,
  EndAtLimitTimer,
  CheckRecorderTimer,
  ContinueRecordingTimer,
];
