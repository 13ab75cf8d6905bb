import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { EventLog } from '../recordings/events/event-log.port.js';
import { RedisEventLog } from '../recordings/events/redis-event-log.js';
import { MetadataArchive } from '../recordings/store/metadata-archive.js';
import { MissingRows } from '../recordings/store/missing-rows.port.js';
import { MissingRowsQueue } from '../recordings/store/missing-rows-queue.js';
import { RecordingRestorer } from '../recordings/store/recording-restorer.port.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { RedisRecordingPages } from '../recordings/store/redis-recording-pages.js';
import { RedisRecordingRestorer } from '../recordings/store/redis-recording-restorer.js';
import { RedisRecordingStore } from '../recordings/store/redis-recording.store.js';
import { RestoreGeneration } from '../recordings/store/restore-generation.js';
import { RestoreFromRecord } from '../recordings/use-cases/restore-from-record.js';
import { RedisModule } from '../redis/redis.module.js';
import { RedisRoomStore } from '../rooms/store/redis-room.store.js';
import { RoomArchive } from '../rooms/store/room-archive.js';
import { RoomStore } from '../rooms/store/room.store.js';
import { RoomSaver } from '../rooms/write/room-saver.js';
import { StorageModule } from '../storage/storage.module.js';
import { S3ObjectStorage } from '../storage/s3-object-storage.js';
import type { S3Storage } from '../storage/s3-faults.js';
import { ImportOpenViduMeet, ImportSource } from './import-openvidu-meet.js';

/** The import alone, without a queue, a door or a sweep. */
@Module({})
export class ImportCommandModule {
  static with(config: Config, source: S3Storage): DynamicModule {
    return {
      module: ImportCommandModule,
      imports: [ConfigModule.with(config), RedisModule, StorageModule],
      providers: [
        RedisRecordingPages,
        { provide: MissingRows, useClass: MissingRowsQueue },
        { provide: RecordingStore, useClass: RedisRecordingStore },
        { provide: RecordingRestorer, useClass: RedisRecordingRestorer },
        { provide: EventLog, useClass: RedisEventLog },
        { provide: RoomStore, useClass: RedisRoomStore },
        RoomArchive,
        RoomSaver,
        RestoreGeneration,
        MetadataArchive,
        RestoreFromRecord,
        {
          provide: ImportSource,
          inject: [Clock],
          useFactory: (clock: Clock) => new ImportSource(new S3ObjectStorage(source, clock)),
        },
        ImportOpenViduMeet,
      ],
    };
  }
}
