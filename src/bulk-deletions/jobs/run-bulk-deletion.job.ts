import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { type BulkDeletionId, parseBulkDeletionId } from '../../kernel/ids.js';
import { again, defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import { RunBulkDeletion } from '../use-cases/run-bulk-deletion.js';

interface OfBulkDeletion {
  readonly bulkDeletionId: BulkDeletionId;
}

export const runBulkDeletion = defineJob<OfBulkDeletion>({
  queue: 'deletions',
  name: 'run-bulk-deletion',
  payload: z.object({
    bulkDeletionId: z
      .string()
      .refine((text): text is BulkDeletionId => parseBulkDeletionId(text) !== null, 'is no bulk deletion id'),
  }),
  key: ({ bulkDeletionId }) => bulkDeletionId,
  mode: 'wake',
  options: { attempts: 20, backoffMs: 500 },
});

/** Step by step, so that many bulk deletions go on side by side however large each is. */
@Injectable()
export class RunBulkDeletionJob extends JobHandler<OfBulkDeletion> {
  readonly definition = runBulkDeletion;

  constructor(private readonly run: RunBulkDeletion) {
    super();
  }

  async handle({ bulkDeletionId }: OfBulkDeletion): Promise<JobOutcome> {
    const inMs = await this.run.execute(bulkDeletionId);
    return inMs === null ? done : again(inMs);
  }
}
