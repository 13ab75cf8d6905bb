import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { redisFailure } from './redis.connections.js';

/** One Lua file, sent by its digest and whole only where the server doesn't know it. */
export class Script {
  private readonly source: string;
  private readonly sha: string;

  /** `path`: the .lua file that stands beside the adapter that uses it. */
  constructor(path: string) {
    this.source = readFileSync(path, 'utf8');
    this.sha = createHash('sha1').update(this.source).digest('hex');
  }

  async run(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw redisFailure(error);
    }
    try {
      return await redis.eval(this.source, keys.length, ...keys, ...args);
    } catch (error) {
      throw redisFailure(error);
    }
  }
}
