import { Injectable } from '@nestjs/common';
import { defineJob, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { retryWhileUnavailable } from '../../queue/retry-while-unavailable.js';
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

const UNANSWERED_MS = 2_000;

@Injectable()
export class StopEgressJob extends JobHandler<OfEgress> {
  readonly definition = stopEgress;

  constructor(private readonly endEgress: EndEgress) {
    super();
  }

  handle({ recordingId, roomId, egressId, why = 'it is to run no longer' }: OfEgress): Promise<JobOutcome> {
    // An egress that runs without right is asked to end for as long as it takes.
    const egress = { recordingId, roomName: roomId, egressId, reason: why };
    return retryWhileUnavailable(() => this.endEgress.stop(egress), ['LIVEKIT_UNAVAILABLE'], UNANSWERED_MS);
  }
}
