import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { isTallyError } from '../../kernel/errors.js';
import type { RoomId } from '../../kernel/ids.js';
import { changeRoom, newRoom, type Room, type RoomChange } from '../domain/room.js';
import { RoomStore } from '../store/room.store.js';
import { RoomWriter } from '../write/room.writer.js';
import { type ListedRoom, OpenRooms } from './open-rooms.js';

/** Rooms for whoever works with one: it has to be known, or open in LiveKit, and then becomes known by what is done with it. */
@Injectable()
export class RoomDirectory {
  constructor(
    private readonly store: RoomStore,
    private readonly open: OpenRooms,
    private readonly writer: RoomWriter,
    private readonly clock: Clock,
  ) {}

  /** Null: neither known nor open. Throws REDIS_UNAVAILABLE; LIVEKIT_UNAVAILABLE where only LiveKit could know it. */
  async findOrOpen(id: RoomId): Promise<ListedRoom | null> {
    const room = await this.store.get(id);
    if (room !== null) return { ...room, known: true };
    const open = await this.open.unknown(id);
    return open && { ...open, known: false };
  }

  /** The room as it is once it is known; made now where it is not. Throws STORAGE_UNAVAILABLE, REDIS_UNAVAILABLE, and ROOM_NOT_FOUND where it was deleted meanwhile. */
  async ensure(room: ListedRoom): Promise<Room> {
    return room.known ? room : this.make(room.id, {});
  }

  /** Made with this change, or changed where another has made it by now. */
  async make(id: RoomId, change: RoomChange): Promise<Room> {
    const now = this.clock.now();
    try {
      return await this.writer.create(newRoom(id, { name: id, ...change }, now));
    } catch (error) {
      if (!isTallyError(error, 'ROOM_ALREADY_EXISTS')) throw error;
      return this.writer.update(id, (room) => changeRoom(room, change, now));
    }
  }
}
