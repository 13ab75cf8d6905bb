import { parseRoomId, type RoomId } from '../../src/kernel/ids.js';
import { newRoom } from '../../src/rooms/domain/room.js';
import { RoomArchive } from '../../src/rooms/store/room-archive.js';
import { allInvariants } from './invariants/all.js';
import type { Invariant } from './invariants/invariant.js';
import { drawPlan } from './plan/draw-plan.js';
import { Performer } from './plan/perform.js';
import type { Plan } from './plan/plan.js';
import { Dice } from './world/dice.js';
import { withSeededIds } from './world/seeded-ids.js';
import { SimWorld } from './world/sim-world.js';

/** After the last fault is healed the meetings go on for a while and end; then everything has to come to rest. */
const CONVERGED_WITHIN_MS = 700_000;
const REST_MS = 5_000;
const LOBBY = 'lobby';
const ACTIVE_WITHIN_MS = 15_000;
const ONCE_MORE = {
  do: 'start',
  ...{ at: 0, key: null, wait: true, audioOnly: true, times: 1, maxDurationMs: null },
} as const;

export interface SeedResult {
  readonly seed: number;
  /** Null: all held. */
  readonly violated: { readonly invariant: string; readonly what: string } | null;
  /** Equal for equal runs. */
  readonly digest: string;
  readonly trace: readonly string[];
  readonly plan: Plan;
  /** Virtual ms. */
  readonly tookMs: number;
}

export interface RunOptions {
  /** Absent: what the seed draws. */
  readonly plan?: Plan;
  readonly keptLines?: number;
  /** Every call of every port stands in the trace. */
  readonly detailed?: boolean;
}

class Violated extends Error {
  constructor(
    readonly invariant: string,
    readonly what: string,
  ) {
    super(`${invariant}: ${what}`);
  }
}

/** One run, decided by its seed alone; a plan of fewer actions than the seed would draw can be given instead. */
export async function runSeed(
  seed: number,
  { plan = drawPlan(seed), keptLines = 60, detailed = false }: RunOptions = {},
): Promise<SeedResult> {
  const dice = new Dice(seed);
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): number => unhandled.push(reason);
  process.on('unhandledRejection', onUnhandled);
  const world = new SimWorld(dice, { keptLines, detailed });
  const start = world.clock.now();
  let violated: SeedResult['violated'] = null;
  try {
    await withSeededIds(dice.stream('ids'), () => new Run(world, plan).play());
    if (unhandled.length > 0) throw new Violated('I0', `an error nobody handled: ${wordsOf(unhandled[0])}`);
  } catch (error) {
    violated =
      error instanceof Violated
        ? { invariant: error.invariant, what: error.what }
        : { invariant: 'harness', what: wordsOf(error) };
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
  const tookMs = world.clock.now() - start;
  return { seed, violated, digest: world.trace.digest(), trace: world.trace.last(keptLines), plan, tookMs };
}

class Run {
  private readonly invariants: readonly Invariant[] = allInvariants();
  private readonly performer: Performer;
  private violated: Violated | null = null;

  constructor(
    private readonly world: SimWorld,
    private readonly plan: Plan,
  ) {
    this.performer = new Performer(world);
  }

  async play(): Promise<void> {
    const { world, plan } = this;
    const start = world.clock.now();
    world.skewsMs = plan.skewsMs;
    this.watch();
    this.furnish();
    for (let place = 0; place < plan.instances; place += 1) world.startInstance(place);
    for (const action of plan.actions) world.clock.after(action.at, () => this.performer.perform(action));
    await this.until(start + plan.healAt);
    this.heal();
    await this.until(world.clock.now() + plan.goOnMs);
    this.endMeetings();
    await this.settle();
    if (this.isAtRest()) await this.recordOnceMore();
    this.check((invariant) => invariant.end?.(world));
    if (this.violated) throw this.violated;
  }

  private watch(): void {
    const { world } = this;
    world.recordings.committed.push((before, next, cause) => {
      const { id, status, version, endReason } = next;
      if (before?.version !== version) {
        world.trace.add('row', `${id} v${version} ${status} ${endReason ?? ''} by ${cause}`);
      }
      this.check((invariant) => invariant.committed?.(world, before, next, cause));
    });
    const second = (): void => {
      world.look();
      this.check((invariant) => invariant.second?.(world));
      world.clock.after(1_000, second);
    };
    second();
  }

  /** The rooms as they stand before anything happens, in Redis and in the bucket. */
  private furnish(): void {
    const { world } = this;
    for (const { id, restartWhenLost, crashProof = false } of this.plan.rooms) {
      const room = newRoom(
        parseRoomId(id) as RoomId,
        { name: id, recordingSettings: { restartWhenLost, crashProof } },
        world.clock.now(),
      );
      world.rooms.rooms.set(id, { ...room, rev: 'first' });
      void new RoomArchive({
        put: async (key: string, body: Buffer) => world.bucket.set(key, body),
      } as never).write(room);
    }
    world.redis.sync();
    for (const places of this.plan.workers) world.engine.addWorker(places);
    if (this.plan.workers.length > 0) world.engine.killWorker({ id: 'worker-1' });
    // A meeting that nobody records: an open room in which LiveKit can be asked for a worker.
    if (this.plan.lobby) world.engine.openRoom(LOBBY);
  }

  private heal(): void {
    const { world } = this;
    world.trace.add('plan', 'everything is healed');
    world.engine.clearFaults();
    world.engine.busSilent(false);
    world.engine.pageLists(null);
    world.redis.answersLost = 0;
    world.jobs.timerFault = null;
    world.listsLookEmpty = false;
    for (const worker of world.engine.fleet.list()) if (worker.paused) world.engine.resumeWorker(worker.id);
    this.continueAll();
    // From now on there is a place for everybody.
    world.engine.addWorker();
    Object.assign(world.bucket, {
      ...{ away: false, hidden: false, deleteFails: 0, answersLost: 0, slow: false, slowByMs: 0 },
      listedUntil: null,
    });
    world.instances.forEach((instance, place) => {
      instance?.life.resume();
      world.startInstance(place);
    });
  }

  /** Also what was to be stopped some seconds after all was healed. */
  private continueAll(): void {
    for (const recorder of this.world.engine.fleet.recorders()) recorder.continueProcess();
  }

  private endMeetings(): void {
    const { performer, plan, world } = this;
    this.continueAll();
    world.trace.add('plan', `the meetings end: ${plan.ending}`);
    for (const { id } of plan.rooms) {
      if (plan.ending === 'rooms-close') performer.closeRoom(id);
      if (plan.ending === 'people-leave') performer.leaveRoom(id);
      if (plan.ending === 'stop-all') {
        performer.stop(id);
        world.clock.after(40_000, () => performer.leaveRoom(id));
      }
    }
  }

  /** I19: after whatever happened, each room can be recorded again. */
  private async recordOnceMore(): Promise<void> {
    const { performer, world } = this;
    const rooms = [...world.rooms.rooms.keys()];
    world.trace.add('plan', `each room once more: ${rooms.join(', ')}`);
    const before = new Set(world.rows().map(({ id }) => id));
    for (const room of rooms) performer.perform({ at: 0, do: 'join', room, who: 'prober' });
    await this.until(world.clock.now() + 3_000);
    for (const room of rooms) performer.perform({ ...ONCE_MORE, room });
    await this.until(world.clock.now() + ACTIVE_WITHIN_MS);
    const active = world.rows().filter(({ id, status }) => status === 'ACTIVE' && !before.has(id));
    const left = rooms.find((room) => active.every(({ roomId }) => roomId !== room));
    if (left !== undefined)
      this.check(({ name }) => (name === 'I19' ? `${left} can't be recorded any more` : null));
    for (const room of rooms) performer.closeRoom(room);
    await this.settle();
  }

  /** Time goes on until everything rests, or until all should have come to rest. */
  private async settle(): Promise<void> {
    const { world } = this;
    const until = world.clock.now() + CONVERGED_WITHIN_MS;
    while (world.clock.now() < until) {
      await this.until(world.clock.now() + REST_MS);
      if (this.isAtRest() && !this.invariants.some((invariant) => invariant.end?.(world))) return;
    }
  }

  private isAtRest(): boolean {
    const { world } = this;
    const { recordings, jobs, engine } = world;
    if (world.calmMs < REST_MS || engine.rooms.list([]).some(({ name }) => name !== LOBBY)) return false;
    if (recordings.unsettled.size > 0 || recordings.outbox.size > 0) return false;
    return jobs.isIdle() && engine.fleet.recorders().length === 0;
  }

  private async until(instant: number): Promise<void> {
    const step = (): void => {
      this.check((invariant) => invariant.step?.(this.world));
      if (this.violated) throw this.violated;
    };
    await this.world.clock.runUntil(instant, step);
  }

  /** The first violation stands; it is thrown when the present step is over, not into the product. */
  private check(look: (invariant: Invariant) => string | null | undefined): void {
    for (const invariant of this.violated ? [] : this.invariants) {
      const what = look(invariant);
      if (what) this.violated = new Violated(invariant.name, what);
      if (what) this.world.trace.add('!!!', `${invariant.name}: ${what}`);
    }
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
