import type { RoomId } from '../../kernel/ids.js';
import { Injectable } from '@nestjs/common';
import { requireRoomVisible, roomNotFound } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import type { Room } from '../domain/room.js';
import { type RoomPage, type RoomQuery, RoomStore } from '../store/room.store.js';

/** Reads rooms as far as the caller may see them. A room that is open in LiveKit alone is none of ours. */
@Injectable()
export class FindRooms {
  constructor(private readonly store: RoomStore) {}

  /** Throws ROOM_NOT_FOUND, also for a room that the caller may not see; REDIS_UNAVAILABLE. */
  async one(actor: Actor, id: string): Promise<Room> {
    const room = await this.store.get(requireRoomVisible(actor, id));
    if (room === null) throw roomNotFound(id);
    return room;
  }

  /** For who may see it already, since it sees what belongs to it. Null: there is none (any more). Throws REDIS_UNAVAILABLE. */
  byId(id: RoomId): Promise<Room | null> {
    return this.store.get(id);
  }

  /** Throws REDIS_UNAVAILABLE. */
  page(actor: Actor, query: Omit<RoomQuery, 'within'>): Promise<RoomPage> {
    return this.store.page({ ...query, within: actor.rooms });
  }
}
