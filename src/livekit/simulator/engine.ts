import { DisconnectReason, EgressInfo } from '@livekit/protocol';
import type { Clock } from '../../kernel/clock.js';
import { Chance, type Random, systemRandom } from './chance.js';
import { EgressDesk } from './egress-desk.js';
import { EgressStore } from './egress-store.js';
import { type Fault, FaultBook, type FaultName } from './faults.js';
import { recordFewSeconds, type RecordMedia, type WriteMedia } from './recorded-media.js';
import { CPU_USED, type KeptRecorder, type Recorder } from './recorder.js';
import type { RecorderSurroundings } from './recorder.types.js';
import { type KeptRoom, type OpenRoom, RoomBook } from './room-book.js';
import { RoomDesk, type SentData } from './room-desk.js';
import { type MakeSegment, makeRealSegment } from './segment-media.js';
import { Scheduler } from './scheduler.js';
import type { JoinKind } from './simulated-room.js';
import { REAL_TIMINGS, type SimulatorTimings } from './timings.js';
import { ConnectionCut, ProxyRefusal, TextRefusal } from './twirp-refusal.js';
import type { Answer, Call } from './twirp-methods.js';
import { Uploader } from './uploader.js';
import { WebhookEvents } from './webhook-events.js';
import type { WebhookReceiver } from './webhook-http.js';
import { WebhookOutbox } from './webhook-outbox.js';
import { type Worker, WorkerFleet } from './worker-fleet.js';

export interface SimulatorOptions {
  readonly clock: Clock;
  readonly writeMedia: WriteMedia;
  /** What segments are made of; absent: what plays. */
  readonly makeSegment?: MakeSegment;
  /** What is recorded; absent: a few seconds, whatever was asked for. */
  readonly recordMedia?: RecordMedia;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly timings?: SimulatorTimings;
  /** A seeded source makes everything that is left to chance repeatable, ids too. */
  readonly random?: Random;
}

export interface OpenLiveRoom extends OpenRoom {
  /** Identities of those who are in the room and publish from the beginning. */
  readonly publishers?: readonly string[];
}

/** Everything of a server that another process goes on with, as plain JSON. */
export interface KeptSimulator {
  readonly rooms: readonly KeptRoom[];
  /** In progress, and as many of the latest ended ones as are kept. */
  readonly egresses: readonly ReturnType<EgressInfo['toJson']>[];
  readonly recorders: readonly KeptRecorder[];
}

const MOST_KEPT_EGRESSES = 200;

/** How a running egress can be made to end without anybody's asking. */
export const FORCED_ENDS = [
  'source-closed',
  'limit-reached',
  /** Stopped by its worker's CPU guard: COMPLETE. */
  'cpu-stopped',
  /** Killed by it: FAILED, with its file. */
  'cpu-exhausted',
  'out-of-memory',
  'disk-full',
  'process-killed',
  'child-crash',
  'pipeline-failed',
] as const;

export type ForcedEnd = (typeof FORCED_ENDS)[number];

/**
 * A livekit-server with its egress workers, in memory and on a clock. Another one starts with fresh rooms and no egress,
 * unless it restores what this one kept. The doors are `InProcessLiveKit` and `WireServer`; the methods here are for whoever
 * directs the play.
 */
export class SimulatorEngine {
  readonly faults = new FaultBook();
  readonly rooms: RoomBook;
  readonly fleet: WorkerFleet;
  readonly clock: Clock;
  readonly timings: SimulatorTimings;
  private readonly scheduler: Scheduler;
  private readonly chance: Chance;
  private readonly outbox: WebhookOutbox;
  private readonly store: EgressStore;
  private readonly desks: { readonly egress: EgressDesk; readonly rooms: RoomDesk };
  private isDown = false;

  constructor(options: SimulatorOptions) {
    const { clock, timings = REAL_TIMINGS, random = systemRandom, makeSegment = makeRealSegment } = options;
    const scheduler = new Scheduler(clock);
    const chance = new Chance(random);
    this.clock = clock;
    this.timings = timings;
    this.scheduler = scheduler;
    this.chance = chance;
    this.outbox = new WebhookOutbox(scheduler, timings, chance, this.faults, options);
    const events = new WebhookEvents(clock, chance, (event) => this.outbox.send(event));
    this.rooms = new RoomBook(scheduler, timings, chance, events);
    this.store = new EgressStore(clock, timings, events);
    this.fleet = new WorkerFleet(this.store, this.faults);
    const uploader = new Uploader(options.writeMedia, options.recordMedia ?? recordFewSeconds, this.faults);
    const { faults, rooms, fleet } = this;
    const around: RecorderSurroundings = { scheduler, timings, chance, rooms, faults, uploader, makeSegment };
    this.desks = {
      egress: new EgressDesk(this.store, fleet, around),
      rooms: new RoomDesk(rooms, fleet, faults, scheduler, timings),
    };
    rooms.watcher = {
      published: ({ name }) => this.recordersIn(name).forEach((recorder) => recorder.signal()),
      recorderOut: (identity) => this.recorder(identity)?.roomLost(),
    };
    fleet.add();
  }

  /**
   * One request through either door; `withinMs`: what its caller told that it waits. Throws TwirpRefusal, TextRefusal or
   * ConnectionCut; never settles when silent.
   */
  async perform<A extends Answer>(call: Call<A>, token = '', withinMs?: number): Promise<A> {
    const room = call.room(this.desks);
    if (this.faults.strike('proxy-502', room)) throw new ProxyRefusal(502);
    if (this.isDown || this.faults.strike('unreachable', room)) throw new ConnectionCut();
    if (this.faults.strike('silent', room)) await new Promise<never>(() => undefined);
    if (this.faults.strike('bad-credentials', room)) {
      throw new TextRefusal(
        `invalid token: ${token}, error: go-jose/go-jose: error in cryptographic primitive`,
      );
    }
    await this.scheduler.pause(this.timings.answerMs);
    return call.answer(this.desks, withinMs);
  }

  /** The room that a request is about, as far as its grant goes. */
  roomOf(call: Call<Answer>): string | null {
    return call.room(this.desks);
  }

  /** Where webhooks go from now on; null: nowhere, and they are lost. */
  setReceiver(receiver: WebhookReceiver | null): void {
    this.outbox.receiver = receiver;
  }

  setFault(fault: Fault): void {
    this.faults.set(fault);
    const struck = fault.room === '*' ? this.fleet.recorders() : this.recordersIn(fault.room);
    for (const recorder of struck) recorder.strike();
  }

  clearFaults(name?: FaultName, room?: string): void {
    this.faults.clear(name, room);
  }

  /** A room in which the publishers are as if they had been for a while: its counts are shown at once. */
  openRoom(name: string, { publishers = ['somebody'], ...options }: OpenLiveRoom = {}): void {
    const room = this.rooms.open(name, options);
    for (const identity of publishers) {
      this.rooms.join(name, identity);
      this.rooms.publish(name, identity, ['audio', 'video']);
    }
    room.refreshShown();
  }

  join(roomName: string, identity: string, kind?: JoinKind): void {
    this.rooms.join(roomName, identity, kind);
  }

  publish(roomName: string, identity: string): void {
    this.rooms.publish(roomName, identity, ['audio', 'video']);
  }

  unpublish(roomName: string, identity: string): void {
    this.rooms.unpublish(roomName, identity);
  }

  leave(roomName: string, identity: string): void {
    this.rooms.leave(roomName, identity);
  }

  closeRoom(name: string): void {
    this.rooms.close(name, DisconnectReason.ROOM_DELETED);
  }

  /** The worker named, or all. With its child: as when a container dies; without: as when the service crashes. */
  killWorker({ id, withChild = true }: { readonly id?: string; readonly withChild?: boolean } = {}): void {
    for (const worker of this.chosen(id)) this.fleet.kill(worker, withChild);
  }

  pauseWorker(id?: string): void {
    for (const worker of this.chosen(id)) this.fleet.pause(worker);
  }

  resumeWorker(id?: string): void {
    for (const worker of this.chosen(id)) this.fleet.resume(worker);
  }

  /** Returns its id. A room's composite takes four of its cores, audio alone one. */
  addWorker(capacity?: number, cores?: number): string {
    return this.fleet.add(capacity, cores).id;
  }

  busSilent(silent: boolean): void {
    this.fleet.setSilent(silent);
  }

  /** Killed and started again: what it had to send is lost, its rooms look empty for a while, egresses go on. */
  restartServer(): void {
    this.isDown = true;
    this.outbox.forget();
    this.scheduler.after(this.timings.restartMs, () => {
      this.isDown = false;
      this.rooms.lookEmpty();
      this.scheduler.after(this.timings.roomsLookEmptyMs, () => this.rooms.restoredRecording());
    });
  }

  /** The server's database is lost; the recorders' processes go on where nobody sees them. */
  loseEverything(): void {
    this.store.forgetEverything();
    this.rooms.forgetEverything();
    this.outbox.forget();
  }

  /** Only its records of egresses are lost; rooms, workers and what they record go on. */
  loseEgresses(): void {
    this.store.forgetEverything();
  }

  /** The list of a busy day: so many ended ones, of which nobody is told. */
  plantEndedEgresses(count: number): void {
    this.store.plantEnded(count, () => this.chance.id('EG_'));
  }

  /** ListEgress answers in pages of that size from now on; null: all at once. */
  pageLists(size: number | null): void {
    this.desks.egress.pageSize = size;
  }

  /** The server's clock is so far ahead of ours, as the signatures of its webhooks show. */
  setClockAhead(ms: number): void {
    this.outbox.clockAheadMs = ms;
  }

  endEgress(egressId: string, how: ForcedEnd): void {
    const recorder = this.recorder(egressId);
    if (!recorder) throw new Error(`no recorder of ${egressId} runs`);
    if (how === 'source-closed') recorder.end('Source closed');
    if (how === 'limit-reached') recorder.reachLimit();
    if (how === 'cpu-stopped') recorder.end('CPU exhausted');
    if (how === 'cpu-exhausted') recorder.killGently('CPU exhausted', CPU_USED);
    if (how === 'out-of-memory') recorder.killGently('Process killed', 'OOM: 3.20 GB used');
    if (how === 'disk-full') recorder.breakDown('GStreamer error: No space left on the resource.');
    if (how === 'process-killed') recorder.killGently('Process killed', 'server is shutting down');
    if (how === 'child-crash') recorder.crash();
    if (how === 'pipeline-failed') recorder.breakDown();
  }

  /** Aged out of the list. */
  dropEgress(egressId: string): void {
    this.store.drop(egressId);
  }

  /** As the server has it now, without any wait or fault. */
  egress(egressId: string): EgressInfo | null {
    return this.store.find(egressId);
  }

  egresses(roomName?: string): EgressInfo[] {
    return this.store.list({ roomName });
  }

  /** Egresses whose recording process lives, whatever the list says of them. */
  runningEgressIds(roomName?: string): string[] {
    const running = roomName === undefined ? this.fleet.recorders() : this.recordersIn(roomName);
    return running.map(({ info }) => info.egressId);
  }

  sentData(roomName?: string): SentData[] {
    return this.desks.rooms.sent.filter((sent) => roomName === undefined || sent.roomName === roomName);
  }

  /** Faults, paused workers and what nobody could find again are not kept. */
  keep(): KeptSimulator {
    const latest = this.store.list({}).sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
    return {
      rooms: this.rooms.keep(),
      egresses: latest.slice(0, MOST_KEPT_EGRESSES).map((info) => info.toJson()),
      recorders: this.fleet.recorders().flatMap((recorder) => recorder.keep() ?? []),
    };
  }

  /** Goes on where another one was kept, as if it had run all the time. Throws for what no `keep` has made. */
  restore({ rooms, egresses, recorders }: KeptSimulator): void {
    const infos = egresses.map((json) => EgressInfo.fromJson(json));
    const recording = new Set(recorders.map(({ info }) => EgressInfo.fromJson(info).egressId));
    this.rooms.restore(rooms, recording);
    this.store.restore(infos);
    for (const kept of recorders) this.desks.egress.resume(kept);
  }

  /** Nothing happens any more; requests that wait are never answered. */
  close(): void {
    this.scheduler.close();
    this.outbox.forget();
  }

  private chosen(id: string | undefined): Worker[] {
    return id === undefined ? this.fleet.list() : [this.fleet.get(id)];
  }

  private recordersIn(roomName: string): Recorder[] {
    return this.fleet.recorders().filter(({ info }) => info.roomName === roomName);
  }

  private recorder(egressId: string): Recorder | null {
    return this.fleet.recorders().find(({ info }) => info.egressId === egressId) ?? null;
  }
}
