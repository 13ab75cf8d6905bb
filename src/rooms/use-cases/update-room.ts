import { Injectable } from '@nestjs/common';
import { requireRight, requireRoomVisible, roomNotFound } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { changeRoom, type Room, type RoomChange } from '../domain/room.js';
import { RoomWriter } from '../write/room.writer.js';
import { RoomDirectory } from './room-directory.js';

/** Changes a room's name and recording settings, and makes a room known that is merely open in LiveKit. For ADMIN; recordings under way keep what they were started with. */
@Injectable()
export class UpdateRoom {
  constructor(
    private readonly directory: RoomDirectory,
    private readonly writer: RoomWriter,
    private readonly clock: Clock,
  ) {}

  /** Throws ROOM_NOT_FOUND, FORBIDDEN, STORAGE_UNAVAILABLE, REDIS_UNAVAILABLE; LIVEKIT_UNAVAILABLE where only LiveKit could know it. */
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
    const found = await this.directory.findOrOpen(roomId);
    if (found === null) throw roomNotFound(id);
    requireRight(actor, 'administer', roomId, 'change rooms');
    if (!found.known) return this.directory.make(roomId, change);
    return this.writer.update(roomId, (room) => changeRoom(room, change, this.clock.now()));
  }
}
