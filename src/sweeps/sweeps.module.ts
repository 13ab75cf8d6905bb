import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { LiveKitModule } from '../livekit/livekit.module.js';
import { LocksModule } from '../locks/locks.module.js';
import { RecordingsModule } from '../recordings/recordings.module.js';
import { Breaker } from './breaker.js';
import { FirstReconciliationGate } from './first-reconciliation.gate.js';
import { SweepResolver } from './graphql/sweep.resolver.js';
import { LiveKitReconciliationSweep } from './livekit-reconciliation.sweep.js';
import { OperateSweeps } from './operate-sweeps.js';
import { RunSweepJob } from './run-sweep.job.js';
import { StaleRecordingsSweep } from './stale-recordings.sweep.js';
import { RedisSweepStore } from './store/redis-sweep.store.js';
import { SweepStore } from './store/sweep.store.js';
import { SweepTicker } from './sweep-ticker.js';
import { SweepRunner } from './sweep.runner.js';
import { Sweeps } from './sweeps.js';

@Module({
  imports: [DiscoveryModule, LocksModule, LiveKitModule, RecordingsModule],
  providers: [
    { provide: SweepStore, useClass: RedisSweepStore },
    Sweeps,
    SweepRunner,
    SweepTicker,
    RunSweepJob,
    OperateSweeps,
    Breaker,
    FirstReconciliationGate,
    LiveKitReconciliationSweep,
    StaleRecordingsSweep,
    SweepResolver,
  ],
})
export class SweepsModule {}
