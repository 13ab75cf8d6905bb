import { Incidents } from '../../../src/incidents/incidents.port.js';
import { RateLimits } from '../../../src/auth/rate-limits.js';
import { KeptStore } from '../../../src/kept/kept.store.js';
import { DiscoveryService } from '@nestjs/core';
import { RunBulkDeletionJob } from '../../../src/bulk-deletions/jobs/run-bulk-deletion.job.js';
import { BulkDeletionStore } from '../../../src/bulk-deletions/store/bulk-deletion.store.js';
import { Config } from '../../../src/config/config.js';
import { Instance } from '../../../src/config/instance.js';
import { Clock } from '../../../src/kernel/clock.js';
import { Random } from '../../../src/kernel/random.js';
import { LiveKit } from '../../../src/livekit/livekit.port.js';
import { WebhookVerifier } from '../../../src/livekit/webhook.verifier.js';
import { Leases } from '../../../src/locks/leases.js';
import { JobHandler, JobQueue } from '../../../src/queue/define-job.js';
import { EventLog } from '../../../src/recordings/events/event-log.port.js';
import { LiveKitWebhookController } from '../../../src/recordings/ingest/livekit-webhook.controller.js';
import { ApplyLiveKitEventJob } from '../../../src/recordings/jobs/apply-livekit-event.job.js';
import { AutoRecordJob } from '../../../src/recordings/jobs/auto-record.job.js';
import { DropSegmentsJob } from '../../../src/recordings/jobs/drop-segments.job.js';
import { DropRoomMetadataJob } from '../../../src/recordings/jobs/drop-room-metadata.job.js';
import { FinishDeletionJob } from '../../../src/recordings/jobs/finish-deletion.job.js';
import { QueueEffects } from '../../../src/recordings/jobs/queue-effects.js';
import { ReconcileRecordingJob } from '../../../src/recordings/jobs/reconcile-recording.job.js';
import { RecoverRecordingJob } from '../../../src/recordings/jobs/recover-recording.job.js';
import { RemoveRecorderJob } from '../../../src/recordings/jobs/remove-recorder.job.js';
import { SignalRoomJob } from '../../../src/recordings/jobs/signal-room.job.js';
import { StopEgressJob } from '../../../src/recordings/jobs/stop-egress.job.js';
import { WriteMetadataJob } from '../../../src/recordings/jobs/write-metadata.job.js';
import { WorkerAvailability } from '../../../src/recordings/recorders/worker-availability.port.js';
import { RecorderLog } from '../../../src/recordings/recorders/recorder-log.port.js';
import { UnrecordedRooms } from '../../../src/recordings/recorders/unrecorded-rooms.js';
import { MemoryUnrecordedRooms } from '../../support/memory-unrecorded-rooms.js';
import { RecordingRestorer } from '../../../src/recordings/store/recording-restorer.port.js';
import { MissingRows } from '../../../src/recordings/store/missing-rows.port.js';
import { MissingRowsQueue } from '../../../src/recordings/store/missing-rows-queue.js';
import { RoomSlots } from '../../../src/recordings/store/room-slots.port.js';
import { RebuildLedger } from '../../../src/rebuild/rebuild-ledger.port.js';
import { DataEpoch } from '../../../src/redis/data-epoch.js';
import { RecordingStore } from '../../../src/recordings/store/recording.store.js';
import { EffectDispatcher } from '../../../src/recordings/write/effect-dispatcher.port.js';
import { RoomStore } from '../../../src/rooms/store/room.store.js';
import { ObjectStorage } from '../../../src/storage/object-storage.port.js';
import { OrphanedLocksSweep } from '../../../src/sweeps/orphaned-locks.sweep.js';
import { RetentionSweep } from '../../../src/sweeps/retention.sweep.js';
import { StorageReconciliationSweep } from '../../../src/sweeps/storage-reconciliation.sweep.js';
import { StaleRecordingsSweep } from '../../../src/sweeps/stale-recordings.sweep.js';
import { LiveKitReconciliationSweep } from '../../../src/sweeps/livekit-reconciliation.sweep.js';
import { RunSweepJob } from '../../../src/sweeps/run-sweep.job.js';
import type { Sweep } from '../../../src/sweeps/sweep.js';
import { SweepStore } from '../../../src/sweeps/store/sweep.store.js';
import { MemoryIncidents } from '../../support/memory-incidents.js';
import { UnknownWorkers } from '../../support/unknown-workers.js';
import { MemoryKeptStore } from '../../support/memory-kept-store.js';
import { SegmentJoiner } from '../../../src/recordings/segments/segment-joiner.js';
import { SimSegmentJoiner } from './sim-segment-joiner.js';
import type { Class, Wiring } from './wiring.js';

/** Every job handler and every sweep of the product that the simulation runs. */
export const JOBS: readonly Class[] = [
  AutoRecordJob,
  ApplyLiveKitEventJob,
  ReconcileRecordingJob,
  StopEgressJob,
  RemoveRecorderJob,
  RecoverRecordingJob,
  WriteMetadataJob,
  FinishDeletionJob,
  DropRoomMetadataJob,
  DropSegmentsJob,
  SignalRoomJob,
  RunSweepJob,
  RunBulkDeletionJob,
];
export const SWEEPS: readonly Class<Sweep>[] = [
  LiveKitReconciliationSweep,
  StaleRecordingsSweep,
  OrphanedLocksSweep,
  StorageReconciliationSweep,
  RetentionSweep,
];

/** What stands in for the technology behind each port. */
export interface Ports {
  readonly name: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: RecordingStore;
  readonly slots: RoomSlots;
  readonly restorer: RecordingRestorer;
  readonly rebuild: RebuildLedger;
  readonly bulkDeletions: BulkDeletionStore;
  readonly rooms: RoomStore;
  readonly events: EventLog;
  readonly leases: Leases;
  readonly jobs: JobQueue;
  readonly livekit: LiveKit;
  readonly storage: ObjectStorage;
  readonly recorders: RecorderLog;
  readonly sweeps: SweepStore;
  readonly verifier: WebhookVerifier;
}

/** One instance of the product over those ports. */
export function composeProduct(wiring: Wiring, ports: Ports): ReadonlyMap<string, JobHandler<unknown>> {
  wiring
    .bind(Instance, new Instance(ports.name))
    .bind(Config, ports.config)
    .bind(RateLimits as Class, { take: () => Promise.resolve() })
    .bind(Clock, ports.clock)
    .bind(Random, ports.random)
    .bind(RecordingStore, ports.store)
    .bind(RoomSlots, ports.slots)
    .bind(RecordingRestorer, ports.restorer)
    .bind(RebuildLedger, ports.rebuild)
    .bind(BulkDeletionStore, ports.bulkDeletions)
    .bind(KeptStore, new MemoryKeptStore())
    .bind(Incidents, new MemoryIncidents())
    .bind(SegmentJoiner, new SimSegmentJoiner())
    .bind(WorkerAvailability, new UnknownWorkers())
    .bind(RoomStore, ports.rooms)
    .bind(EventLog, ports.events)
    .bind(Leases, ports.leases)
    .bind(JobQueue, ports.jobs)
    .bind(LiveKit, ports.livekit)
    .bind(ObjectStorage, ports.storage)
    .bind(RecorderLog, ports.recorders)
    .bind(SweepStore, ports.sweeps)
    .bind(WebhookVerifier, ports.verifier)
    // Throws where Redis was reset, which the ticker takes for "not yet" as well.
    .bind(DataEpoch as Class, { read: async () => (await ports.events.end()).epoch })
    .bind(UnrecordedRooms, new MemoryUnrecordedRooms() as unknown as UnrecordedRooms)
    .bind(DiscoveryService as Class, {
      getProviders: () => wiring.all().map((instance) => ({ instance })),
    });
  wiring.bind(MissingRows as Class, wiring.make(MissingRowsQueue));
  wiring.bind(EffectDispatcher, wiring.make(QueueEffects));
  for (const sweep of SWEEPS) wiring.make(sweep);
  wiring.make(LiveKitWebhookController);
  const handlers = JOBS.map((job) => wiring.make(job) as unknown as JobHandler<unknown>);
  return new Map(handlers.map((handler) => [handler.definition.name, handler]));
}
