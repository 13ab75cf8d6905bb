import { Injectable } from '@nestjs/common';
import { encodeRoomId } from '../../kernel/room-code.js';
import { defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { MetadataArchive } from '../store/metadata-archive.js';
import { ofRoom, type OfRoom } from './recording-payload.js';

export const dropRoomMetadata = defineJob<OfRoom>({
  queue: 'records',
  name: 'drop-room-metadata',
  payload: ofRoom,
  key: ({ roomId }) => encodeRoomId(roomId),
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

@Injectable()
export class DropRoomMetadataJob extends JobHandler<OfRoom> {
  readonly definition = dropRoomMetadata;

  constructor(private readonly archive: MetadataArchive) {
    super();
  }

  async handle({ roomId }: OfRoom): Promise<JobOutcome> {
    await this.archive.dropRoom(roomId);
    return done;
  }
}
