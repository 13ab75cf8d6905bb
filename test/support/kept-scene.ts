import { MemoryIncidents } from './memory-incidents.js';
import { Instance } from '../../src/config/instance.js';
import { SystemRandom } from '../../src/kernel/random.js';
import { RedisKeptStore } from '../../src/kept/redis-kept.store.js';
import { LeaseKeeper } from '../../src/locks/lease-keeper.js';
import { RedisLeases } from '../../src/locks/leases.js';
import { LostAttempts } from '../../src/rebuild/lost-attempts.js';
import { Rebuild } from '../../src/rebuild/rebuild.js';
import { RebuildTurn } from '../../src/rebuild/rebuild-turn.js';
import { RedisRebuildLedger } from '../../src/rebuild/redis-rebuild-ledger.js';
import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import { RedisEventLog } from '../../src/recordings/events/redis-event-log.js';
import { MetadataArchive } from '../../src/recordings/store/metadata-archive.js';
import { RedisRecordingPages } from '../../src/recordings/store/redis-recording-pages.js';
import { RedisRecordingRestorer } from '../../src/recordings/store/redis-recording-restorer.js';
import { RedisRecordingStore } from '../../src/recordings/store/redis-recording.store.js';
import { RedisRoomSlots } from '../../src/recordings/store/redis-room-slots.js';
import { RestoreGeneration } from '../../src/recordings/store/restore-generation.js';
import { DropSegments } from '../../src/recordings/use-cases/drop-segments.js';
import { FindRecordings } from '../../src/recordings/use-cases/find-recordings.js';
import { MissingRowsQueue } from '../../src/recordings/store/missing-rows-queue.js';
import { DeleteRecording } from '../../src/recordings/use-cases/delete-recording.js';
import { FleetProbe } from '../../src/recordings/recorders/fleet-probe.js';
import { RedisRecorderLog } from '../../src/recordings/recorders/redis-recorder-log.js';
import { GatherEvidence } from '../../src/recordings/use-cases/gather-evidence.js';
import { LaunchEgress } from '../../src/recordings/use-cases/launch-egress.js';
import { ReconcileRecording } from '../../src/recordings/use-cases/reconcile-recording.js';
import { StartContinuation } from '../../src/recordings/use-cases/start-continuation.js';
import { OwnEgresses } from '../../src/recordings/use-cases/own-egresses.js';
import { EndEgress } from '../../src/recordings/use-cases/end-egress.js';
import { Unsettled } from '../../src/recordings/use-cases/unsettled.js';
import { RecordingWriter } from '../../src/recordings/write/recording.writer.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { DataEpoch } from '../../src/redis/data-epoch.js';
import { RedisRoomStore } from '../../src/rooms/store/redis-room.store.js';
import { RoomArchive } from '../../src/rooms/store/room-archive.js';
import { LookAtObjects } from '../../src/sweeps/look-at-objects.js';
import { ForgottenRecordings } from '../../src/sweeps/forgotten-recordings.js';
import { LookAtRows } from '../../src/sweeps/look-at-rows.js';
import { OrphanedLocksSweep } from '../../src/sweeps/orphaned-locks.sweep.js';
import { RestoreFromRecord } from '../../src/recordings/use-cases/restore-from-record.js';
import { RetentionSweep } from '../../src/sweeps/retention.sweep.js';
import { StorageReconciliationSweep } from '../../src/sweeps/storage-reconciliation.sweep.js';
import type { Sweep, SweepRun } from '../../src/sweeps/sweep.js';
import { SweepReport } from '../../src/sweeps/sweep-report.js';
import { mediaKey } from '../../src/storage/object-keys.js';
import { RecordingObjects } from '../../src/storage/recording-objects.js';
import { aConfig } from './a-config.js';
import { T0 } from './builders.js';
import { ListedLiveKit } from './listed-livekit.js';
import { MemoryObjectStorage } from './memory-object-storage.js';
import { NoDispatch } from './no-dispatch.js';
import { VirtualClock } from './virtual-clock.js';

/** What is kept, in Redis and in the bucket, and everything that brings the two together again; time is the test's. */
export class KeptScene {
  readonly clock = new VirtualClock(T0);
  readonly storage = new MemoryObjectStorage(() => this.clock.now());
  readonly livekit = new ListedLiveKit();
  readonly config;
  readonly connections;
  readonly store;
  readonly restorer;
  readonly rooms;
  readonly roomArchive;
  readonly writer;
  readonly archive;
  readonly mark;
  readonly events;
  readonly ledger;
  readonly rebuild;
  readonly turn;
  readonly slots;
  readonly leases;
  readonly sweeps;
  private candidates: ReadonlyMap<string, ReadonlySet<string>> = new Map();

  constructor(redisUrl: string) {
    const { clock, storage, livekit } = this;
    this.config = aConfig({ REDIS_URL: redisUrl });
    const connections = (this.connections = new RedisConnections(this.config));
    const store = (this.store = new RedisRecordingStore(
      connections,
      new RedisRecordingPages(connections, new MissingRowsQueue(clock)),
      clock,
    ));
    this.restorer = new RedisRecordingRestorer(connections, clock);
    this.rooms = new RedisRoomStore(connections);
    this.roomArchive = new RoomArchive(storage);
    this.writer = new RecordingWriter(store, new NoDispatch(), clock, new SystemRandom());
    this.archive = new MetadataArchive(store, this.rooms, storage);
    this.mark = new DataEpoch(connections);
    this.events = new RedisEventLog(connections, this.config, clock);
    this.ledger = new RedisRebuildLedger(connections, clock);
    const own = new OwnEgresses(storage);
    const returns = new RestoreGeneration(storage);
    const lost = new LostAttempts(livekit, own, storage, this.restorer, this.config, clock);
    this.rebuild = new Rebuild(
      this.ledger,
      storage,
      new RedisKeptStore(connections),
      this.rooms,
      this.restorer,
      returns,
      lost,
      this.config,
      clock,
    );
    this.leases = new RedisLeases(connections);
    const keeper = new LeaseKeeper(this.leases, clock, Instance.ofThisProcess());
    this.turn = new RebuildTurn(this.ledger, keeper, this.rebuild);
    this.slots = new RedisRoomSlots(connections, clock);
    const removal = new RecordingObjects(storage);
    const deletion = new DeleteRecording(
      new FindRecordings(store, new MissingRowsQueue(clock), clock),
      store,
      this.writer,
      removal,
      clock,
    );
    const restore = new RestoreFromRecord(storage, store, this.restorer, returns, this.events, clock);
    const segments = new DropSegments(store, storage, removal);
    const objects = new LookAtObjects(
      ...([storage, store, this.writer, this.archive, removal, restore, segments, clock] as const),
    );
    const forgotten = new ForgottenRecordings(store);
    const rows = new LookAtRows(storage, this.archive, forgotten);
    const recorders = new RedisRecorderLog(connections);
    const fleet = new FleetProbe(livekit, clock);
    const launch = new LaunchEgress(livekit, storage, this.writer, this.config, clock);
    const reconcile = new ReconcileRecording(
      store,
      this.writer,
      new GatherEvidence(store, this.rooms, livekit, storage, own, recorders, fleet, clock),
      recorders,
      launch,
      new StartContinuation(store, this.writer, livekit, fleet, launch, this.config, clock),
      deletion,
      new MemoryIncidents(),
      this.config,
      clock,
    );
    this.sweeps = {
      storage: new StorageReconciliationSweep(this.config, storage, store, objects, rows, clock),
      retention: new RetentionSweep(this.config, this.rooms, store, deletion),
      locks: new OrphanedLocksSweep(
        this.config,
        this.slots,
        this.leases,
        store,
        reconcile,
        livekit,
        own,
        new Unsettled(store),
        forgotten,
        recorders,
        new EndEgress(store, reconcile, livekit),
        clock,
      ),
    };
  }

  /** Stored as it is, and in the bucket as a job would write it; with media where it says so. */
  async keep(recording: StoredRecording): Promise<void> {
    const result = await this.writer.create(recording, [], 'test');
    if (result.kind !== 'done') throw new Error(result.kind);
    await this.archive.write(recording.id);
    if (recording.hasMedia) await this.putMedia(recording);
  }

  async putMedia(recording: StoredRecording): Promise<void> {
    await this.storage.put(mediaKey(recording), Buffer.from('media'), 'video/mp4');
  }

  /** One pass, with the candidates of the pass before. */
  async pass(sweep: Sweep, { dryRun = false } = {}): Promise<SweepRun> {
    const { name } = sweep;
    const report = new SweepReport(
      { id: 'pass', name, dryRun, manual: true, startedAt: this.clock.now(), cause: `sweep:${name}` },
      this.candidates.get(name) ?? new Set(),
      new AbortController().signal,
      (finding, error) => {
        throw new Error(`${finding.kind} ${finding.subject}`, { cause: error });
      },
    );
    await sweep.pass(report);
    if (!dryRun) this.candidates = new Map([...this.candidates, [name, report.candidates]]);
    return report.toRun(this.clock.now());
  }

  async end(): Promise<void> {
    await this.events.onApplicationShutdown();
    this.connections.onApplicationShutdown();
  }
}
