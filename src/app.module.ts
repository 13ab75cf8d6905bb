import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule } from './config/config.module.js';
import type { Config } from './config/config.js';
import type { Instance } from './config/instance.js';
import type { Clock } from './kernel/clock.js';
import { LiveKitModule } from './livekit/livekit.module.js';
import { LocksModule } from './locks/locks.module.js';
import { OpsModule } from './ops/ops.module.js';
import { QueueModule } from './queue/queue.module.js';
import { RedisModule } from './redis/redis.module.js';
import { StorageModule } from './storage/storage.module.js';

/** The only list of all modules. */
@Module({})
export class AppModule {
  static with(config: Config, clock?: Clock, instance?: Instance): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config, clock, instance),
        RedisModule,
        QueueModule,
        LocksModule,
        StorageModule,
        LiveKitModule,
        OpsModule,
      ],
    };
  }
}
