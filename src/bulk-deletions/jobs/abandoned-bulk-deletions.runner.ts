import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { JobQueue } from '../../queue/define-job.js';
import { BulkDeletionStore } from '../store/bulk-deletion.store.js';
import { runBulkDeletion } from './run-bulk-deletion.job.js';

const LOOK_EVERY_MS = 2_000;
const AT_ONCE = 100;

/** Finds bulk deletions whose job never came to the queue or failed for good, on whichever instance looks first. */
@Injectable()
export class AbandonedBulkDeletionsRunner {
  private readonly log = new Logger('BulkDeletions');
  private looking = false;

  constructor(
    private readonly store: BulkDeletionStore,
    private readonly jobs: JobQueue,
  ) {}

  @Interval(LOOK_EVERY_MS)
  async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      for (const bulkDeletionId of await this.store.abandoned(AT_ONCE)) {
        await this.jobs.add(runBulkDeletion, { bulkDeletionId });
        this.log.log({ message: 'a bulk deletion is taken up again', bulkDeletionId });
      }
    } catch (error) {
      this.log.debug({ message: 'abandoned bulk deletions could not be looked for', cause: String(error) });
    } finally {
      this.looking = false;
    }
  }
}
