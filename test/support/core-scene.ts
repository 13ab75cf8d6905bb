import type { Actor } from '../../src/kernel/actor.js';
import { parseRoomId, type RecordingId } from '../../src/kernel/ids.js';
import type { Question } from '../../src/recordings/domain/case.js';
import { type Evidence, NO_EVIDENCE } from '../../src/recordings/domain/evidence.js';
import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import { GatherEvidence } from '../../src/recordings/use-cases/gather-evidence.js';
import { StartRecording, type StartRequest } from '../../src/recordings/use-cases/start-recording.js';
import { StopRecording } from '../../src/recordings/use-cases/stop-recording.js';
import { newRoom, type RoomRecordingSettings } from '../../src/rooms/domain/room.js';
import { Dice } from '../chaos/world/dice.js';
import { SimWorld } from '../chaos/world/sim-world.js';
import type { Class } from '../chaos/world/wiring.js';

export const ADMIN: Actor = {
  ...{ name: 'admin', callerId: 'key:admin', role: 'ADMIN', rooms: null, mayDelete: true },
};
/** Longer than anything that a use case waits for; virtual, ms. */
const LONGEST_WAIT_MS = 120_000;
const STEP_MS = 10;
const JOINED_MS = 1_000;

type Method = (...args: never[]) => unknown;

/**
 * An instance of the product over the simulation's LiveKit, Redis and bucket, in which nothing goes wrong but what a spec orders. Time
 * is virtual and moves only while the scene waits.
 */
export class CoreScene {
  readonly world: SimWorld;

  constructor() {
    this.world = new SimWorld(new Dice(1), { keptLines: 0, detailed: false });
    this.world.startInstance(0);
  }

  use<T extends object>(what: Class<T>): T {
    return this.world.instances[0]!.use(what);
  }

  /** A room of ours in which somebody publishes. */
  async meeting(id = 'talk', settings: Partial<RoomRecordingSettings> = {}): Promise<void> {
    const { world } = this;
    const room = newRoom(parseRoomId(id)!, { name: id, recordingSettings: settings }, world.clock.now());
    world.rooms.rooms.set(id, { ...room, rev: 'first' });
    world.engine.join(id, 'ann');
    world.engine.publish(id, 'ann');
    await this.run(JOINED_MS);
  }

  /** Starts a recording and waits for what the caller is told. */
  start(request: Partial<StartRequest> = {}, by = ADMIN): Promise<StoredRecording> {
    return this.answer(this.starting(request, by));
  }

  /** The same without waiting. */
  starting(request: Partial<StartRequest> = {}, by = ADMIN): Promise<StoredRecording> {
    const whole = { roomId: 'talk', audioOnly: true, labels: {}, idempotencyKey: null, waitForActive: true };
    return this.use(StartRecording).execute({ ...whole, ...request }, by);
  }

  /** A recording of a meeting that goes on, ACTIVE. */
  async recorded(
    request: Partial<StartRequest> = {},
    settings: Partial<RoomRecordingSettings> = {},
  ): Promise<StoredRecording> {
    await this.meeting('talk', settings);
    return this.row((await this.start(request)).id);
  }

  stop(id: RecordingId, by = ADMIN): Promise<StoredRecording> {
    return this.answer(this.use(StopRecording).execute(id, by));
  }

  /** Waits, in virtual time, for what `promise` comes to. */
  async answer<T>(promise: Promise<T>): Promise<T> {
    const { clock } = this.world;
    const until = clock.now() + LONGEST_WAIT_MS;
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    while (!settled) {
      if (clock.now() > until) throw new Error(`not settled after ${LONGEST_WAIT_MS} ms`);
      await this.run(STEP_MS);
    }
    return promise;
  }

  /** What it is refused with. Throws where it is not. */
  async refusal(promise: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> {
    try {
      await this.answer(promise);
    } catch (error) {
      return error as { code: string; message: string };
    }
    throw new Error('it was not refused');
  }

  run(ms: number): Promise<void> {
    const { clock } = this.world;
    return clock.runUntil(clock.now() + ms, () => undefined);
  }

  row(id: RecordingId): StoredRecording {
    const row = this.world.row(id);
    if (row === null) throw new Error(`there is no recording ${id}`);
    return row;
  }

  /** Redis has this row of the recording now, with its room's slot where it holds that, whatever it had before; nothing is filed for it. */
  put(doc: StoredRecording): StoredRecording {
    const { rows, slots } = this.world.recordings;
    rows.set(doc.id, { history: [], ...rows.get(doc.id), doc });
    if (doc.upkeep.holdsSlot) slots.set(doc.roomId, { recording: doc.id, since: this.world.clock.now() });
    return doc;
  }

  /** Redis has lost the recording's row. */
  forget({ id }: StoredRecording): void {
    this.world.recordings.rows.delete(id);
  }

  /** The next `times` calls of this method of a port come to what `answer` does. */
  instead<T extends object, K extends keyof T & string>(
    port: Class<T>,
    method: K,
    answer: T[K] extends Method ? T[K] : never,
    times = 1,
  ): void {
    const target = this.use(port);
    const own = Object.getOwnPropertyDescriptor(target, method);
    let left = times;
    const replaced = (...args: never[]): unknown => {
      left -= 1;
      if (left <= 0) {
        if (own) Object.defineProperty(target, method, own);
        else delete target[method];
      }
      return (answer as Method).apply(target, args);
    };
    Object.defineProperty(target, method, { configurable: true, writable: true, value: replaced });
  }

  /** What is known once this question about the recording is answered. */
  evidence(question: Question, about: StoredRecording, before: Evidence = NO_EVIDENCE): Promise<Evidence> {
    return this.answer(this.use(GatherEvidence).answer(before, about, question));
  }
}
