import { Injectable } from '@nestjs/common';
import { encodeRoomId } from '../../kernel/room-code.js';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
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

@Injectable()
export class AutoRecordJob extends JobHandler<OfRoom> {
  readonly definition = autoRecord;

  constructor(private readonly auto: AutoRecord) {
    super();
  }

  async handle({ roomId }: OfRoom): Promise<JobOutcome> {
    const inMs = await this.auto.execute(roomId);
    return inMs === null ? done : again(inMs);
  }
}
