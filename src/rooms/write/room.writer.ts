import { Injectable, Logger } from '@nestjs/common';
import { roomNotFound } from '../../auth/rights.js';
import { Clock } from '../../kernel/clock.js';
import { TallyError } from '../../kernel/errors.js';
import type { RoomId } from '../../kernel/ids.js';
import { Random } from '../../kernel/random.js';
import type { Room } from '../domain/room.js';
import { type RemovalTerms, RoomStore, type StoredRoom, type UnsavedWrite } from '../store/room.store.js';
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

  /**
   * Throws ROOM_ALREADY_EXISTS; STORAGE_UNAVAILABLE where it can't be made durable, and then there is no such room, unless it is
   * recorded or changed by now.
   */
  async create(room: Room): Promise<Room> {
    const created = await this.store.create(room);
    if (created === 'exists') {
      throw new TallyError(
        'ROOM_ALREADY_EXISTS',
        `room ${room.id} exists already; update it or choose another id`,
        { roomId: room.id },
      );
    }
    await this.saveOr(created, () => this.store.takeBack(created));
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
    throw changedByMany(id);
  }

  /**
   * `held`: it may not go by the terms. Throws ROOM_NOT_FOUND; STORAGE_UNAVAILABLE where it can't be made durable, and then
   * there is the room again. Where more than the room was changed in the step, its copy in the storage is removed later instead.
   */
  async remove(id: RoomId, terms: RemovalTerms = {}): Promise<StoredRoom | 'held'> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const current = await this.store.get(id);
      if (current === null) throw roomNotFound(id);
      const removed = await this.store.remove(current, terms);
      if (removed === 'held') return 'held';
      if (removed !== 'moved-on') {
        const final = (terms.also ?? []).length > 0;
        await this.saveRemoval(removed, final ? null : () => this.store.create(current));
        return current;
      }
      await this.clock.sleep(this.random.next() * Math.min(2 ** tries, MAX_PAUSE_MS));
    }
    throw changedByMany(id);
  }

  private async saveRemoval(removed: UnsavedWrite, takeBack: (() => Promise<unknown>) | null): Promise<void> {
    if (takeBack !== null) return this.saveOr(removed, takeBack);
    try {
      await this.saver.save(removed.id, [removed.rev]);
    } catch (error) {
      this.log.warn({
        message: 'the copy of a deleted room is removed later',
        roomId: removed.id,
        cause: String(error),
      });
    }
  }

  /** Takes back what can't be made durable, unless another has built on it; the bucket is put right later. */
  private async saveOr(written: UnsavedWrite, takeBack: () => Promise<unknown>): Promise<void> {
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

function changedByMany(id: RoomId): TallyError {
  return new TallyError('REDIS_UNAVAILABLE', `room ${id} is being changed by many; try again in a moment`, {
    roomId: id,
  });
}
