import { Injectable } from '@nestjs/common';
import { defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { MetadataArchive } from '../store/metadata-archive.js';
import { ofRecording, type OfRecording } from './recording-payload.js';

export const writeMetadata = defineJob<OfRecording>({
  queue: 'records',
  name: 'write-metadata',
  payload: ofRecording,
  key: ({ recordingId }) => recordingId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

@Injectable()
export class WriteMetadataJob extends JobHandler<OfRecording> {
  readonly definition = writeMetadata;

  constructor(private readonly archive: MetadataArchive) {
    super();
  }

  async handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    await this.archive.write(recordingId);
    return done;
  }
}
