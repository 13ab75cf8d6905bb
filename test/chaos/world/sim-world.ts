import type { EgressInfo } from '@livekit/protocol';
import { aConfig } from '../../support/a-config.js';
import type { Config } from '../../../src/config/config.js';
import type { Actor } from '../../../src/kernel/actor.js';
import type { RecordingId, RoomId } from '../../../src/kernel/ids.js';
import { toEgressSeen, toLiveKitEvent } from '../../../src/livekit/livekit.mapping.js';
import { isTerminal } from '../../../src/livekit/simulator/egress-record.js';
import type { StartEgress } from '../../../src/livekit/livekit.types.js';
import { SimulatorEngine } from '../../../src/livekit/simulator/engine.js';
import { InProcessLiveKit } from '../../../src/livekit/simulator/in-process.js';
import { bytesOf, UploadRefused } from '../../../src/livekit/simulator/recorded-media.js';
import type { WebhookDelivery } from '../../../src/livekit/simulator/webhook-http.js';
import type { Lease } from '../../../src/locks/lease.js';
import type { MediaProgress } from '../../../src/recordings/domain/evidence.js';
import { isOver, type StoredRecording } from '../../../src/recordings/domain/recording.js';
import type { JobHandler } from '../../../src/queue/define-job.js';
import { applyLiveKitEvent } from '../../../src/recordings/jobs/apply-livekit-event.job.js';
import type { RebuildRun } from '../../../src/rebuild/rebuild-ledger.port.js';
import type { StoredRoom } from '../../../src/rooms/store/room.store.js';
import type { Held } from '../../../src/sweeps/store/sweep.store.js';
import type { SweepRun } from '../../../src/sweeps/sweep.js';
import { metadataKey, parseMediaKey } from '../../../src/storage/object-keys.js';
import type { Dice } from './dice.js';
import { Incarnation } from './incarnation.js';
import { composeProduct } from './product.js';
import { SimClock } from './sim-clock.js';
import { SimEventLog } from './sim-event-log.js';
import { SimInstance } from './sim-instance.js';
import { JobTables } from './sim-job-queue.js';
import { JobFloor, SimJobQueue } from './sim-job-runner.js';
import { SimLeases } from './sim-leases.js';
import { SimLiveKit } from './sim-livekit.js';
import { SimRecorderLog } from './sim-recorder-log.js';
import { type SimBulk, SimBulkDeletionStore } from './sim-bulk-deletions.js';
import { SimRebuildLedger } from './sim-rebuild-ledger.js';
import { SimRecordingRestorer } from './sim-recording-restorer.js';
import { SimRoomSlots } from './sim-room-slots.js';
import { RecordingTables, SimRecordingStore } from './sim-recording-store.js';
import { SimRedis } from './sim-redis.js';
import { SimRoomStore } from './sim-room-store.js';
import { Bucket, SimStorage, STRANGERS_BUCKET } from './sim-storage.js';
import { SimSweepStore } from './sim-sweep-store.js';
import { TrustingVerifier } from './sim-webhooks.js';
import { Trace } from './trace.js';
import { Wiring } from './wiring.js';

const START = Date.UTC(2030, 0, 1);

/** Shorter rounds than in production, so that a run of minutes sees many of each. */
export const SIM_ENV = {
  RECORDING_MAX_DURATION: '10m',
  STALE_AFTER: '90s',
  ORPHANED_LOCK_GRACE: '20s',
  SWEEP_ORPHANED_LOCKS_EVERY: '30s',
  SWEEP_STALE_RECORDINGS_EVERY: '20s',
  SWEEP_LIVEKIT_RECONCILIATION_EVERY: '15s',
  SWEEP_STORAGE_RECONCILIATION_EVERY: '40s',
  SWEEP_RETENTION_EVERY: '60s',
};

let config: Config | null = null;

/** Everything that is there: LiveKit and its workers, one Redis, one bucket, some instances of the product, and one time for all. */
export class SimWorld {
  readonly clock = new SimClock(START);
  readonly trace: Trace;
  readonly redis: SimRedis;
  readonly recordings: RecordingTables;
  readonly rooms;
  readonly bulkDeletions;
  readonly rebuilds;
  readonly leases;
  readonly sweeps;
  readonly recorders;
  readonly jobs: JobTables;
  readonly floor: JobFloor;
  readonly bucket: Bucket;
  readonly engine: SimulatorEngine;
  readonly config: Config;
  readonly instances: (SimInstance | null)[] = [];
  /** Whoever watches which recordings LiveKit is asked to start. */
  readonly startsSent: ((id: RecordingId) => void)[] = [];
  /** What should never happen, whoever saw it. */
  readonly problems: string[] = [];
  /** Egresses that ran when LiveKit lost its records of them. */
  readonly unlisted = new Set<string>();
  /** Those of them whose worker could not be reached at some time since: nobody could know of them then. */
  readonly unreachable = new Set<string>();
  /** LiveKit lists no egress at all, falsely. */
  listsLookEmpty = false;
  /** Recordings that were ending, or had ended, by the last row that there was of them. */
  private readonly ending = new Set<string>();
  /** Recordings that somebody asked to delete, by themselves or with others, whatever the answer was. */
  readonly deletionAsked = new Set<string>();
  /** Recordings that somebody asked to stop, whatever the answer was. */
  readonly stopAsked = new Set<string>();
  /** Recordings whose stop a person was told is taken. */
  readonly stopTaken = new Map<string, { readonly at: number; readonly losses: number }>();
  /** The recording that each idempotency key started, as somebody was told. */
  private readonly keys = new Map<string, string>();
  /** When an egress' worker last answered that it lives. */
  readonly heard = new Map<string, number>();
  /** Recordings that came back from the bucket, with the versions they came back with: their log leaps there. */
  readonly restored = new Map<string, Set<number>>();
  /** Since when an egress' worker has been alive and not stopped, whoever can reach it, as seen every second. */
  private readonly living = new Map<string, number>();
  /** When the message bus was last seen silent, ms. */
  private busSilentAt = START;
  /** How far the clock of the instance in each place is off, ms. */
  skewsMs: readonly number[] = [];
  readonly door: InProcessLiveKit;
  private disturbedUntil = START;
  private hardUntil = START;

  constructor(
    readonly dice: Dice,
    { keptLines, detailed }: { readonly keptLines: number; readonly detailed: boolean },
  ) {
    config ??= aConfig(SIM_ENV);
    this.config = config;
    const { clock } = this;
    this.trace = new Trace(clock, keptLines, detailed);
    this.redis = new SimRedis(clock, dice.stream('redis'), this.trace);
    this.rooms = {
      rooms: this.redis.table<StoredRoom>(),
      unsaved: this.redis.table<number>(),
      deleted: this.redis.table<number>(),
      isRebuiltBy: (token: string) => this.isRebuiltBy(token),
    };
    this.bulkDeletions = this.redis.table<SimBulk>();
    this.rebuilds = { rebuild: this.redis.table<RebuildRun>(), clearRows: () => this.clearRows() };
    this.recordings = new RecordingTables(this.redis, this.rooms.rooms);
    this.leases = this.redis.table<Lease>();
    this.sweeps = {
      runs: this.redis.table<SweepRun>(),
      candidates: this.redis.table<ReadonlySet<string>>(),
      held: this.redis.table<Held>(),
    };
    this.recorders = {
      heard: this.redis.table<number>(),
      silent: this.redis.table<readonly number[]>(),
      seen: this.redis.table<number>(),
      left: this.redis.table<number>(),
      dead: this.redis.table<number>(),
      nudged: this.redis.table<number>(),
      progress: this.redis.table<MediaProgress>(),
    };
    this.jobs = new JobTables(this.redis);
    const { redis, trace } = this;
    this.floor = new JobFloor({ clock, redis, dice: dice.stream('jobs'), trace }, this.jobs);
    this.bucket = new Bucket(clock, dice.stream('bucket'));
    this.engine = this.makeEngine();
    this.door = new InProcessLiveKit(this.engine);
    this.recordings.meta.set('epoch', 'epoch-1');
    this.recordings.committed.push((_before, { id, status }) => {
      if (status === 'STARTING' || status === 'ACTIVE') this.ending.delete(id);
      else this.ending.add(id);
    });
  }

  /** Starts an instance in this place, a new life of it if there was one. */
  startInstance(place: number): void {
    const of = this.instances[place];
    if (of && !of.life.isDead) return;
    const life = new Incarnation(`i${place}`, this, this.skewsMs[place] ?? 0);
    const { redis, recordings } = this;
    const jobs = new SimJobQueue(this.jobs, redis, life);
    const wiring = new Wiring();
    const handlers = composeProduct(wiring, {
      name: `instance-${place}`,
      config: this.config,
      clock: life.clock,
      random: this.dice.stream(`random-${place}-${this.clock.now()}`),
      store: new SimRecordingStore(recordings, life),
      slots: new SimRoomSlots(recordings, life),
      restorer: new SimRecordingRestorer(recordings, this, life),
      rebuild: new SimRebuildLedger(this.rebuilds, recordings, life),
      bulkDeletions: new SimBulkDeletionStore(this.bulkDeletions, recordings, life),
      rooms: new SimRoomStore(this.rooms, recordings, life),
      events: new SimEventLog(recordings, life),
      leases: new SimLeases(redis, this.leases, life),
      jobs,
      livekit: new SimLiveKit(this.door, life, this),
      storage: new SimStorage(this.bucket, life),
      recorders: new SimRecorderLog(redis, this.recorders, life),
      sweeps: new SimSweepStore(redis, this.sweeps, life),
      verifier: this.verifier,
    });
    this.noteApplied(handlers.get(applyLiveKitEvent.name)!);
    const instance = new SimInstance(this, life, wiring, { of: life, queue: jobs, handlers });
    this.instances[place] = instance;
    this.trace.add(life.name, 'starts');
    instance.begin();
  }

  /** Which of LiveKit's events were applied to the end. */
  private noteApplied(job: JobHandler<unknown>): void {
    const handle = job.handle.bind(job);
    job.handle = async (payload) => {
      const outcome = await handle(payload);
      this.applied.add((payload as { event: { id: string } }).event.id);
      return outcome;
    };
  }

  killInstance(place: number): void {
    this.instances[place]?.life.die();
  }

  /** Those whose process exists, stopped ones too. */
  alive(): SimInstance[] {
    return this.instances.filter((instance) => instance !== null && !instance.life.isDead) as SimInstance[];
  }

  /** Redis is not whole, and whoever has this token rebuilds it. */
  isRebuiltBy(token: string): boolean {
    return !this.recordings.meta.has('epoch') && this.rebuilds.rebuild.get('rebuild')?.token === token;
  }

  /** A recording came back from the bucket with this version. */
  cameBack(id: RecordingId, version: number): void {
    this.trace.add('row', `${id} v${version} comes back`);
    this.restored.set(id, (this.restored.get(id) ?? new Set()).add(version));
  }

  /** The worker of this egress answered that it lives. */
  hear(egressId: string): void {
    this.heard.set(egressId, this.clock.now());
  }

  /** A person was told that the stop of this recording is taken. */
  takeStop(id: RecordingId): void {
    this.stopTaken.set(id, { at: this.clock.now(), losses: this.redis.losses });
  }

  /** A start was answered. One key starts one recording, unless Redis lost what it was told. */
  answerKey({ callerId }: Actor, key: string | null, id: RecordingId): void {
    if (key === null) return;
    const name = `${callerId} ${key}`;
    const before = this.keys.get(name);
    if (before !== undefined && before !== id && this.redis.losses === 0)
      this.problems.push(`I19: key ${key} started ${before} and ${id}`);
    const others = [...this.keys].find(([whose, of]) => whose !== name && of === id);
    if (others) this.problems.push(`I19: key ${name} answers with ${id}, which is that of ${others[0]}`);
    this.keys.set(name, id);
  }

  /** A start was told that its room is taken by this recording, which must not be its own. */
  refuseKey({ callerId }: Actor, key: string | null, id: string): void {
    if (key !== null && this.recordings.keys.get(`${callerId}\n${key}`)?.recordingId === id)
      this.problems.push(
        `I19: the start with key ${key} was told that its own recording ${id} is in its way`,
      );
  }

  /** I21: what Redis forgot is brought back from its record, not ended. */
  onStop(egressId: string): void {
    const found = this.runningEgresses().find(({ id }) => id === egressId);
    if (!found?.recording || this.row(found.recording) !== null) return;
    if (this.recordings.deleted.has(found.recording) || this.ending.has(found.recording)) return;
    const record = { id: found.recording, roomId: found.room as RoomId };
    if (this.bucket.get(metadataKey(record)) !== undefined)
      this.problems.push(`I21: ${egressId} is stopped although the record of ${record.id} is in the bucket`);
  }

  onStart({ output }: StartEgress): void {
    const id = parseMediaKey(output.filepath)?.recordingId;
    for (const tell of this.startsSent) if (id !== undefined) tell(id);
  }

  row(id: RecordingId): StoredRecording | null {
    return this.recordings.rows.get(id)?.doc ?? null;
  }

  rows(): StoredRecording[] {
    return [...this.recordings.rows.values()].map(({ doc }) => doc);
  }

  /** Something is not as it should be until then. `mild`: a start has to succeed all the same. */
  disturb(untilMs: number, how: 'mild' | 'hard' = 'hard'): void {
    this.disturbedUntil = Math.max(this.disturbedUntil, untilMs);
    if (how === 'hard') this.hardUntil = Math.max(this.hardUntil, untilMs);
  }

  /** For how long nothing has been wrong with the world. */
  get calmMs(): number {
    return Math.max(0, this.clock.now() - this.disturbedUntil);
  }

  /** For how long nothing has been so wrong that a start could fail for it. */
  get goodMs(): number {
    return Math.max(0, this.clock.now() - this.hardUntil);
  }

  /** Egresses whose process records or uploads, with the recording that their file names. */
  runningEgresses(): {
    readonly id: string;
    readonly room: string;
    readonly recording: RecordingId | null;
  }[] {
    const ours = this.engine.fleet.recorders().filter(({ info }) => !this.isStranger(info.egressId));
    return ours.map(({ info }) => ({
      id: info.egressId,
      room: info.roomName,
      recording: parseMediaKey(info.fileResults[0]?.filename ?? '')?.recordingId ?? null,
    }));
  }

  /** It is another deployment's. */
  isStranger(egressId: string): boolean {
    const info = this.engine.egress(egressId) ?? this.forgotten(egressId);
    return info !== null && toEgressSeen(info).bucket?.name === STRANGERS_BUCKET;
  }

  /** LiveKit has lost its record, its worker has it. */
  private forgotten(egressId: string): EgressInfo | null {
    return this.engine.fleet.recorders().find(({ info }) => info.egressId === egressId)?.info ?? null;
  }

  /** Looks whose worker lives; called every second. */
  look(): void {
    const workers = this.engine.fleet.list().filter(({ alive, paused }) => alive && !paused);
    const ids = new Set(workers.flatMap(({ recorders }) => [...recorders.keys()]));
    for (const id of [...this.living.keys()]) if (!ids.has(id)) this.living.delete(id);
    for (const id of ids) if (!this.living.has(id)) this.living.set(id, this.clock.now());
    if (this.engine.fleet.isSilent) this.busSilentAt = this.clock.now();
    for (const id of this.unlisted) if (this.engine.fleet.isSilent || !ids.has(id)) this.unreachable.add(id);
  }

  /** For how long its worker has been able to serve it; 0: it is not now. */
  aliveForMs(egressId: string): number {
    const since = this.living.get(egressId);
    const worker = this.engine.fleet.list().find(({ recorders }) => recorders.has(egressId));
    return since === undefined || !worker?.alive || worker.paused ? 0 : this.clock.now() - since;
  }

  /** For how long whoever is alive could be reached, at least since the run began. */
  busAnswersForMs(): number {
    return this.clock.now() - this.busSilentAt;
  }

  /** Its process is stopped: it hears of nothing, whoever calls. */
  isStopped(egressId: string): boolean {
    return this.engine.fleet
      .recorders()
      .some(({ info, isStopped }) => info.egressId === egressId && isStopped);
  }

  /** Its pipeline stands still, while its worker answers for it. */
  standsStill(egressId: string): boolean {
    return this.engine.fleet
      .recorders()
      .some(({ info, standsStill }) => info.egressId === egressId && standsStill);
  }

  /** It records no more, and uploads without a word to LiveKit. */
  endsUntold(egressId: string): boolean {
    return this.engine.fleet
      .recorders()
      .some(({ info, endsUntold }) => info.egressId === egressId && endsUntold);
  }

  /** Its recorder is in the room. */
  isInRoom(egressId: string): boolean {
    const room = this.engine.egress(egressId)?.roomName ?? '';
    return this.engine.rooms.find(room)?.participants.has(egressId) ?? false;
  }

  /** LiveKit lists it as running for ever, or has lost its record, and nobody is there that could end it. */
  hasDied(egressId: string): boolean {
    const info = this.engine.egress(egressId);
    if (info === null ? !this.unlisted.has(egressId) : isTerminal(info)) return false;
    return !this.engine.fleet.list().some(({ alive, recorders }) => alive && recorders.has(egressId));
  }

  /** The control question has an answer: a worker is there, and an open room to ask for it in. */
  canAskForWorker(): boolean {
    const { fleet, rooms } = this.engine;
    return !fleet.isSilent && fleet.offer() !== null && rooms.list([]).length > 0;
  }

  /** In progress for a client. */
  inProgress(): StoredRecording[] {
    return this.rows().filter((row) => !isOver(row));
  }

  /** Rows, and what is made of them. */
  private clearRows(): void {
    const { rows, slots, unsettled, outbox, events } = this.recordings;
    for (const table of [rows, slots, unsettled, outbox, events]) table.clear();
    for (const table of [this.rooms.rooms, this.rooms.unsaved]) table.clear();
    for (const table of Object.values(this.recorders)) table.clear();
    for (const table of [this.sweeps.candidates, this.sweeps.held]) table.clear();
    this.jobs.clearTimers();
  }

  private readonly applied = new Set<string>();
  private readonly verifier = new TrustingVerifier();

  private makeEngine(): SimulatorEngine {
    const dice = this.dice.stream('livekit');
    const engine = new SimulatorEngine({
      clock: this.clock,
      random: () => dice.next(),
      apiKey: 'devkey',
      apiSecret: 'devsecret-devsecret-devsecret-32x',
      makeSegment: async () => Buffer.from('segment'),
      writeMedia: async (output, chunks) => {
        if (this.bucket.away) throw new UploadRefused('S3 upload failed: connection refused');
        if (output.kind === 's3' && output.bucket === STRANGERS_BUCKET) return;
        this.trace.add('media', `arrives at ${output.filepath}`);
        this.bucket.set(output.filepath, bytesOf(chunks));
      },
    });
    engine.setReceiver((delivery) => this.deliver(delivery));
    return engine;
  }

  /** A balancer that knows no health: a dead instance refuses the connection. */
  private async deliver({ event, body, authorization }: WebhookDelivery): Promise<{ status: number }> {
    const instance = this.dice.pick(this.instances);
    if (!instance || instance.life.isDead) throw new Error('connection refused');
    this.verifier.know(body, event);
    const { losses } = this.redis;
    const status = await instance.receive(body, authorization);
    const subject = event.egressInfo?.egressId ?? event.participant?.identity ?? event.room?.name ?? '';
    const seen = event.egressInfo ? ` status ${event.egressInfo.status}` : '';
    this.trace.add('hook', `${event.event} ${subject}${seen} to ${instance.life.name}: ${status}`);
    // I11: what is answered 200 is applied or stored, where there is anything to be done about it.
    const stored =
      toLiveKitEvent(event, event.id).kind === 'other' ||
      this.applied.has(event.id) ||
      this.jobs.knows(`${applyLiveKitEvent.name}-${event.id}`);
    if (status === 200 && losses === this.redis.losses && !stored) {
      this.problems.push(`I11: ${event.event} was answered 200 and is not stored`);
    }
    if (status === 500) this.problems.push(`a webhook was answered 500: ${event.event}`);
    return { status };
  }
}
