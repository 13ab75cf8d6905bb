import { Injectable } from '@nestjs/common';
import { defineJob, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { retryWhileUnavailable } from '../../queue/retry-while-unavailable.js';
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

const STORAGE_AWAY_MS = 5_000;

@Injectable()
export class WriteMetadataJob extends JobHandler<OfRecording> {
  readonly definition = writeMetadata;

  constructor(private readonly archive: MetadataArchive) {
    super();
  }

  handle({ recordingId }: OfRecording): Promise<JobOutcome> {
    return retryWhileUnavailable(
      () => this.archive.write(recordingId),
      ['STORAGE_UNAVAILABLE'],
      STORAGE_AWAY_MS,
    );
  }
}
