import { Injectable } from '@nestjs/common';
import { defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { EndEgress } from '../use-cases/end-egress.js';
import { ofEgress, type OfEgress } from './recording-payload.js';

export const removeRecorder = defineJob<OfEgress>({
  queue: 'egresses',
  name: 'remove-recorder',
  payload: ofEgress,
  key: ({ egressId }) => egressId,
  mode: 'once',
  options: { attempts: 20, backoffMs: 500 },
});

@Injectable()
export class RemoveRecorderJob extends JobHandler<OfEgress> {
  readonly definition = removeRecorder;

  constructor(private readonly endEgress: EndEgress) {
    super();
  }

  async handle({ recordingId, roomId, egressId, why = 'its egress is over' }: OfEgress): Promise<JobOutcome> {
    await this.endEgress.removeRecorder({ recordingId, roomName: roomId, egressId, reason: why });
    return done;
  }
}
