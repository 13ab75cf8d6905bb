import { RequestBulkDeletion } from '../../../src/bulk-deletions/use-cases/request-bulk-deletion.js';
import type { Actor } from '../../../src/kernel/actor.js';
import { ERROR_TABLE, isTallyError } from '../../../src/kernel/errors.js';
import type { RecordingId, RoomId } from '../../../src/kernel/ids.js';
import { isFinal, type StoredRecording } from '../../../src/recordings/domain/recording.js';
import { DeleteRecording } from '../../../src/recordings/use-cases/delete-recording.js';
import { StartRecording, type StartRequest } from '../../../src/recordings/use-cases/start-recording.js';
import { StopRecording } from '../../../src/recordings/use-cases/stop-recording.js';
import { DeleteRoom } from '../../../src/room-deletion/delete-room.js';
import { CreateRoom } from '../../../src/rooms/use-cases/create-room.js';
import type { Dice } from '../world/dice.js';
import type { SimInstance } from '../world/sim-instance.js';
import type { SimWorld } from '../world/sim-world.js';
import type { Action } from './plan.js';
import { performTrouble } from './perform-trouble.js';

/** Deletes many at once, and nothing else. */
export const BULK_USER: Actor = {
  ...{ name: 'bulk-user', callerId: 'key:bulk-user', role: 'ADMIN', rooms: null, mayDelete: true },
};
const START_TRIES = 4;
const START_AGAIN_MS = 1_500;
const OTHER: Actor = { name: 'other', callerId: 'key:other', role: 'ADMIN', rooms: null, mayDelete: true };
const USER: Actor = { name: 'user', callerId: 'key:user', role: 'ADMIN', rooms: null, mayDelete: true };

/** Carries out the actions of a plan, when their time has come. */
export class Performer {
  private readonly dice: Dice;

  constructor(private readonly world: SimWorld) {
    this.dice = world.dice.stream('people');
  }

  perform(action: Action): void {
    this.world.trace.add('plan', JSON.stringify(action));
    switch (action.do) {
      case 'join':
        return this.join(action.room, action.who);
      case 'leave':
        return this.inRoom(action.room, action.who, () => this.world.engine.leave(action.room, action.who));
      case 'mute':
        return this.inRoom(action.room, action.who, () =>
          this.world.engine.unpublish(action.room, action.who),
        );
      case 'unmute':
        return this.inRoom(action.room, action.who, () => this.world.engine.publish(action.room, action.who));
      case 'close-room':
        return this.closeRoom(action.room);
      case 'reopen-room':
        return this.reopenRoom(action.room, action.inMs);
      case 'start':
        return this.repeat(action.times, () => this.start(action));
      case 'stop':
        return this.repeat(action.times, () => this.stop(action.room));
      case 'delete':
        return this.repeat(action.times, () => this.delete(action.room));
      case 'delete-many':
        return this.deleteMany(action);
      case 'delete-room':
        if (action.policy === 'DELETE') this.orderEnds(action.room);
        return this.ask('delete', action.room, (at) =>
          at.use(DeleteRoom).execute(action.room, action.policy, BULK_USER),
        );
      case 'make-room':
        return this.ask('make', action.room, (at) =>
          at.use(CreateRoom).execute({
            id: action.room as RoomId,
            name: action.room,
            recordingSettings: {},
            actor: USER,
          }),
        );
      default:
        performTrouble(this.world, action);
    }
  }

  closeRoom(room: string): void {
    if (this.world.engine.rooms.find(room)) this.world.engine.closeRoom(room);
  }

  leaveRoom(room: string): void {
    const guests = this.world.engine.rooms.find(room)?.guests ?? [];
    for (const { identity } of [...guests]) this.world.engine.leave(room, identity);
  }

  stop(room: string): void {
    const recording = this.newest(room, () => true);
    if (!recording) return;
    this.world.stopAsked.add(recording.id);
    this.ask('stop', recording.id, async (at) => {
      try {
        const stopped = await at.use(StopRecording).execute(recording.id, USER);
        this.world.takeStop(stopped.id);
        return stopped;
      } catch (error) {
        // That it had not begun is an answer too.
        if (isTallyError(error, 'RECORDING_CANNOT_BE_STOPPED_WHILE_STARTING'))
          this.world.takeStop(recording.id);
        throw error;
      }
    });
  }

  private reopenRoom(room: string, inMs: number): void {
    const people = (this.world.engine.rooms.find(room)?.guests ?? []).map(({ identity }) => identity);
    this.closeRoom(room);
    for (const who of people) this.world.clock.after(inMs, () => this.join(room, who));
  }

  private join(room: string, who: string): void {
    if (this.world.engine.rooms.find(room)?.participants.has(who)) return;
    this.world.engine.join(room, who);
    this.world.clock.after(150, () => this.inRoom(room, who, () => this.world.engine.publish(room, who)));
  }

  private inRoom(room: string, who: string, act: () => void): void {
    if (this.world.engine.rooms.find(room)?.participants.has(who)) act();
  }

  private start(action: Extract<Action, { do: 'start' }>): void {
    const { room: roomId, key: idempotencyKey, wait: waitForActive, audioOnly, maxDurationMs } = action;
    const request = {
      ...{ roomId, audioOnly, labels: {}, idempotencyKey, waitForActive },
      ...(maxDurationMs !== null && { maxDurationMs }),
    };
    this.askForStart(request, action.by === 'other' ? OTHER : USER, START_TRIES);
  }

  /** Whoever has a key asks again with it, where the answer was that something could not be reached. */
  private askForStart(request: StartRequest, by: Actor, tries: number): void {
    this.ask('start', request.roomId, async (at) => {
      try {
        const started = await at.use(StartRecording).execute(request, by);
        this.world.answerKey(by, request.idempotencyKey, started.id);
        return started;
      } catch (error) {
        if (!isTallyError(error)) throw error;
        const { recordingId } = error.subject;
        if (error.code === 'RECORDING_ALREADY_STARTED' && recordingId !== undefined)
          this.world.refuseKey(by, request.idempotencyKey, recordingId);
        const isWorthIt = request.idempotencyKey !== null && ERROR_TABLE[error.code].retry && tries > 1;
        if (isWorthIt) this.world.clock.after(START_AGAIN_MS, () => this.askForStart(request, by, tries - 1));
        throw error;
      }
    });
  }

  private delete(room: string): void {
    const recording = this.newest(room, ({ status, upkeep }) => isFinal(status) && !upkeep.deleted);
    if (recording) this.world.deletionAsked.add(recording.id);
    if (recording)
      this.ask('delete', recording.id, (at) => at.use(DeleteRecording).execute(recording.id, USER));
  }

  private deleteMany({ room, scope, dryRun }: Extract<Action, { do: 'delete-many' }>): void {
    const ids = this.idsIn(room);
    if (scope === 'ids' && ids.length === 0) return;
    if (!dryRun) this.orderEnds(room);
    this.ask('delete', `all of ${room}`, (at) => {
      const request = at.use(RequestBulkDeletion);
      return scope === 'ids'
        ? request.ofRecordings({ ids, roomId: null, dryRun }, BULK_USER)
        : request.ofRoom(room, dryRun, BULK_USER);
    });
  }

  /** What is in progress is stopped before it is deleted, and Redis may lose who asked for it in between. */
  private orderEnds(room: string): void {
    for (const id of this.idsIn(room)) {
      this.world.stopAsked.add(id);
      this.world.deletionAsked.add(id);
    }
  }

  private idsIn(room: string): RecordingId[] {
    const inRoom = this.world.rows().filter(({ roomId }) => roomId === room);
    return inRoom.map(({ id }) => id);
  }

  private newest(room: string, isIt: (recording: StoredRecording) => boolean): StoredRecording | null {
    const all = this.world.rows().filter((row) => row.roomId === (room as RoomId) && isIt(row));
    return all.sort((a, b) => (a.id < b.id ? 1 : -1))[0] ?? null;
  }

  /** At any instance that is there; nobody hears the answer of one that dies. */
  private ask(what: string, subject: string, work: (at: SimInstance) => Promise<object>): void {
    const alive = this.world.alive();
    if (alive.length === 0) return;
    const at = this.dice.pick(alive);
    const { trace, problems } = this.world;
    const asked = `${what} ${subject.slice(-6)} at ${at.life.name}`;
    at.life
      .standStill()
      .then(() => work(at))
      .then(
        (answer) => trace.add('user', `${asked}: ${wordsOf(answer)}`),
        (error: unknown) => {
          trace.add('user', `${asked}: ${isTallyError(error) ? error.code : String(error)}`);
          if (!isTallyError(error))
            problems.push(`${asked} threw ${error instanceof Error ? error.stack : String(error)}`);
        },
      );
  }

  private repeat(times: number, act: () => void): void {
    for (let i = 0; i < times; i += 1) act();
  }
}

function wordsOf(answer: object): string {
  const { id, status } = { id: '', status: '', ...answer };
  return `${id} ${status}`;
}
