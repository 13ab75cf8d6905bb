import { Injectable } from '@nestjs/common';
import { requireRight } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { newRoomId, type RoomId } from '../../kernel/ids.js';
import { newRoom, type Room, type RoomRecordingSettings } from '../domain/room.js';
import { RoomWriter } from '../write/room.writer.js';

export interface CreateRoomRequest {
  /** Null: the room gets an id of its own. */
  readonly id: RoomId | null;
  readonly name: string;
  readonly recordingSettings: Partial<RoomRecordingSettings>;
}

/** Makes a room, in Tallylight alone: LiveKit is not asked. For ADMIN. */
@Injectable()
export class CreateRoom {
  constructor(
    private readonly writer: RoomWriter,
    private readonly clock: Clock,
  ) {}

  /** Throws FORBIDDEN, ROOM_ALREADY_EXISTS, STORAGE_UNAVAILABLE, REDIS_UNAVAILABLE. */
  async execute({ actor, ...request }: CreateRoomRequest & { readonly actor: Actor }): Promise<Room> {
    const now = this.clock.now();
    const id = request.id ?? newRoomId(now);
    // Told before anybody looks whether the room exists, which this caller may not know.
    requireRight(actor, 'administer', id, `create room ${id}`);
    return this.writer.create(newRoom(id, request, now));
  }
}
