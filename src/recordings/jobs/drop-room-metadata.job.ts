import { Injectable } from '@nestjs/common';
import { isTallyError } from '../../kernel/errors.js';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { MetadataArchive } from '../store/metadata-archive.js';
import { ofRoom, type OfRoom } from './recording-payload.js';

export const dropRoomMetadata = defineJob<OfRoom>({
  queue: 'effects',
  name: 'drop-room-metadata',
  payload: ofRoom,
  key: ({ roomId }) => roomId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

const STORAGE_AWAY_MS = 10_000;

@Injectable()
export class DropRoomMetadataJob extends JobHandler<OfRoom> {
  readonly definition = dropRoomMetadata;

  constructor(private readonly archive: MetadataArchive) {
    super();
  }

  async handle({ roomId }: OfRoom): Promise<JobOutcome> {
    try {
      await this.archive.dropRoom(roomId);
      return done;
    } catch (error) {
      if (isTallyError(error, 'STORAGE_UNAVAILABLE')) return again(STORAGE_AWAY_MS);
      throw error;
    }
  }
}
