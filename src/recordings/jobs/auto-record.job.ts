import { Injectable } from '@nestjs/common';
import { encodeRoomId } from '../../kernel/room-code.js';
import { defineJob, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { retryWhileUnavailable } from '../../queue/retry-while-unavailable.js';
import { AutoRecord } from '../use-cases/auto-record.js';
import { ofRoom, type OfRoom } from './recording-payload.js';

export const autoRecord = defineJob<OfRoom>({
  queue: 'recordings',
  name: 'auto-record',
  payload: ofRoom,
  key: ({ roomId }) => encodeRoomId(roomId),
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

const UNANSWERED_MS = 2_000;

@Injectable()
export class AutoRecordJob extends JobHandler<OfRoom> {
  readonly definition = autoRecord;

  constructor(private readonly auto: AutoRecord) {
    super();
  }

  handle({ roomId }: OfRoom): Promise<JobOutcome> {
    return retryWhileUnavailable(() => this.auto.execute(roomId), ['LIVEKIT_UNAVAILABLE'], UNANSWERED_MS);
  }
}
