import { Injectable } from '@nestjs/common';
import { isTallyError } from '../../kernel/errors.js';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { EndEgress } from '../use-cases/end-egress.js';
import { ofEgress, type OfEgress } from './recording-payload.js';

export const stopEgress = defineJob<OfEgress>({
  queue: 'effects',
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

  async handle({ recordingId, roomId, egressId }: OfEgress): Promise<JobOutcome> {
    try {
      const inMs = await this.endEgress.stop({ recordingId, roomName: roomId, egressId });
      return inMs === null ? done : again(inMs);
    } catch (error) {
      // An egress that runs without right is asked to end for as long as it takes.
      if (isTallyError(error, 'LIVEKIT_UNAVAILABLE')) return again(UNANSWERED_MS);
      throw error;
    }
  }
}
