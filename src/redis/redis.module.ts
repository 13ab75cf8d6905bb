import { Global, Module } from '@nestjs/common';
import { AgreedTime } from './agreed-time.js';
import { RedisConnections } from './redis.connections.js';
import { DataEpoch } from './data-epoch.js';

@Global()
@Module({
  providers: [RedisConnections, DataEpoch, AgreedTime],
  exports: [RedisConnections, DataEpoch, AgreedTime],
})
export class RedisModule {}
