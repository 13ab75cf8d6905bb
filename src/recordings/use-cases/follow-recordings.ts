import { Injectable } from '@nestjs/common';
import { may, requireRecordingVisible, roomNotFound } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import type { RecordingId, RoomId } from '../../kernel/ids.js';
import type { RecordingStatus } from '../domain/recording.js';
import { EventLog, type LoggedEvent } from '../events/event-log.port.js';
import type { LogPosition } from '../store/log-position.js';
import { RecordingStore } from '../store/recording.store.js';

/** Null: whatever it is. */
export interface EventFilter {
  readonly roomId: RoomId | null;
  readonly recordingId: RecordingId | null;
  readonly statuses: readonly RecordingStatus[] | null;
  readonly after: LogPosition | null;
}

/** Every change that matches and that the caller may see, without a gap and nothing twice. */
@Injectable()
export class FollowRecordings {
  constructor(
    private readonly store: RecordingStore,
    private readonly events: EventLog,
  ) {}

  /** Throws at once what is wrong with the request; ends when it is returned. */
  async execute(filter: EventFilter, actor: Actor): Promise<AsyncIterableIterator<LoggedEvent>> {
    if (filter.roomId !== null && !may(actor, 'read', filter.roomId)) throw roomNotFound(filter.roomId);
    const after = filter.after ?? (await this.events.end());
    await this.events.check(after);
    // With a cursor, what is deleted by now has its events all the same.
    if (filter.recordingId !== null && filter.after === null) {
      const recording = await this.store.get(filter.recordingId);
      requireRecordingVisible(actor, filter.recordingId, recording?.upkeep.deleted ? null : recording);
    }
    const stop = new AbortController();
    const source = this.events.follow(after, stop.signal)[Symbol.asyncIterator]();
    const iterator: AsyncIterableIterator<LoggedEvent> = {
      next: async () => {
        for (;;) {
          const next = await source.next();
          if (next.done) return { done: true, value: undefined };
          if (isFollowed(next.value, filter, actor)) return next;
        }
      },
      return: async () => {
        stop.abort();
        await source.return?.();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }
}

function isFollowed({ recording }: LoggedEvent, filter: EventFilter, actor: Actor): boolean {
  const { roomId, id, status } = recording;
  if (!may(actor, 'read', roomId)) return false;
  if (filter.roomId !== null && filter.roomId !== roomId) return false;
  if (filter.recordingId !== null && filter.recordingId !== id) return false;
  return filter.statuses === null || filter.statuses.includes(status);
}
