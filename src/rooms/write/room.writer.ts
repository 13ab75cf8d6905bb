import { Injectable, Logger } from '@nestjs/common';
import { roomNotFound } from '../../auth/roles.js';
import { Clock } from '../../kernel/clock.js';
import { TallyError } from '../../kernel/errors.js';
import type { RoomId } from '../../kernel/ids.js';
import { Random } from '../../kernel/random.js';
import type { Room } from '../domain/room.js';
import { RoomStore, type StoredRoom } from '../store/room.store.js';
import { RoomSaver } from './room-saver.js';

const MAX_TRIES = 16;
const MAX_PAUSE_MS = 500;

/** The only writer of rooms: what it answers stands in the store and in the bucket. */
@Injectable()
export class RoomWriter {
  private readonly log = new Logger('Rooms');

  constructor(
    private readonly store: RoomStore,
    private readonly saver: RoomSaver,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Throws ROOM_ALREADY_EXISTS; STORAGE_UNAVAILABLE where it can't be made durable, and then there is no such room. */
  async create(room: Room): Promise<Room> {
    const created = await this.store.create(room);
    if (created === 'exists') {
      throw new TallyError(
        'ROOM_ALREADY_EXISTS',
        `room ${room.id} exists already; update it or choose another id`,
        { roomId: room.id },
      );
    }
    await this.saveOr(created, () => this.store.remove(created));
    return created;
  }

  /**
   * `change` is asked again when another was faster; the room it was given means that nothing changes.
   * Throws ROOM_NOT_FOUND; STORAGE_UNAVAILABLE where it can't be made durable, and then the room is as it was.
   */
  async update(id: RoomId, change: (room: Room) => Room): Promise<Room> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const current = await this.store.get(id);
      if (current === null) throw roomNotFound(id);
      const next = change(current);
      if (next === current) return current;
      const written = await this.store.replace(current, next);
      if (written !== 'moved-on') {
        await this.saveOr(written, () => this.store.replace(written, current));
        return written;
      }
      await this.clock.sleep(this.random.next() * Math.min(2 ** tries, MAX_PAUSE_MS));
    }
    throw new TallyError('REDIS_UNAVAILABLE', `room ${id} is being changed by many; try again in a moment`, {
      roomId: id,
    });
  }

  /** Takes back what can't be made durable, unless another has built on it; the bucket is put right later. */
  private async saveOr(written: StoredRoom, takeBack: () => Promise<unknown>): Promise<void> {
    try {
      await this.saver.save(written.id, [written.rev]);
    } catch (error) {
      try {
        await takeBack();
      } catch (cause) {
        this.log.error({
          message: 'room not taken back, it is saved later',
          roomId: written.id,
          cause: String(cause),
        });
      }
      throw error;
    }
  }
}
