import { type EgressInfo, EgressStatus } from '@livekit/protocol';
import type { EgressStore } from './egress-store.js';
import type { FaultBook } from './faults.js';
import type { Recorder } from './recorder.js';
import type { RecordingService } from './recorder.types.js';

/** One egress service process. */
export class Worker {
  readonly recorders = new Map<string, Recorder>();
  alive = true;
  /** Stopped by a signal, or starved: it neither hears nor speaks. */
  paused = false;
  /** What it has to report and could not yet: only the last of each egress. */
  readonly unreported = new Map<string, EgressInfo>();

  constructor(
    readonly id: string,
    readonly capacity: number,
    readonly cores: number,
  ) {}

  /** Whether it offers itself for an egress that needs so many cores. */
  hasRoomFor(cores: number): boolean {
    const taken = [...this.recorders.values()].reduce((sum, recorder) => sum + recorder.cores, 0);
    return this.recorders.size < this.capacity && taken + cores <= this.cores;
  }
}

/** The egress workers, and the message bus between them and livekit-server. */
export class WorkerFleet {
  private readonly workers = new Map<string, Worker>();
  private silent = false;
  private added = 0;

  constructor(
    private readonly store: EgressStore,
    private readonly faults: FaultBook,
  ) {}

  /** `cores`: those that its egresses share; one that has fewer than a composite costs never takes any. */
  add(capacity = 100, cores = Infinity): Worker {
    this.added += 1;
    const worker = new Worker(`worker-${this.added}`, capacity, cores);
    this.workers.set(worker.id, worker);
    return worker;
  }

  list(): Worker[] {
    return [...this.workers.values()];
  }

  /** The one named, or the first that is there. Throws when there is none. */
  get(id?: string): Worker {
    const worker = id === undefined ? this.list()[0] : this.workers.get(id);
    if (!worker) throw new Error(id === undefined ? 'there is no worker' : `there is no worker ${id}`);
    return worker;
  }

  /** A worker that takes another egress, by default the dearest kind; the least busy one. */
  offer(cores = 4): Worker | null {
    const free = this.list().filter((worker) => this.hears(worker) && worker.hasRoomFor(cores));
    return free.sort((a, b) => a.recorders.size - b.recorders.size)[0] ?? null;
  }

  /** The egress' recorder, where its worker answers for it. */
  recorder(egressId: string): Recorder | null {
    const worker = this.list().find(({ recorders }) => recorders.has(egressId));
    return worker && this.hears(worker) ? (worker.recorders.get(egressId) ?? null) : null;
  }

  /** Every recorder whose process lives, also those that nobody can ask. */
  recorders(): Recorder[] {
    return this.list().flatMap(({ recorders }) => [...recorders.values()]);
  }

  get isSilent(): boolean {
    return this.silent;
  }

  /** The worker, as its recording children know it. */
  serviceOf(worker: Worker): RecordingService {
    return {
      report: (info) => this.report(worker, info),
      childGone: (egressId) => worker.recorders.delete(egressId),
    };
  }

  /** A dead worker's report reaches nobody; a speechless one's comes later, the last alone. */
  private report(worker: Worker, info: EgressInfo): void {
    if (!worker.alive) return;
    const isBetween =
      info.status === EgressStatus.EGRESS_ACTIVE || info.status === EgressStatus.EGRESS_ENDING;
    if (isBetween && this.faults.strike('updates-coalesced', info.roomName)) return;
    if (this.hears(worker)) this.store.report(info);
    else worker.unreported.set(info.egressId, info.clone());
  }

  pause(worker: Worker): void {
    worker.paused = true;
  }

  resume(worker: Worker): void {
    worker.paused = false;
    this.catchUp();
  }

  setSilent(silent: boolean): void {
    this.silent = silent;
    this.catchUp();
  }

  /** The service dies; what becomes of its recording children is `withChild`. */
  kill(worker: Worker, withChild: boolean): void {
    worker.alive = false;
    worker.unreported.clear();
    for (const recorder of worker.recorders.values()) recorder.loseWorker(withChild);
    if (withChild) this.workers.delete(worker.id);
  }

  private hears(worker: Worker): boolean {
    return worker.alive && !worker.paused && !this.silent;
  }

  private catchUp(): void {
    for (const worker of this.list().filter((each) => this.hears(each))) {
      const unreported = [...worker.unreported.values()];
      worker.unreported.clear();
      for (const info of unreported) this.store.report(info);
    }
  }
}
