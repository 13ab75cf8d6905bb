import { Module } from '@nestjs/common';
import { APP_FILTER, DiscoveryModule } from '@nestjs/core';
import { LiveKitModule } from '../livekit/livekit.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { Drain } from './drain.js';
import { HealthController } from './health.controller.js';
import { HttpErrors } from './http-errors.js';
import { ReadinessProbe } from './readiness.js';

@Module({
  imports: [DiscoveryModule, StorageModule, LiveKitModule],
  controllers: [HealthController],
  providers: [ReadinessProbe, Drain, { provide: APP_FILTER, useClass: HttpErrors }],
})
export class OpsModule {}
