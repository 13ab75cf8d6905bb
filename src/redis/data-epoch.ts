import { Injectable } from '@nestjs/common';
import { newToken } from '../kernel/ids.js';
import { keys } from './keys.js';
import { RedisConnections, redisFailure } from './redis.connections.js';

/** The mark that Redis is whole, which also names the event log: where it is missing, what Redis holds may be anything. */
@Injectable()
export class DataEpoch {
  constructor(private readonly connections: RedisConnections) {}

  /** Null: Redis is not whole. Throws REDIS_UNAVAILABLE. */
  async read(): Promise<string | null> {
    return this.ask((redis) => redis.get(keys.epoch()));
  }

  /** Begins a new event log. Changes nothing where the mark is there. */
  async set(): Promise<void> {
    await this.ask((redis) => redis.set(keys.epoch(), newToken(), 'NX'));
  }

  private async ask<T>(question: (redis: RedisConnections['command']) => Promise<T>): Promise<T> {
    try {
      return await question(this.connections.command);
    } catch (error) {
      throw redisFailure(error);
    }
  }
}
