import { Global, Module } from '@nestjs/common';
import { AgreedTime } from './agreed-time.js';
import { RedisConnections } from './redis.connections.js';
import { DataEpoch } from './data-epoch.js';
import { RedisCondition } from './redis-condition.js';

@Global()
@Module({
  providers: [RedisConnections, DataEpoch, AgreedTime, RedisCondition],
  exports: [RedisConnections, DataEpoch, AgreedTime, RedisCondition],
})
export class RedisModule {}
