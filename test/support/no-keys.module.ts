import { Global, Module } from '@nestjs/common';
import { AuditLog } from '../../src/audit/audit-log.js';
import { KeptStore } from '../../src/kept/kept.store.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { MemoryKeptStore } from './memory-kept-store.js';

/** What AuthModule stands on, for an application without a Redis: no key but the environment's, and nobody who reads the audit log. */
@Global()
@Module({
  providers: [
    { provide: KeptStore, useClass: MemoryKeptStore },
    { provide: RedisConnections, useValue: { command: { hset: async () => 1 } } },
    { provide: AuditLog, useValue: { add: async () => undefined } },
  ],
  exports: [KeptStore, RedisConnections, AuditLog],
})
export class NoKeysModule {}
