import { Injectable, Logger } from '@nestjs/common';
import type { AtomicWrite } from '../kernel/atomic-write.js';
import { Clock } from '../kernel/clock.js';
import { badInput, TallyError } from '../kernel/errors.js';
import { Random } from '../kernel/random.js';
import { KeptArchive } from './kept-archive.js';
import { type Collection, type Kept, KeptStore, writeName } from './kept.store.js';

const MAX_TRIES = 16;
const MAX_PAUSE_MS = 500;

export interface KeptChange<T> {
  readonly doc: T;
  readonly handles: readonly string[];
}

/**
 * When the bucket has to hold it: `now`, else it is taken back and STORAGE_UNAVAILABLE thrown; `soon`: tried at once, and what
 * fails later, for what has to be felt also while the storage is away; `later`: in some seconds.
 */
export type Durable = 'now' | 'soon' | 'later';

/** The only writer of kept documents. */
@Injectable()
export class KeptWriter {
  private readonly log = new Logger('Access');

  constructor(
    private readonly store: KeptStore,
    private readonly archive: KeptArchive,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Throws BAD_USER_INPUT where there are `most` already, STORAGE_UNAVAILABLE, and then there is none. */
  async create<T>(
    collection: Collection,
    id: string,
    next: KeptChange<T>,
    { also = [], most }: { readonly also?: readonly AtomicWrite[]; readonly most: number },
  ): Promise<Kept<T>> {
    const done = await this.store.commit({ collection, id, before: null, next, also, most });
    if (done.kind === 'too-many') throw tooMany(most);
    if (done.kind === 'moved-on') throw new Error(`${collection} ${id} exists already`);
    const kept = { id, rev: done.rev, ...next };
    await this.saveOr(collection, kept, () =>
      this.store.commit({ collection, id, before: kept, next: null }),
    );
    return kept;
  }

  /** Makes it where there is none, else changes it, as `create` and `update` do; durable `now`. */
  async upsert<T>(
    collection: Collection,
    id: string,
    change: (kept: Kept<T> | null) => KeptChange<T>,
    { also = [], most }: { readonly also?: readonly AtomicWrite[]; readonly most: number },
  ): Promise<Kept<T>> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const before = await this.store.get<T>(collection, id);
      const next = change(before);
      const done = await this.store.commit({ collection, id, before, next, also, most });
      if (done.kind === 'too-many') throw tooMany(most);
      if (done.kind === 'done') {
        const kept = { id, rev: done.rev, ...next };
        await this.saveOr(collection, kept, () =>
          this.store.commit({ collection, id, before: kept, next: before }),
        );
        return kept;
      }
      await this.pause(tries);
    }
    throw changedByMany(collection, id);
  }

  /**
   * `change` is asked again when another was faster; null from it: it stays as it is. Null: there is no such document.
   * Throws STORAGE_UNAVAILABLE where it has to be durable `now`, and then it is as it was.
   */
  async update<T>(
    collection: Collection,
    id: string,
    change: (kept: Kept<T>) => KeptChange<T> | null,
    { durable, also }: { readonly durable: Durable; readonly also?: (next: T) => readonly AtomicWrite[] },
  ): Promise<Kept<T> | null> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const before = await this.store.get<T>(collection, id);
      if (before === null) return null;
      const next = change(before);
      if (next === null) return before;
      const done = await this.store.commit({ collection, id, before, next, also: also?.(next.doc) ?? [] });
      if (done.kind === 'done') {
        const kept = { id, rev: done.rev, ...next };
        if (durable === 'now')
          await this.saveOr(collection, kept, () =>
            this.store.commit({ collection, id, before: kept, next: before }),
          );
        else if (durable === 'soon') await this.saveSoon(collection, kept);
        return kept;
      }
      await this.pause(tries);
    }
    throw changedByMany(collection, id);
  }

  /** What was removed; null: there was none. */
  async remove<T>(
    collection: Collection,
    id: string,
    also: readonly AtomicWrite[] = [],
  ): Promise<Kept<T> | null> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const before = await this.store.get<T>(collection, id);
      if (before === null) return null;
      const done = await this.store.commit({ collection, id, before, next: null, also });
      if (done.kind === 'done') {
        await this.saveSoon(collection, { ...before, rev: done.rev });
        return before;
      }
      await this.pause(tries);
    }
    throw changedByMany(collection, id);
  }

  /**
   * Answers when the bucket holds the present state, later than the named writes. Whoever wrote the bucket last looks once more
   * whether it moved on meanwhile, so that an older state that overtook a newer one doesn't stay.
   */
  async save(collection: Collection, id: string, writes: readonly string[]): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const kept = await this.store.get(collection, id);
      if (kept === null) await this.archive.remove(collection, id);
      else await this.archive.write(collection, kept);
      if ((await this.store.settle(collection, id, kept?.rev ?? null, writes)) === 'settled') return;
    }
    throw new TallyError(
      'STORAGE_UNAVAILABLE',
      `${collection} ${id} changes faster than it is saved; try again in a moment`,
    );
  }

  private async saveOr(
    collection: Collection,
    { id, rev }: Kept<unknown>,
    takeBack: () => Promise<unknown>,
  ): Promise<void> {
    try {
      await this.save(collection, id, [writeName(collection, id, rev)]);
    } catch (error) {
      try {
        await takeBack();
      } catch (cause) {
        this.log.error({
          event: 'access_not_taken_back',
          message: 'a change that could not be made durable was not taken back, it is saved later',
          collection,
          id,
          cause: String(cause),
        });
      }
      throw error;
    }
  }

  private async saveSoon(collection: Collection, { id, rev }: Kept<unknown>): Promise<void> {
    try {
      await this.save(collection, id, [writeName(collection, id, rev)]);
    } catch (error) {
      this.log.warn({
        event: 'access_saved_later',
        message: 'a change is in force and reaches the storage later',
        collection,
        id,
        cause: String(error),
      });
    }
  }

  private async pause(tries: number): Promise<void> {
    await this.clock.sleep(this.random.next() * Math.min(2 ** tries, MAX_PAUSE_MS));
  }
}

function tooMany(most: number): TallyError {
  return badInput('input', `there are ${most} of them already; remove some first`);
}

function changedByMany(collection: Collection, id: string): TallyError {
  return new TallyError(
    'REDIS_UNAVAILABLE',
    `${collection} ${id} is being changed by many; try again in a moment`,
  );
}
