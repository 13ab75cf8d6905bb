import { Injectable } from '@nestjs/common';
import { isTallyError } from '../../kernel/errors.js';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { MetadataArchive } from '../store/metadata-archive.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

export const writeMetadata = defineJob<OfRecording>({
  queue: 'effects',
  name: 'write-metadata',
  payload: ofRecording,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

const STORAGE_AWAY_MS = 5_000;

@Injectable()
export class WriteMetadataJob extends JobHandler<OfRecording> {
  readonly definition = writeMetadata;

  constructor(private readonly archive: MetadataArchive) {
    super();
  }

  async handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    try {
      await this.archive.write(recordingId);
      return done;
    } catch (error) {
      if (isTallyError(error, 'STORAGE_UNAVAILABLE')) return again(STORAGE_AWAY_MS);
      throw error;
    }
  }
}
