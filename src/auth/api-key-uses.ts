import { Injectable } from '@nestjs/common';
import { keys } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';

/** When each API key was used last, in ms. Not in the bucket: a Redis that was lost has it from the next use on. */
@Injectable()
export class ApiKeyUses {
  constructor(private readonly redis: RedisConnections) {}

  async note(id: string, at: number): Promise<void> {
    await this.redis.command.hset(keys.apiKeysUsed(), id, at);
  }

  /** Null for those that were not used. Throws REDIS_UNAVAILABLE. */
  async read(ids: readonly string[]): Promise<(number | null)[]> {
    if (ids.length === 0) return [];
    const found = await this.redis.run((redis) => redis.hmget(keys.apiKeysUsed(), ...ids));
    return found.map((at) => (at === null ? null : Number(at)));
  }
}
