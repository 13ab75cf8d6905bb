import type { Clock } from '../../../src/kernel/clock.js';
import { createRoom, DELETE, START, STOP } from '../../support/operations.js';
import { FINAL } from '../../support/recording-life.js';
import { readRows } from '../world/rows.js';
import type { World } from '../world/world.js';

const AWAY = ['REDIS_UNAVAILABLE', 'LIVEKIT_UNAVAILABLE', 'STORAGE_UNAVAILABLE', 'RATE_LIMITED'];
const START_CODES = [
  ...AWAY,
  ...['ROOM_NOT_OPEN', 'ROOM_HAS_NO_PARTICIPANTS', 'RECORDING_ALREADY_STARTED', 'RECORDING_START_TIMEOUT'],
  ...['RECORDING_START_REJECTED', 'RECORDING_START_FAILED', 'RECORDING_NOT_FOUND'],
];
/** Refusals that name the attempt itself. */
const ATTEMPT_CODES = ['RECORDING_START_TIMEOUT', 'RECORDING_START_REJECTED', 'RECORDING_START_FAILED'];
const STOP_CODES = [
  ...AWAY,
  ...['RECORDING_ALREADY_STOPPED', 'RECORDING_CANNOT_BE_STOPPED_WHILE_STARTING', 'RECORDING_NOT_FOUND'],
];
const DELETE_CODES = [...AWAY, 'RECORDING_NOT_STOPPED', 'RECORDING_NOT_FOUND'];

interface Told {
  /** Null: done; `no-answer`: the instance gave none. */
  readonly code: string | null;
  readonly recordingId: string | null;
}

/** People who meet in one room, record, stop, leave, come again and delete, on whichever instance answers. */
export class Meeting {
  readonly violations: string[] = [];
  readonly tally = new Map<string, number>();
  /** What each idempotency key was answered with. */
  private readonly keys = new Map<string, string>();
  private made = 0;

  constructor(
    readonly room: string,
    private readonly world: World,
    private readonly random: () => number,
    private readonly clock: Clock,
  ) {}

  async prepare(): Promise<void> {
    await createRoom(this.world.instance(this.random()), this.room);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.meet();
      const id = await this.start(signal);
      if (id === null) {
        // Whoever was refused tries again soon: the moments after a failed start are the dangerous ones.
        await this.pause(50, 500, signal);
        continue;
      }
      await this.pause(200, 4_000, signal);
      const chance = this.random();
      if (chance < 0.65) await this.stop(id, signal);
      else if (chance < 0.75) this.endMeeting();
      if (this.random() < 0.2) await this.deleteOne(signal);
      await this.pause(0, 1_000, signal);
    }
  }

  /** Ends whatever records in this room, also what goes on from a lost recorder. */
  async stopAll(): Promise<void> {
    const never = new AbortController().signal;
    const rows = await readRows(this.world.instance(this.random()), this.room);
    for (const { id, status } of rows) if (!FINAL.includes(status)) await this.stop(id, never);
  }

  private meet(): void {
    const { livekit } = this.world;
    const room = livekit.rooms.find(this.room);
    if (room === null) livekit.openRoom(this.room);
    else if (room.publishers.length === 0) {
      livekit.join(this.room, 'somebody');
      livekit.publish(this.room, 'somebody');
    }
  }

  private endMeeting(): void {
    const { livekit } = this.world;
    if (livekit.rooms.find(this.room) === null) return;
    if (this.random() < 0.5) livekit.closeRoom(this.room);
    else if (livekit.rooms.find(this.room)?.participants.has('somebody'))
      livekit.leave(this.room, 'somebody');
  }

  /** Asks again with the same key until somebody answers. */
  private async start(signal: AbortSignal): Promise<string | null> {
    const key = `${this.room}-${(this.made += 1)}`;
    const waitForActive = this.random() < 0.5;
    while (!signal.aborted) {
      const input = { roomId: this.room, idempotencyKey: key, waitForActive };
      const told = await this.ask(START, { input }, 'startRecording', START_CODES);
      const isOwn = told.code === null || (told.recordingId !== null && ATTEMPT_CODES.includes(told.code));
      if (isOwn && told.recordingId !== null) this.remember(key, told.recordingId);
      if (told.code === null) return told.recordingId;
      if (told.code !== 'no-answer' && !AWAY.includes(told.code)) {
        // Whoever holds the room may be stopped by anybody.
        return told.code === 'RECORDING_ALREADY_STARTED' && this.random() < 0.3 ? told.recordingId : null;
      }
      await this.pause(50, 400, signal);
    }
    return null;
  }

  private remember(key: string, id: string): void {
    const before = this.keys.get(key);
    if (before !== undefined && before !== id) this.violations.push(`key ${key} started ${before} and ${id}`);
    this.keys.set(key, id);
  }

  private async stop(id: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { code } = await this.ask(STOP, { id }, 'stopRecording', STOP_CODES);
      if (code === null || (code !== 'no-answer' && !AWAY.includes(code))) return;
      await this.pause(50, 400, signal);
    }
  }

  private async deleteOne(signal: AbortSignal): Promise<void> {
    const rows = await readRows(this.world.instance(this.random()), this.room).catch(() => []);
    // Of what is lost the row stays: that it was proven so is what allowed the next egress.
    const { killedEgresses } = this.world;
    const final = rows.filter(
      ({ status, egressId }) => FINAL.includes(status) && egressId !== null && !killedEgresses.has(egressId),
    );
    const chosen = final[Math.floor(this.random() * final.length)];
    if (chosen === undefined || signal.aborted) return;
    await this.ask(DELETE, { id: chosen.id }, 'deleteRecording', DELETE_CODES);
  }

  private async ask(
    query: string,
    variables: object,
    field: string,
    allowed: readonly string[],
  ): Promise<Told> {
    const told = await this.answerOf(query, variables, field);
    this.count(`${field} ${told.code ?? 'done'}`);
    if (told.code !== null && told.code !== 'no-answer' && !allowed.includes(told.code)) {
      this.violations.push(`${field} in ${this.room} was answered ${told.code}`);
    }
    return told;
  }

  private async answerOf(query: string, variables: object, field: string): Promise<Told> {
    try {
      const { code, data, errors } = await this.world
        .instance(this.random())
        .graphql<Record<string, { id: string }> | null>(query, variables);
      const named = errors[0]?.extensions.recordingId;
      return { code, recordingId: data?.[field]?.id ?? (typeof named === 'string' ? named : null) };
    } catch {
      // It was killed, paused or restarted; only an answer says anything.
      return { code: 'no-answer', recordingId: null };
    }
  }

  private count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  private async pause(least: number, most: number, signal: AbortSignal): Promise<void> {
    await this.clock.sleep(least + this.random() * (most - least), signal).catch((reason: unknown) => {
      if (!signal.aborted) throw reason;
    });
  }
}
