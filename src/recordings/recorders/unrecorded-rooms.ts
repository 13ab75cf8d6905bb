import { Injectable } from '@nestjs/common';
import type { RoomId } from '../../kernel/ids.js';
import { keys } from '../../redis/keys.js';
import { RedisConnections } from '../../redis/redis.connections.js';

/** Rooms that should be recorded and are not: since when, and up to when that was counted; instants in ms. */
export interface Unrecorded {
  readonly since: number;
  readonly countedTo: number;
}

/** Remembers them across processes. Every method throws REDIS_UNAVAILABLE. */
@Injectable()
export class UnrecordedRooms {
  constructor(private readonly connections: RedisConnections) {}

  async get(room: RoomId): Promise<Unrecorded | null> {
    const noted = await this.connections.run((redis) => redis.hget(keys.unrecorded(), room));
    if (noted === null) return null;
    const [since = 0, countedTo = 0] = noted.split(' ').map(Number);
    return { since, countedTo };
  }

  async set(room: RoomId, { since, countedTo }: Unrecorded): Promise<void> {
    await this.connections.run((redis) => redis.hset(keys.unrecorded(), room, `${since} ${countedTo}`));
  }

  async forget(room: RoomId): Promise<void> {
    await this.connections.run((redis) => redis.hdel(keys.unrecorded(), room));
  }
}
