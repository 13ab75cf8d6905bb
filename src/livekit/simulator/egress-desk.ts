import {
  EgressInfo,
  EgressStatus,
  ListEgressRequest,
  ListEgressResponse,
  StopEgressRequest,
  TokenPagination,
  UpdateLayoutRequest,
  UpdateStreamRequest,
} from '@livekit/protocol';
import { checkOrder, type EgressOrder, orderOfKept } from './egress-order.js';
import { acceptedRecord, statusName } from './egress-record.js';
import type { EgressStore } from './egress-store.js';
import { type Fault, faultDelay, type FaultName } from './faults.js';
import { coresOf, type KeptRecorder, Recorder } from './recorder.js';
import type { RecorderSurroundings } from './recorder.types.js';
import type { SimulatedRoom } from './simulated-room.js';
import { ConnectionCut, overBus, ProxyRefusal, TwirpRefusal } from './twirp-refusal.js';
import type { Worker, WorkerFleet } from './worker-fleet.js';

/** How often workers are asked for one start: three times by each of two that retry. */
const ROUNDS = 9;
const NOBODY = 'no response from servers';

/** livekit-server's answers about egresses: what it knows itself, what a worker says, and what silence is taken for. */
export class EgressDesk {
  /** Null: everything in one answer, as the server does today. */
  pageSize: number | null = null;

  constructor(
    private readonly store: EgressStore,
    private readonly fleet: WorkerFleet,
    private readonly around: RecorderSurroundings,
  ) {}

  /** `withinMs`: after so long no worker is asked any more; one that has claimed it goes on, whoever still waits. */
  async start(order: EgressOrder, withinMs = Infinity): Promise<EgressInfo> {
    const until = this.around.scheduler.clock.now() + withinMs;
    const { faults, timings } = this.around;
    const proxy = order.outputs === 0 ? null : faults.strike('start-proxy-504', order.roomName);
    if (!proxy) return this.carryOut(order, until);
    // Nobody hears how it goes on.
    void this.carryOut(order, until).catch(() => undefined);
    await this.pause(faultDelay(proxy, 'slowStartMs', timings));
    throw new ProxyRefusal(504);
  }

  private async carryOut(order: EgressOrder, until: number): Promise<EgressInfo> {
    const room = this.around.rooms.get(order.roomName);
    // A start without any output is a question; what is set to strike starts is kept for one.
    const strike = (name: FaultName): Fault | null =>
      order.outputs === 0 ? null : this.around.faults.strike(name, room.name);
    if (strike('start-no-capacity')) await this.refuseLate();
    const slow = strike('start-slow');
    if (slow) await this.pause(faultDelay(slow, 'slowStartMs', this.around.timings));
    const worker = await this.findWorker(order, until);
    checkOrder(order);
    if (strike('start-refused-400')) {
      throw overBus('invalid_argument', 'request has missing or invalid field: preset');
    }
    if (strike('start-error')) throw overBus('internal', 'could not start the egress');
    const recorder = this.accept(worker, order, room);
    const asAccepted = recorder.info.clone();
    await this.launch(recorder, strike);
    return asAccepted;
  }

  list(request: ListEgressRequest): ListEgressResponse {
    const { faults } = this.around;
    const roomName = request.egressId ? this.roomOf(request.egressId) : request.roomName || null;
    if (faults.strike('list-fails', roomName)) throw new TwirpRefusal('unknown', 'redis: connection refused');
    const byRoom = !request.egressId && request.roomName !== '';
    const items = byRoom && faults.strike('list-empty', roomName) ? [] : this.store.list(request);
    if (this.pageSize === null || request.egressId) return new ListEgressResponse({ items });
    const from = Number(request.pageToken?.token ?? 0);
    const to = from + this.pageSize;
    const nextPageToken = to < items.length ? new TokenPagination({ token: String(to) }) : undefined;
    return new ListEgressResponse({ items: items.slice(from, to), nextPageToken });
  }

  async stop({ egressId }: StopEgressRequest): Promise<EgressInfo> {
    const { faults, timings } = this.around;
    const roomName = this.roomOf(egressId);
    if (faults.strike('stop-408', roomName)) {
      await this.pause(timings.silenceMs);
      throw overBus('deadline_exceeded', 'request timed out');
    }
    const recorder = await this.reach(egressId);
    if (!recorder) throw this.nobodyStops(egressId);
    if (!recorder.isUp) await this.waitUntilUp(recorder);
    if (recorder.isStopped) {
      await this.pause(timings.silenceMs);
      throw overBus('deadline_exceeded', 'request timed out');
    }
    recorder.end('StopEgress API');
    const stopped = recorder.info.clone();
    if (faults.strike('stop-no-answer', roomName)) await new Promise<never>(() => undefined);
    return stopped;
  }

  /** Of no use to a recording without a stream: the answer tells whether anybody serves it. */
  async updateStream({ egressId }: UpdateStreamRequest): Promise<never> {
    const recorder = await this.reach(egressId);
    const info = recorder?.info ?? this.store.find(egressId);
    if (!info) throw overBus('not_found', 'egress does not exist');
    const isAskable = info.status < EgressStatus.EGRESS_ENDING;
    if (!isAskable) {
      throw new TwirpRefusal(
        'failed_precondition',
        `egress with status ${statusName(info)} cannot be updated`,
      );
    }
    if (!recorder) throw overBus('unavailable', NOBODY);
    throw overBus('invalid_argument', 'UpdateStream called on non-streaming egress');
  }

  /** Needs no worker: only the recorder's participant is told. */
  updateLayout({ egressId, layout }: UpdateLayoutRequest): EgressInfo {
    const info = this.store.find(egressId);
    if (!info) throw overBus('not_found', 'egress does not exist');
    const room = this.around.rooms.get(info.roomName);
    this.around.rooms.participant(room, egressId).metadata = JSON.stringify({ layout });
    return info;
  }

  /** The recorder of another process goes on with a worker of this one. */
  resume(kept: KeptRecorder): void {
    const worker = this.fleet.get();
    const info = EgressInfo.fromJson(kept.info);
    const recorder = new Recorder(info, orderOfKept(kept.request), this.fleet.serviceOf(worker), this.around);
    worker.recorders.set(info.egressId, recorder);
    recorder.resume(kept);
  }

  roomOf(egressId: string): string | null {
    return this.store.find(egressId)?.roomName ?? null;
  }

  private accept(worker: Worker, order: EgressOrder, room: SimulatedRoom): Recorder {
    const { chance, scheduler } = this.around;
    const at = chance.nanoseconds(scheduler.clock.now());
    const info = acceptedRecord(chance.id('EG_'), order, room, at);
    this.store.create(info);
    const recorder = new Recorder(info, order, this.fleet.serviceOf(worker), this.around);
    worker.recorders.set(info.egressId, recorder);
    return recorder;
  }

  private async launch(recorder: Recorder, strike: (name: FaultName) => Fault | null): Promise<void> {
    const { launchMs } = this.around.timings;
    if (strike('handler-failed')) {
      recorder.failToLaunch();
      await this.pause(launchMs);
      throw overBus('internal', 'handler failed to start');
    }
    const late = strike('start-answer-late');
    recorder.launch(launchMs);
    await this.pause(late ? faultDelay(late, 'slowStartMs', this.around.timings) : launchMs);
    if (strike('start-answer-lost')) throw new ConnectionCut();
    if (strike('start-answer-error')) throw overBus('internal', 'context canceled');
    if (strike('start-answer-conflict')) throw overBus('already_exists', 'egress already exists');
  }

  /**
   * The worker that takes a start, after as long as its bid takes. Asked for round after round: one that comes up, or gets a
   * free place, in time takes it late. Throws 503 when none offers itself, 408 when the caller's time is over.
   */
  private async findWorker(order: EgressOrder, until: number): Promise<Worker> {
    const { chance, timings, scheduler } = this.around;
    const isOver = (): boolean => scheduler.clock.now() >= until;
    const roundMs = chance.between(timings.noWorkerMs) / ROUNDS;
    for (let round = 0; round < ROUNDS; round += 1) {
      if (isOver()) break;
      const first = this.fleet.offer(coresOf(order));
      if (first) {
        await this.pause(first.recorders.size > 0 ? timings.busyBidMs : timings.idleBidMs);
        const worker = this.fleet.offer(coresOf(order));
        if (worker && !isOver()) return worker;
      }
      await this.pause(roundMs);
    }
    if (isOver()) throw overBus('deadline_exceeded', 'context deadline exceeded');
    throw overBus('unavailable', NOBODY);
  }

  private async refuseLate(): Promise<never> {
    const { chance, timings } = this.around;
    await this.pause(chance.between(timings.noWorkerMs));
    throw overBus('unavailable', NOBODY);
  }

  /** The egress' recorder, asked for as long as LiveKit asks; null when nobody answers for it. */
  private async reach(egressId: string): Promise<Recorder | null> {
    const tries = 3;
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const recorder = this.fleet.recorder(egressId);
      if (recorder) return recorder;
      await this.pause(this.around.timings.silenceMs / tries);
    }
    return null;
  }

  /** A recorder that is still coming up holds the answer; the stop takes effect even when the asker has gone. */
  private async waitUntilUp(recorder: Recorder): Promise<void> {
    let isUp = false;
    const up = recorder.up.then(() => {
      isUp = true;
    });
    await Promise.race([up, this.pause(this.around.timings.stopWaitMs)]);
    if (isUp) return;
    void up.then(() => recorder.end('StopEgress API'));
    throw overBus('deadline_exceeded', 'request timed out');
  }

  private nobodyStops(egressId: string): TwirpRefusal {
    const info = this.store.find(egressId);
    if (!info) return overBus('not_found', 'egress does not exist');
    if (info.status < EgressStatus.EGRESS_ENDING) return overBus('deadline_exceeded', 'request timed out');
    return new TwirpRefusal(
      'failed_precondition',
      `egress with status ${statusName(info)} cannot be stopped`,
    );
  }

  private pause(ms: number): Promise<void> {
    return this.around.scheduler.pause(ms);
  }
}
