import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';
import type { RoomId } from '../../kernel/ids.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { LiveRoomSeen } from '../../livekit/livekit.types.js';

/** What LiveKit says of rooms right now. Rooms that are asked for in one breath are one question; nothing is remembered. */
@Injectable()
export class LiveRooms {
  private readonly loader: DataLoader<RoomId, LiveRoomSeen | null>;

  constructor(livekit: LiveKit) {
    this.loader = new DataLoader((ids) => askFor(livekit, ids), { cache: false });
  }

  /** Null: the room is not open. Throws LIVEKIT_UNAVAILABLE when nobody can say. */
  find(id: RoomId): Promise<LiveRoomSeen | null> {
    return this.loader.load(id);
  }
}

async function askFor(livekit: LiveKit, ids: readonly RoomId[]): Promise<(LiveRoomSeen | null)[]> {
  const [only] = ids;
  if (only !== undefined && new Set(ids).size === 1) {
    const room = await livekit.findRoom(only);
    return ids.map(() => room);
  }
  const open = new Map((await livekit.listRooms()).map((room) => [room.name, room]));
  return ids.map((id) => open.get(id) ?? null);
}
