import { Injectable } from '@nestjs/common';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { EndEgress } from '../use-cases/end-egress.js';
import { ofEgress, type OfEgress } from './recording-payload.js';

export const stopEgress = defineJob<OfEgress>({
  queue: 'egresses',
  name: 'stop-egress',
  payload: ofEgress,
  key: ({ egressId }) => egressId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

@Injectable()
export class StopEgressJob extends JobHandler<OfEgress> {
  readonly definition = stopEgress;

  constructor(private readonly endEgress: EndEgress) {
    super();
  }

  async handle({
    recordingId,
    roomId,
    egressId,
    why = 'it is to run no longer',
  }: OfEgress): Promise<JobOutcome> {
    // An egress that runs without right is asked to end for as long as it takes.
    const egress = { recordingId, roomName: roomId, egressId, reason: why };
    const inMs = await this.endEgress.stop(egress);
    return inMs === null ? done : again(inMs);
  }
}
