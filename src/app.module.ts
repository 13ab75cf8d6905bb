import { type DynamicModule, Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { BulkDeletionsModule } from './bulk-deletions/bulk-deletions.module.js';
import { ConfigModule } from './config/config.module.js';
import type { Config } from './config/config.js';
import type { Instance } from './config/instance.js';
import { GraphqlModule } from './graphql/graphql.module.js';
import { KeptModule } from './kept/kept.module.js';
import { IncidentsModule } from './incidents/incidents.module.js';
import type { Clock } from './kernel/clock.js';
import { LiveKitModule } from './livekit/livekit.module.js';
import { LocksModule } from './locks/locks.module.js';
import { MediaModule } from './media/media.module.js';
import { RecordingsCatalogModule } from './media/recordings-catalog.module.js';
import { ConsoleModule } from './ops/console.module.js';
import { OpsModule } from './ops/ops.module.js';
import { QueuesUiModule } from './ops/queues-ui.module.js';
import { QueueModule } from './queue/queue.module.js';
import { RebuildModule } from './rebuild/rebuild.module.js';
import { RecordingsModule } from './recordings/recordings.module.js';
import { RedisModule } from './redis/redis.module.js';
import { RoomDeletionModule } from './room-deletion/room-deletion.module.js';
import { RoomsModule } from './rooms/rooms.module.js';
import { ShareLinksModule } from './share-links/share-links.module.js';
import { StorageModule } from './storage/storage.module.js';
import { SweepsModule } from './sweeps/sweeps.module.js';
import { SystemModule } from './system/system.module.js';
import { WebhooksOutModule } from './webhooks-out/webhooks-out.module.js';

/** The only list of all modules. */
@Module({})
export class AppModule {
  static with(config: Config, clock?: Clock, instance?: Instance): DynamicModule {
    const foundation = [
      ScheduleModule.forRoot(),
      RedisModule,
      QueueModule,
      LocksModule,
      StorageModule,
      LiveKitModule,
      KeptModule,
      AuditModule,
      IncidentsModule,
      AuthModule,
    ];
    const features = [
      ApiKeysModule,
      RoomsModule,
      RecordingsModule,
      MediaModule.over(RecordingsCatalogModule),
      ShareLinksModule,
      WebhooksOutModule,
      BulkDeletionsModule,
      RoomDeletionModule,
      RebuildModule,
      SweepsModule,
    ];
    // A worker serves nothing but its health; see serveHealthAlone.
    const edges = config.role === 'worker' ? [] : [GraphqlModule.serving(), ConsoleModule, QueuesUiModule];
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config, clock, instance),
        ...foundation,
        ...features,
        ...edges,
        SystemModule,
        OpsModule,
      ],
    };
  }
}
