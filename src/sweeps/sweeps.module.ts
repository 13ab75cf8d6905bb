import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { LiveKitModule } from '../livekit/livekit.module.js';
import { LocksModule } from '../locks/locks.module.js';
import { RecordingsModule } from '../recordings/recordings.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { Breaker } from './breaker.js';
import { FirstReconciliationGate } from './first-reconciliation.gate.js';
import { SweepResolver } from './graphql/sweep.resolver.js';
import { LiveKitReconciliationSweep } from './livekit-reconciliation.sweep.js';
import { LookAtObjects } from './look-at-objects.js';
import { ForgottenRecordings } from './forgotten-recordings.js';
import { LookAtRows } from './look-at-rows.js';
import { OrphanedLocksSweep } from './orphaned-locks.sweep.js';
import { OperateSweeps } from './operate-sweeps.js';
import { RetentionSweep } from './retention.sweep.js';
import { RunSweepJob } from './run-sweep.job.js';
import { StaleRecordingsSweep } from './stale-recordings.sweep.js';
import { StorageReconciliationSweep } from './storage-reconciliation.sweep.js';
import { RedisSweepStore } from './store/redis-sweep.store.js';
import { SweepStore } from './store/sweep.store.js';
import { SweepTicker } from './sweep-ticker.js';
import { SweepRunner } from './sweep.runner.js';
import { Sweeps } from './sweeps.js';

@Module({
  imports: [DiscoveryModule, LocksModule, LiveKitModule, StorageModule, RoomsModule, RecordingsModule],
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
    OrphanedLocksSweep,
    RetentionSweep,
    LookAtObjects,
    LookAtRows,
    ForgottenRecordings,
    StorageReconciliationSweep,
    SweepResolver,
  ],
})
export class SweepsModule {}
