import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { isTallyError } from '../kernel/errors.js';
import { parseArchivedKept } from '../kept/kept-archive.js';
import { KeptStore } from '../kept/kept.store.js';
import { readArchived } from '../recordings/store/archived-recording.js';
import { RecordingRestorer, type Return } from '../recordings/store/recording-restorer.port.js';
import { RestoreGeneration } from '../recordings/store/restore-generation.js';
import { restoreStep, type RestoreTerms } from '../recordings/store/restore-step.js';
import { parseArchivedRoom } from '../rooms/store/room-archive.js';
import { RoomStore } from '../rooms/store/room.store.js';
import { ACCESS_PREFIX, METADATA_PREFIX, parseMetadataKey, ROOM_PREFIX } from '../storage/object-keys.js';
import { ObjectStorage } from '../storage/object-storage.port.js';
import { type ObjectRead, readAhead } from '../storage/read-ahead.js';
import { LostAttempts } from './lost-attempts.js';
import { RebuildLedger, type RebuildProgress, type RebuildRun } from './rebuild-ledger.port.js';

/** So many objects are read side by side, and so many come back in one round trip. */
const READS_AT_ONCE = 64;
const BATCH = 100;
const CAUSE = 'rebuild';

export interface RebuildReport {
  readonly rooms: number;
  readonly recordings: number;
  readonly faults: number;
  /** From the first instance that began to the last that ended it. */
  readonly tookMs: number;
}

/** One rebuild, or the rest of one: rooms, recordings, and the attempts that had not reached the bucket; then the mark. */
class Rebuilding {
  private progress: RebuildProgress;
  private terms: RestoreTerms | null = null;

  constructor(
    readonly run: RebuildRun,
    readonly signal: AbortSignal,
    private readonly ledger: RebuildLedger,
  ) {
    this.progress = run;
  }

  get now(): RebuildProgress {
    return this.progress;
  }

  async note(change: Partial<RebuildProgress>): Promise<void> {
    this.signal.throwIfAborted();
    await this.ledger.note(this.run, change);
    this.progress = { ...this.progress, ...change };
  }

  /** The number of this rebuild is taken before the first recording comes back with it. */
  async termsFrom(take: () => Promise<RestoreTerms>): Promise<RestoreTerms> {
    this.terms ??= await take();
    return this.terms;
  }
}

/** Brings back what the bucket and LiveKit know into a Redis that is not whole. Can be killed anywhere, and is gone on with. */
@Injectable()
export class Rebuild {
  private readonly log = new Logger('Rebuild');

  constructor(
    private readonly ledger: RebuildLedger,
    private readonly storage: ObjectStorage,
    private readonly kept: KeptStore,
    private readonly rooms: RoomStore,
    private readonly restorer: RecordingRestorer,
    private readonly returns: RestoreGeneration,
    private readonly lost: LostAttempts,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /**
   * Null: Redis is whole already. Throws STORAGE_UNAVAILABLE and REDIS_UNAVAILABLE where it has to wait, RebuildSuperseded where
   * another does it, and the signal's reason.
   */
  async execute(signal: AbortSignal): Promise<RebuildReport | null> {
    const run = await this.ledger.begin();
    if (run === null) return null;
    const rebuilding = new Rebuilding(run, signal, this.ledger);
    const over = new AbortController();
    const counting = this.count(rebuilding, over.signal);
    let isBeginning = false;
    try {
      isBeginning = run.phase === 'clear' && (await this.isStorageEmpty());
      if (!isBeginning) this.tellBegin(run);
      await this.resume(rebuilding);
    } catch (error) {
      await this.tellWhy(rebuilding, error);
      throw error;
    } finally {
      over.abort();
      await counting;
    }
    const { rooms, recordings, faults } = rebuilding.now;
    const tookMs = this.clock.now() - run.startedAt;
    this.tellEnd(isBeginning, { rooms, recordings, faults, tookMs });
    return { rooms, recordings, faults, tookMs };
  }

  /** Nothing was ever kept there, so nothing was lost with Redis. Throws STORAGE_UNAVAILABLE. */
  private async isStorageEmpty(): Promise<boolean> {
    for (const prefix of [ACCESS_PREFIX, ROOM_PREFIX, METADATA_PREFIX])
      for await (const _any of this.storage.list(prefix)) return false;
    return true;
  }

  private tellBegin({ phase: from }: RebuildRun): void {
    const message = 'Redis is not whole and is rebuilt from the storage';
    this.log.warn({ event: 'rebuild_began', message, from });
  }

  private tellEnd(isBeginning: boolean, report: RebuildReport): void {
    if (isBeginning) this.log.log({ event: 'first_start', message: 'a first start: nothing is kept yet' });
    else this.log.warn({ event: 'rebuild_ended', message: 'Redis is whole again', ...report });
  }

  private async resume(rebuilding: Rebuilding): Promise<void> {
    await rebuilding.note({ problem: null });
    for (;;) {
      switch (rebuilding.now.phase) {
        case 'clear':
          await this.ledger.clear(rebuilding.run);
          await rebuilding.note({ phase: 'access', after: '' });
          break;
        case 'access':
          await this.bringAccess(rebuilding);
          await rebuilding.note({ phase: 'rooms', after: '' });
          break;
        case 'rooms':
          await this.restoreRooms(rebuilding);
          await rebuilding.note({ phase: 'recordings', after: '' });
          break;
        case 'recordings':
          await this.bringRecordings(rebuilding);
          await rebuilding.note({ phase: 'egresses', after: '' });
          break;
        case 'egresses':
          await this.bringLostAttempts(rebuilding);
          rebuilding.signal.throwIfAborted();
          await this.ledger.finish(rebuilding.run);
          return;
      }
    }
  }

  /** Keys, links and endpoints, so that whoever may come in may as soon as there is something to see. */
  private async bringAccess(rebuilding: Rebuilding): Promise<void> {
    let { faults } = rebuilding.now;
    await this.inBatches(rebuilding, ACCESS_PREFIX, async (objects) => {
      for (const { key, body } of objects) {
        if (body === null) continue;
        const read = parseArchivedKept(key, body);
        if ('fault' in read) faults += this.tellFault(key, read.fault);
        else await this.kept.restore(read.collection, read.kept, rebuilding.run.token);
      }
      return { faults };
    });
  }

  private async restoreRooms(rebuilding: Rebuilding): Promise<void> {
    let { rooms, faults } = rebuilding.now;
    await this.inBatches(rebuilding, ROOM_PREFIX, async (objects) => {
      for (const { key, body } of objects) {
        if (body === null) continue;
        const read = parseArchivedRoom(key, body);
        if ('fault' in read) faults += this.tellFault(key, read.fault);
        else if ((await this.rooms.restore(read.room, rebuilding.run.token)) === 'restored') rooms += 1;
      }
      return { rooms, faults };
    });
  }

  private async bringRecordings(rebuilding: Rebuilding): Promise<void> {
    let { recordings, faults } = rebuilding.now;
    await this.inBatches(rebuilding, METADATA_PREFIX, async (objects) => {
      const found: Return[] = [];
      for (const { key, body } of objects) {
        if (body === null) continue;
        const read = readArchived(key, body);
        if ('fault' in read) faults += this.tellFault(key, read.fault);
        else found.push(restoreStep(read.record, await this.terms(rebuilding)));
      }
      rebuilding.signal.throwIfAborted();
      const restored = await this.restorer.restore(found, rebuilding.run.token);
      recordings += restored.filter((one) => one === 'restored').length;
      return { recordings, faults };
    });
  }

  /** Without LiveKit it goes on all the same: what runs there unknown is stopped later, and its media is found in the bucket. */
  private async bringLostAttempts(rebuilding: Rebuilding): Promise<void> {
    if (rebuilding.now.rooms === 0) return;
    try {
      const number = await this.returns.next();
      const found = await this.lost.find(number, rebuilding.run.epoch);
      if (found.length === 0) return;
      await this.returns.take(number);
      await this.restorer.restore(found, rebuilding.run.token);
      await rebuilding.note({ recordings: rebuilding.now.recordings + found.length });
    } catch (error) {
      if (!isTallyError(error, 'LIVEKIT_UNAVAILABLE')) throw error;
      this.log.warn({
        message: 'LiveKit could not be asked for what the bucket does not know',
        cause: error.message,
      });
    }
  }

  /** In the order of keys, so that whoever takes over goes on after the last batch that is back. */
  private async inBatches(
    rebuilding: Rebuilding,
    prefix: string,
    bring: (objects: readonly ObjectRead[]) => Promise<Partial<RebuildProgress>>,
  ): Promise<void> {
    const { after } = rebuilding.now;
    let batch: ObjectRead[] = [];
    const flush = async (): Promise<void> => {
      const last = batch.at(-1)?.key;
      if (last !== undefined) await rebuilding.note({ ...(await bring(batch)), after: last });
      batch = [];
    };
    for await (const object of readAhead(this.storage, this.keysAfter(prefix, after), READS_AT_ONCE)) {
      batch.push(object);
      if (batch.length >= BATCH) await flush();
    }
    await flush();
  }

  private async *keysAfter(prefix: string, after: string): AsyncGenerator<string, void> {
    for await (const { key } of this.storage.list(prefix)) if (key > after) yield key;
  }

  private terms(rebuilding: Rebuilding): Promise<RestoreTerms> {
    return rebuilding.termsFrom(async () => {
      const number = await this.returns.next();
      await this.returns.take(number);
      const { recordingStartTimeoutMs: startTimeoutMs } = this.config;
      return { number, epoch: rebuilding.run.epoch, at: this.clock.now(), cause: CAUSE, startTimeoutMs };
    });
  }

  /** Beside the work: how much there is to do. */
  private async count(rebuilding: Rebuilding, over: AbortSignal): Promise<void> {
    if (rebuilding.now.total !== null) return;
    try {
      let total = 0;
      for await (const { key } of this.storage.list(METADATA_PREFIX)) {
        if (over.aborted) return;
        if (parseMetadataKey(key) !== null) total += 1;
      }
      await rebuilding.note({ total });
    } catch (error) {
      this.log.debug({ message: 'records were not counted', cause: String(error) });
    }
  }

  private tellFault(key: string, fault: string): 1 {
    this.log.error({ message: 'an object could not be understood and is left out', key, fault });
    return 1;
  }

  private async tellWhy(rebuilding: Rebuilding, error: unknown): Promise<void> {
    if (!isTallyError(error)) return;
    await rebuilding
      .note({ problem: error.message })
      .catch((cause: unknown) => this.log.debug({ message: 'not noted', cause: String(cause) }));
  }
}
