import { Global, Module } from '@nestjs/common';
import { LeaseKeeper } from './lease-keeper.js';
import { Leases, RedisLeases } from './leases.js';

@Global()
@Module({
  providers: [{ provide: Leases, useClass: RedisLeases }, LeaseKeeper],
  exports: [Leases, LeaseKeeper],
})
export class LocksModule {}
