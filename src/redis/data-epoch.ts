import { Injectable } from '@nestjs/common';
import { newToken } from '../kernel/ids.js';
import { keys } from './keys.js';
import { RedisConnections } from './redis.connections.js';

/** The mark that Redis is whole, which also names the event log: where it is missing, what Redis holds may be anything. */
@Injectable()
export class DataEpoch {
  constructor(private readonly connections: RedisConnections) {}

  /** Null: Redis is not whole. Throws REDIS_UNAVAILABLE. */
  async read(): Promise<string | null> {
    return this.connections.run((redis) => redis.get(keys.epoch()));
  }

  /** Begins a new event log. Changes nothing where the mark is there. */
  async set(): Promise<void> {
    await this.connections.run((redis) => redis.set(keys.epoch(), newToken(), 'NX'));
  }
}
