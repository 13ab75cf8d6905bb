import { type FactoryProvider, Module } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { FileObjectStorage } from './file-object-storage.js';
import { FolderClaim } from './folder-claim.js';
import { ObjectStorage } from './object-storage.port.js';
import { RecordingObjects } from './recording-objects.js';
import { S3ObjectStorage } from './s3-object-storage.js';
import { StorageProbe } from './storage-probe.js';

/** The storage that the configuration names. */
export const OBJECT_STORAGE: FactoryProvider<ObjectStorage> = {
  provide: ObjectStorage,
  inject: [Config, Clock],
  useFactory: ({ storage }: Config, clock: Clock): ObjectStorage =>
    storage.kind === 's3'
      ? new S3ObjectStorage(storage, clock)
      : new FileObjectStorage(storage.folder, clock),
};

@Module({
  providers: [OBJECT_STORAGE, FolderClaim, RecordingObjects, StorageProbe],
  exports: [ObjectStorage, RecordingObjects, StorageProbe],
})
export class StorageModule {}
