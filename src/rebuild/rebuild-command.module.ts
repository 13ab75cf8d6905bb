import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { KeptStore } from '../kept/kept.store.js';
import { RedisKeptStore } from '../kept/redis-kept.store.js';
import { LiveKitModule } from '../livekit/livekit.module.js';
import { LocksModule } from '../locks/locks.module.js';
import { RecordingRestorer } from '../recordings/store/recording-restorer.port.js';
import { RedisRecordingRestorer } from '../recordings/store/redis-recording-restorer.js';
import { RestoreGeneration } from '../recordings/store/restore-generation.js';
import { OwnEgresses } from '../recordings/use-cases/own-egresses.js';
import { RedisModule } from '../redis/redis.module.js';
import { RedisRoomStore } from '../rooms/store/redis-room.store.js';
import { RoomStore } from '../rooms/store/room.store.js';
import { StorageModule } from '../storage/storage.module.js';
import { LostAttempts } from './lost-attempts.js';
import { Rebuild } from './rebuild.js';
import { RebuildLedger } from './rebuild-ledger.port.js';
import { RebuildTurn } from './rebuild-turn.js';
import { RedisRebuildLedger } from './redis-rebuild-ledger.js';

/** The rebuild alone, without a queue, a door or a sweep. */
@Module({})
export class RebuildCommandModule {
  static with(config: Config): DynamicModule {
    return {
      module: RebuildCommandModule,
      imports: [ConfigModule.with(config), RedisModule, LocksModule, StorageModule, LiveKitModule],
      providers: [
        { provide: KeptStore, useClass: RedisKeptStore },
        { provide: RoomStore, useClass: RedisRoomStore },
        { provide: RecordingRestorer, useClass: RedisRecordingRestorer },
        { provide: RebuildLedger, useClass: RedisRebuildLedger },
        RestoreGeneration,
        OwnEgresses,
        LostAttempts,
        Rebuild,
        RebuildTurn,
      ],
    };
  }
}
