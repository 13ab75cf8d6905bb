import { Injectable } from '@nestjs/common';
import { may } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { badInput, isTallyError } from '../../kernel/errors.js';
import { type BulkDeletionId, parseBulkDeletionId, type RoomId } from '../../kernel/ids.js';
import type { BulkDeletion, BulkDeletionFailure, BulkDeletionSeen } from '../domain/bulk-deletion.js';
import { BulkDeletionNews } from '../store/bulk-deletion-news.port.js';
import { BulkDeletionStore } from '../store/bulk-deletion.store.js';

const RETRY_MS = 1_000;

/** Shows a bulk deletion to who asked for it and to ADMINs, as far as they see the rooms it was about. */
@Injectable()
export class FindBulkDeletions {
  constructor(
    private readonly store: BulkDeletionStore,
    private readonly news: BulkDeletionNews,
    private readonly clock: Clock,
  ) {}

  /** Null: there is none, no longer, or none that the caller may see. */
  async one(id: string, actor: Actor): Promise<BulkDeletionSeen | null> {
    const bulkDeletionId = parseBulkDeletionId(id);
    const bulk = bulkDeletionId === null ? null : await this.store.get(bulkDeletionId);
    return bulk !== null && maySee(actor, bulk) ? bulk : null;
  }

  deletedIds(id: BulkDeletionId, first: number, offset: number): Promise<string[]> {
    return this.store.deletedIds(id, first, offset);
  }

  failures(id: BulkDeletionId, first: number, offset: number): Promise<BulkDeletionFailure[]> {
    return this.store.failures(id, first, offset);
  }

  /** As it is now, then whenever it has changed; ends when it has finished. Throws BAD_USER_INPUT where there is none to see. */
  async follow(id: string, actor: Actor): Promise<AsyncIterableIterator<BulkDeletionSeen>> {
    const bulk = await this.one(id, actor);
    if (bulk === null)
      throw badInput('id', 'is of no bulk deletion that you may see; it may be too long ago');
    const stop = new AbortController();
    const changes = this.changes(bulk, stop.signal);
    const iterator: AsyncIterableIterator<BulkDeletionSeen> = {
      next: () => changes.next(),
      // A generator that waits for the next change doesn't hear of its return until it has one.
      return: async () => {
        stop.abort();
        await changes.return(undefined);
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  private async *changes(
    first: BulkDeletionSeen,
    signal: AbortSignal,
  ): AsyncGenerator<BulkDeletionSeen, undefined> {
    yield first;
    let [shown, over] = [first, first.finishedAt !== null];
    while (!over && !signal.aborted) {
      // Waited for from before the look, so that what happens during the look wakes us too.
      const looked = new AbortController();
      const news = this.news.next(first.id, AbortSignal.any([signal, looked.signal]));
      const present = await this.look(first.id, signal);
      if (present === null) return undefined;
      if (isSame(present, shown)) {
        await news;
        continue;
      }
      looked.abort();
      yield present;
      [shown, over] = [present, present.finishedAt !== null];
    }
    return undefined;
  }

  /** Waits out a Redis that is away, as long as somebody follows. */
  private async look(id: BulkDeletionId, signal: AbortSignal): Promise<BulkDeletionSeen | null> {
    for (;;) {
      try {
        return await this.store.get(id);
      } catch (error) {
        if (!isTallyError(error, 'REDIS_UNAVAILABLE')) throw error;
        const isOver = await this.clock.sleep(RETRY_MS, signal).then(
          () => false,
          () => signal.aborted,
        );
        if (isOver) return null;
      }
    }
  }
}

function isSame(a: BulkDeletionSeen, b: BulkDeletionSeen): boolean {
  const fields = ['status', 'attempt', 'total', 'deletedCount', 'failedCount'] as const;
  return fields.every((field) => a[field] === b[field]);
}

function maySee(actor: Actor, bulk: BulkDeletion): boolean {
  const right = bulk.requestedBy.callerId === actor.callerId ? 'read' : 'administer';
  // Credentials that share a name may differ in their rooms, and what is shown names recordings.
  const about: readonly RoomId[] | null = bulk.roomId === null ? bulk.visibleRooms : [bulk.roomId];
  if (!may(actor, right, 'some-room')) return false;
  return about === null ? may(actor, right, 'every-room') : about.every((room) => may(actor, right, room));
}
