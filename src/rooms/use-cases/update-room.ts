import { Injectable } from '@nestjs/common';
import { may, requireRight, requireRoomVisible, roomNotFound } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { changeRoom, type Room, type RoomChange } from '../domain/room.js';
import { RoomStore } from '../store/room.store.js';
import { RoomWriter } from '../write/room.writer.js';

/** Changes a room's name and recording settings. For ADMIN; recordings under way keep what they were started with. */
@Injectable()
export class UpdateRoom {
  constructor(
    private readonly store: RoomStore,
    private readonly writer: RoomWriter,
    private readonly clock: Clock,
  ) {}

  /** Throws ROOM_NOT_FOUND, FORBIDDEN, STORAGE_UNAVAILABLE, REDIS_UNAVAILABLE. */
  async execute({
    actor,
    id,
    change,
  }: {
    readonly actor: Actor;
    readonly id: string;
    readonly change: RoomChange;
  }): Promise<Room> {
    const roomId = requireRoomVisible(actor, id);
    if (!may(actor, 'administer', roomId) && (await this.store.get(roomId)) === null) throw roomNotFound(id);
    requireRight(actor, 'administer', roomId, 'change rooms');
    return this.writer.update(roomId, (room) => changeRoom(room, change, this.clock.now()));
  }
}
