import { Global, Module } from '@nestjs/common';
import { RedisConnections } from './redis.connections.js';
import { WholeMark } from './whole-mark.js';

@Global()
@Module({ providers: [RedisConnections, WholeMark], exports: [RedisConnections, WholeMark] })
export class RedisModule {}
