import type { Redis } from 'ioredis';
import type { RoomId } from '../../kernel/ids.js';
import { keys } from '../../redis/keys.js';
import { redisFailure } from '../../redis/redis.connections.js';
import { foldName } from '../domain/room.js';

const LOAD_STEP = 2_000;
const CHANGES_STEP = 1_000;

export interface NameSearch {
  readonly ids: readonly RoomId[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly totalCount: number;
}

/**
 * This process' copy of all room names, brought up to date before every search from the stream of changes, and read whole only
 * when it is new or the stream no longer reaches back to what it knows.
 */
export class RoomNames {
  private readonly names = new Map<string, string>();
  /** The keys of `names`, in the order of Redis. */
  private ids: string[] = [];
  /** The last change in the copy; null: nothing was read yet. */
  private last: string | null = null;
  private running: Promise<void> | null = null;
  private next: Promise<void> | null = null;

  constructor(private readonly redis: Redis) {}

  /** Exact as of this call, whoever wrote before it. Throws REDIS_UNAVAILABLE. */
  async search(nameContains: string, first: number, after: RoomId | null): Promise<NameSearch> {
    await this.catchUp();
    const part = foldName(nameContains);
    const found: string[] = [];
    let before = 0;
    let totalCount = 0;
    for (const id of this.ids) {
      if (!this.names.get(id)?.includes(part)) continue;
      totalCount += 1;
      if (after !== null && id <= after) before += 1;
      else if (found.length < first) found.push(id);
    }
    return {
      ids: found as RoomId[],
      hasNextPage: before + found.length < totalCount,
      hasPreviousPage: before > 0,
      totalCount,
    };
  }

  /** Whoever comes while a read is under way waits for the next one: the present one may have passed a change by. */
  private catchUp(): Promise<void> {
    if (this.running === null) {
      this.running = this.read().finally(() => {
        this.running = null;
      });
      return this.running;
    }
    this.next ??= this.running
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        this.next = null;
        return this.catchUp();
      });
    return this.next;
  }

  private async read(): Promise<void> {
    try {
      if (this.last === null || !(await this.applyChanges())) {
        await this.load();
        await this.applyChanges();
      }
    } catch (error) {
      throw redisFailure(error);
    }
  }

  /** False: the stream doesn't hold the last change that we know, so others may be missing too. */
  private async applyChanges(): Promise<boolean> {
    for (;;) {
      const from = this.last ?? '-';
      const changes = await this.redis.xrange(keys.roomChanges(), from, '+', 'COUNT', CHANGES_STEP);
      if (this.last !== null && changes[0]?.[0] !== this.last) return false;
      for (const [, fields] of changes) this.apply(fields[1]!, fields[3]);
      this.last = changes.at(-1)?.[0] ?? this.last;
      if (changes.length < CHANGES_STEP) return true;
    }
  }

  private apply(id: string, name: string | undefined): void {
    const known = this.names.has(id);
    if (name === undefined) {
      this.names.delete(id);
      if (known) this.ids.splice(this.placeOf(id), 1);
    } else {
      this.names.set(id, name);
      if (!known) this.ids.splice(this.placeOf(id), 0, id);
    }
  }

  private placeOf(id: string): number {
    let low = 0;
    let high = this.ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ids[middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What changes while it is read is in the stream after `last`, and is applied again. */
  private async load(): Promise<void> {
    const [newest] = await this.redis.xrevrange(keys.roomChanges(), '+', '-', 'COUNT', 1);
    this.last = null;
    this.names.clear();
    this.ids = [];
    for (let min = '-'; ;) {
      const ids = await this.redis.zrange(keys.rooms(), min, '+', 'BYLEX', 'LIMIT', 0, LOAD_STEP);
      const names = ids.length > 0 ? await this.redis.hmget(keys.roomNames(), ...ids) : [];
      ids.forEach((id, i) => {
        const name = names[i];
        if (typeof name !== 'string') return;
        this.names.set(id, name);
        this.ids.push(id);
      });
      if (ids.length < LOAD_STEP) break;
      min = `(${ids.at(-1)}`;
    }
    this.last = newest?.[0] ?? null;
  }
}
