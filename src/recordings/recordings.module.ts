import { Module } from '@nestjs/common';
import { LiveKitModule } from '../livekit/livekit.module.js';
import { MediaLinksModule } from '../media/media-links.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { EventLog } from './events/event-log.port.js';
import { RedisEventLog } from './events/redis-event-log.js';
import { RecordingEventsResolver } from './graphql/recording-events.resolver.js';
import { RecordingResolver } from './graphql/recording.resolver.js';
import { RoomRecordingsResolver } from './graphql/room-recordings.resolver.js';
import { LiveKitWebhookController } from './ingest/livekit-webhook.controller.js';
import { ApplyLiveKitEventJob } from './jobs/apply-livekit-event.job.js';
import { AutoRecordJob } from './jobs/auto-record.job.js';
import { DropSegmentsJob } from './jobs/drop-segments.job.js';
import { DropRoomMetadataJob } from './jobs/drop-room-metadata.job.js';
import { EARLIER_TIMERS } from './jobs/earlier-timers.js';
import { FinishDeletionJob } from './jobs/finish-deletion.job.js';
import { QueueEffects } from './jobs/queue-effects.js';
import { ReconcileRecordingJob } from './jobs/reconcile-recording.job.js';
import { RecoverRecordingJob } from './jobs/recover-recording.job.js';
import { RemoveRecorderJob } from './jobs/remove-recorder.job.js';
import { SignalRoomJob } from './jobs/signal-room.job.js';
import { StopEgressJob } from './jobs/stop-egress.job.js';
import { WriteMetadataJob } from './jobs/write-metadata.job.js';
import { FleetProbe } from './recorders/fleet-probe.js';
import { RecorderLog } from './recorders/recorder-log.port.js';
import { UnrecordedRooms } from './recorders/unrecorded-rooms.js';
import { RedisWorkerAvailability } from './recorders/redis-worker-availability.js';
import { WorkerAvailability } from './recorders/worker-availability.port.js';
import { WorkerCanary } from './recorders/worker-canary.js';
import { RedisRecorderLog } from './recorders/redis-recorder-log.js';
import { SegmentJoiner } from './segments/segment-joiner.js';
import { MetadataArchive } from './store/metadata-archive.js';
import { RecordingRestorer } from './store/recording-restorer.port.js';
import { RecordingStore } from './store/recording.store.js';
import { MissingRowsQueue } from './store/missing-rows-queue.js';
import { MissingRowsRunner } from './jobs/missing-rows.runner.js';
import { MissingRows } from './store/missing-rows.port.js';
import { RedisRecordingPages } from './store/redis-recording-pages.js';
import { RedisRecordingRestorer } from './store/redis-recording-restorer.js';
import { RedisRecordingStore } from './store/redis-recording.store.js';
import { RedisRoomSlots } from './store/redis-room-slots.js';
import { RestoreGeneration } from './store/restore-generation.js';
import { RoomSlots } from './store/room-slots.port.js';
import { AutoRecord } from './use-cases/auto-record.js';
import { ApplyLiveKitEvent } from './use-cases/apply-livekit-event.js';
import { DeleteRecording } from './use-cases/delete-recording.js';
import { DropSegments } from './use-cases/drop-segments.js';
import { EndEgress } from './use-cases/end-egress.js';
import { FindRecordings } from './use-cases/find-recordings.js';
import { FollowRecordings } from './use-cases/follow-recordings.js';
import { GatherEvidence } from './use-cases/gather-evidence.js';
import { LaunchEgress } from './use-cases/launch-egress.js';
import { OwnEgresses } from './use-cases/own-egresses.js';
import { ReconcileEgress } from './use-cases/reconcile-egress.js';
import { ReconcileRecording } from './use-cases/reconcile-recording.js';
import { RecoverRecording } from './use-cases/recover-recording.js';
import { RestoreFromRecord } from './use-cases/restore-from-record.js';
import { StartContinuation } from './use-cases/start-continuation.js';
import { StartOutcome } from './use-cases/start-outcome.js';
import { StartRecording } from './use-cases/start-recording.js';
import { StopRecording } from './use-cases/stop-recording.js';
import { Unsettled } from './use-cases/unsettled.js';
import { EffectDispatcher } from './write/effect-dispatcher.port.js';
import { RecordingWriter } from './write/recording.writer.js';

const adapters = [
  RedisRecordingPages,
  MissingRowsQueue,
  { provide: MissingRows, useExisting: MissingRowsQueue },
  { provide: RecordingStore, useClass: RedisRecordingStore },
  { provide: EventLog, useClass: RedisEventLog },
  { provide: EffectDispatcher, useClass: QueueEffects },
  { provide: RecorderLog, useClass: RedisRecorderLog },
  { provide: RecordingRestorer, useClass: RedisRecordingRestorer },
  { provide: RoomSlots, useClass: RedisRoomSlots },
  { provide: WorkerAvailability, useClass: RedisWorkerAvailability },
  RestoreGeneration,
  MetadataArchive,
  SegmentJoiner,
  UnrecordedRooms,
];

const useCases = [
  AutoRecord,
  RecordingWriter,
  StartRecording,
  StartOutcome,
  LaunchEgress,
  StopRecording,
  EndEgress,
  DeleteRecording,
  DropSegments,
  FindRecordings,
  FollowRecordings,
  ReconcileRecording,
  ApplyLiveKitEvent,
  OwnEgresses,
  RecoverRecording,
  RestoreFromRecord,
  Unsettled,
  FleetProbe,
  WorkerCanary,
  GatherEvidence,
  StartContinuation,
  ReconcileEgress,
];

const jobs = [
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
  ...EARLIER_TIMERS,
];

/** What the sweeps, the rebuild, deletions and what is made of events are made with; everything else is this module's own. */
const forOthers = [
  RecordingStore,
  RecordingRestorer,
  RestoreGeneration,
  MetadataArchive,
  RoomSlots,
  EventLog,
  RecorderLog,
  WorkerAvailability,
  FleetProbe,
  RecordingWriter,
  StopRecording,
  EndEgress,
  DeleteRecording,
  DropSegments,
  FindRecordings,
  Unsettled,
  AutoRecord,
  OwnEgresses,
  ReconcileRecording,
  ReconcileEgress,
  RestoreFromRecord,
  EndEgress,
];

@Module({
  imports: [RoomsModule, LiveKitModule, StorageModule, MediaLinksModule],
  controllers: [LiveKitWebhookController],
  providers: [
    ...adapters,
    ...useCases,
    ...jobs,
    MissingRowsRunner,
    RecordingResolver,
    RoomRecordingsResolver,
    RecordingEventsResolver,
  ],
  exports: [...forOthers],
})
export class RecordingsModule {}
