import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { LiveKitModule } from '../livekit/livekit.module.js';
import { MissingRows } from '../recordings/store/missing-rows.port.js';
import { MissingRowsQueue } from '../recordings/store/missing-rows-queue.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { RedisRecordingPages } from '../recordings/store/redis-recording-pages.js';
import { RedisRecordingStore } from '../recordings/store/redis-recording.store.js';
import { OwnEgresses } from '../recordings/use-cases/own-egresses.js';
import { WebhooksHeard } from '../ops/webhooks-heard.js';
import { RedisModule } from '../redis/redis.module.js';
import { OBJECT_STORAGE } from '../storage/storage.module.js';
import { StorageProbe } from '../storage/storage-probe.js';
import { Unexplained } from '../system/unexplained.js';
import { Doctor } from './doctor.js';
import { ExamineLiveKit } from './examine-livekit.js';
import { ExamineRecordings } from './examine-recordings.js';
import { ExamineRedis } from './examine-redis.js';
import { ExamineSettings } from './examine-settings.js';
import { ExamineStorage } from './examine-storage.js';

/** What looks, without anything that does something by itself: no queue, no door, no sweep, no claim of a folder. */
@Module({})
export class DoctorModule {
  static with(config: Config): DynamicModule {
    return {
      module: DoctorModule,
      imports: [ConfigModule.with(config), RedisModule, LiveKitModule],
      providers: [
        OBJECT_STORAGE,
        StorageProbe,
        RedisRecordingPages,
        { provide: MissingRows, useClass: MissingRowsQueue },
        { provide: RecordingStore, useClass: RedisRecordingStore },
        OwnEgresses,
        Unexplained,
        WebhooksHeard,
        ExamineSettings,
        ExamineRedis,
        ExamineStorage,
        ExamineLiveKit,
        ExamineRecordings,
        Doctor,
      ],
    };
  }
}
