import { Injectable } from '@nestjs/common';
import { TallyError } from '../../kernel/errors.js';
import type { RoomId } from '../../kernel/ids.js';
import { RoomArchive } from '../store/room-archive.js';
import { RoomStore } from '../store/room.store.js';

const MAX_TRIES = 16;

/** Makes the bucket hold what the store holds. Safe to repeat and to be done by several at once. */
@Injectable()
export class RoomSaver {
  constructor(
    private readonly store: RoomStore,
    private readonly archive: RoomArchive,
  ) {}

  /**
   * Answers when the bucket holds the room's present state, later than the named writes, which are settled then.
   * Whoever wrote the bucket last looks once more whether the room moved on meanwhile, so that an older state that
   * overtook a newer one doesn't stay. Throws STORAGE_UNAVAILABLE and REDIS_UNAVAILABLE; the writes stay marked.
   */
  async save(id: RoomId, writes: readonly string[]): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const room = await this.store.get(id);
      if (room === null) await this.archive.remove(id);
      else await this.archive.write(room);
      if ((await this.store.settle(id, writes, room?.rev ?? null)) === 'settled') return;
    }
    throw new TallyError(
      'STORAGE_UNAVAILABLE',
      `room ${id} changes faster than it is saved; try again in a moment`,
      {
        roomId: id,
      },
    );
  }
}
