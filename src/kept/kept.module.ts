import { Global, Module } from '@nestjs/common';
import { StorageModule } from '../storage/storage.module.js';
import { KeptArchive } from './kept-archive.js';
import { KeptStore } from './kept.store.js';
import { KeptWriter } from './kept.writer.js';
import { RedisKeptStore } from './redis-kept.store.js';
import { UnsavedKeptRunner } from './unsaved-kept.runner.js';

/** What stands in Redis and, under `access/`, in the bucket. */
@Global()
@Module({
  imports: [StorageModule],
  providers: [{ provide: KeptStore, useClass: RedisKeptStore }, KeptArchive, KeptWriter, UnsavedKeptRunner],
  exports: [KeptStore, KeptWriter],
})
export class KeptModule {}
