import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { redisFailure } from './redis-failure.js';
import type { RedisClient } from './redis.connections.js';

export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly ScriptArgument[];
}

/** A Buffer is given as it is. */
export type ScriptArgument = string | number | Buffer;

/** One Lua file, sent by its digest and whole only where the server doesn't know it. */
export class Script {
  private readonly source: string;
  private readonly sha: string;

  /** `path`: the .lua file that stands beside the adapter that uses it; a line `-- include x.lua` stands for that file beside it. */
  constructor(path: string) {
    this.source = sourceOf(path);
    this.sha = createHash('sha1').update(this.source).digest('hex');
  }

  run(redis: RedisClient, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return this.sendOne(
      () => redis.evalsha(this.sha, keys.length, ...keys, ...args),
      () => redis.eval(this.source, keys.length, ...keys, ...args),
    );
  }

  /** The answer with a Buffer in the place of each string: for what is not text. */
  runBuffers(redis: RedisClient, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return this.sendOne(
      () => redis.callBuffer('evalsha', this.sha, keys.length, ...keys, ...args),
      () => redis.callBuffer('eval', this.source, keys.length, ...keys, ...args),
    );
  }

  /**
   * Many calls in one round trip; the answers are in their order, with a Buffer in the place of each string. One that failed fails
   * all, after all of them were made.
   */
  async runAll(redis: RedisClient, calls: readonly ScriptCall[]): Promise<unknown[]> {
    const first = await this.send(redis, calls);
    const unknown = calls.filter((_, i) => isUnknownScript(first[i]?.[0]));
    const [one, ...rest] = unknown;
    if (one === undefined) return first.map(answerOf);
    // The one that is sent whole makes it known to whichever server has our keys.
    const again: [unknown, unknown][] = [await this.evaluate(redis, one), ...(await this.send(redis, rest))];
    return first.map((answer) => answerOf(isUnknownScript(answer[0]) ? (again.shift() ?? answer) : answer));
  }

  private async sendOne(byDigest: () => Promise<unknown>, whole: () => Promise<unknown>): Promise<unknown> {
    try {
      return await byDigest();
    } catch (error) {
      if (!isUnknownScript(error)) throw redisFailure(error);
    }
    try {
      return await whole();
    } catch (error) {
      throw redisFailure(error);
    }
  }

  private async evaluate(redis: RedisClient, { keys, args }: ScriptCall): Promise<[unknown, unknown]> {
    return redis.callBuffer('eval', this.source, keys.length, ...keys, ...args).then(
      (answer) => [null, answer],
      (error: unknown) => [error, null],
    );
  }

  private async send(redis: RedisClient, calls: readonly ScriptCall[]): Promise<[unknown, unknown][]> {
    const pipeline = redis.pipeline();
    for (const { keys, args } of calls)
      pipeline.callBuffer('evalsha', this.sha, keys.length, ...keys, ...args);
    try {
      return (await pipeline.exec()) ?? [];
    } catch (error) {
      throw redisFailure(error);
    }
  }
}

function sourceOf(path: string): string {
  const include = (_line: string, name: string): string => sourceOf(join(dirname(path), name));
  return readFileSync(path, 'utf8').replace(/^-- include (\S+)$/gm, include);
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

function answerOf([error, answer]: [unknown, unknown]): unknown {
  if (error) throw redisFailure(error);
  return answer;
}
