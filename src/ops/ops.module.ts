import { Module } from '@nestjs/common';
import { APP_FILTER, DiscoveryModule } from '@nestjs/core';
import { LiveKitModule } from '../livekit/livekit.module.js';
import { RecordingsModule } from '../recordings/recordings.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { Drain } from './drain.js';
import { HealthController } from './health.controller.js';
import { HttpErrors } from './http-errors.js';
import { BackendCounts } from './backend-counts.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsPort } from './metrics-port.js';
import { Metrics } from './metrics.js';
import { ProcessBeat } from './process-beat.js';
import { ReadinessProbe } from './readiness.js';
import { StorageHealth } from './storage-health.js';
import { Tracing } from './tracing.js';
import { WebhooksHeard } from './webhooks-heard.js';

@Module({
  imports: [DiscoveryModule, StorageModule, LiveKitModule, RecordingsModule],
  controllers: [HealthController, MetricsController],
  providers: [
    ReadinessProbe,
    StorageHealth,
    ProcessBeat,
    WebhooksHeard,
    Drain,
    BackendCounts,
    Metrics,
    MetricsPort,
    Tracing,
    { provide: APP_FILTER, useClass: HttpErrors },
  ],
  exports: [ReadinessProbe, WebhooksHeard],
})
export class OpsModule {}
