import { Global, Module } from '@nestjs/common';
import { AgreedTime } from './agreed-time.js';
import { RedisConnections } from './redis.connections.js';
import { WholeMark } from './whole-mark.js';

@Global()
@Module({
  providers: [RedisConnections, WholeMark, AgreedTime],
  exports: [RedisConnections, WholeMark, AgreedTime],
})
export class RedisModule {}
