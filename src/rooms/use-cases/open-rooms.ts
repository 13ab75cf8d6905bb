import { Injectable } from '@nestjs/common';
import { parseRoomId, type RoomId } from '../../kernel/ids.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { LiveRoomSeen } from '../../livekit/livekit.types.js';
import { newRoom, type Room } from '../domain/room.js';
import { RoomStore } from '../store/room.store.js';

/**
 * Rooms that are open in LiveKit, also those that nobody has made here: these are called as they are in LiveKit and have the
 * default settings. One that was deleted here stays away until its session in LiveKit has ended: it would be back at once.
 */
@Injectable()
export class OpenRooms {
  constructor(
    private readonly store: RoomStore,
    private readonly livekit: LiveKit,
  ) {}

  /** Of a room that is not known here; null: it is not open either. Throws LIVEKIT_UNAVAILABLE, REDIS_UNAVAILABLE. */
  async unknown(id: RoomId): Promise<Room | null> {
    const live = await this.livekit.findRoom(id);
    return live === null ? null : ((await this.notDeleted([live])).get(id) ?? null);
  }

  /** The names of all open rooms. Throws LIVEKIT_UNAVAILABLE. */
  async names(): Promise<RoomId[]> {
    return [...byName(await this.livekit.listRooms()).keys()];
  }

  /** All open rooms that `wanted` takes, known or not, in no order. Throws LIVEKIT_UNAVAILABLE, REDIS_UNAVAILABLE. */
  async all(wanted: (id: RoomId) => boolean): Promise<ListedRoom[]> {
    const open = [...byName(await this.livekit.listRooms())].filter(([id]) => wanted(id));
    const known = await this.store.getMany(open.map(([id]) => id));
    const others = open.flatMap(([id, live]) => (known.has(id) ? [] : [live]));
    const unknown = await this.notDeleted(others);
    return [
      ...[...known.values()].map((room) => ({ ...room, known: true })),
      ...[...unknown.values()].map((room) => ({ ...room, known: false })),
    ];
  }

  private async notDeleted(rooms: readonly LiveRoomSeen[]): Promise<Map<RoomId, Room>> {
    const open = byName(rooms);
    const deletedAt = await this.store.deletedAt([...open.keys()]);
    return new Map(
      [...open].flatMap(([id, { createdAtMs }]) =>
        createdAtMs <= (deletedAt.get(id) ?? -Infinity)
          ? []
          : [[id, newRoom(id, { name: id }, createdAtMs)] as const],
      ),
    );
  }
}

/** `known`: it was made here. */
export type ListedRoom = Room & { readonly known: boolean };

function byName(rooms: readonly LiveRoomSeen[]): Map<RoomId, LiveRoomSeen> {
  return new Map(
    rooms.flatMap((room) => {
      const id = parseRoomId(room.name);
      return id === null ? [] : [[id, room] as const];
    }),
  );
}
