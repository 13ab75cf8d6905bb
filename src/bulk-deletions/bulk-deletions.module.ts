import { Module } from '@nestjs/common';
import { RecordingsModule } from '../recordings/recordings.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { BulkDeletionResolver } from './graphql/bulk-deletion.resolver.js';
import { AbandonedBulkDeletionsRunner } from './jobs/abandoned-bulk-deletions.runner.js';
import { RunBulkDeletionJob } from './jobs/run-bulk-deletion.job.js';
import { BulkDeletionNews } from './store/bulk-deletion-news.port.js';
import { BulkDeletionStore } from './store/bulk-deletion.store.js';
import { RedisBulkDeletionNews } from './store/redis-bulk-deletion-news.js';
import { RedisBulkDeletionStore } from './store/redis-bulk-deletion.store.js';
import { CollectRoom } from './use-cases/collect-room.js';
import { DeleteClaimed } from './use-cases/delete-claimed.js';
import { FindBulkDeletions } from './use-cases/find-bulk-deletions.js';
import { RequestBulkDeletion } from './use-cases/request-bulk-deletion.js';
import { RunBulkDeletion } from './use-cases/run-bulk-deletion.js';

@Module({
  imports: [RoomsModule, RecordingsModule, StorageModule],
  providers: [
    { provide: BulkDeletionStore, useClass: RedisBulkDeletionStore },
    { provide: BulkDeletionNews, useClass: RedisBulkDeletionNews },
    CollectRoom,
    DeleteClaimed,
    RunBulkDeletion,
    RequestBulkDeletion,
    FindBulkDeletions,
    RunBulkDeletionJob,
    AbandonedBulkDeletionsRunner,
    BulkDeletionResolver,
  ],
  exports: [BulkDeletionStore, RequestBulkDeletion],
})
export class BulkDeletionsModule {}
