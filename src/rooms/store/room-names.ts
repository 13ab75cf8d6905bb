import type { RoomId } from '../../kernel/ids.js';
import { compareRoomIds } from '../../kernel/room-code.js';
import { keys } from '../../redis/keys.js';
import type { RedisConnections } from '../../redis/redis.connections.js';
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
  /** In the order of ids, which is Redis' order too. */
  private rooms: { readonly id: string; name: string }[] = [];
  /** The last change in the copy; null: nothing was read yet. */
  private last: string | null = null;
  /** Of which Redis the copy is: after a reset, changes may have the very ids of others before it. */
  private epoch = '';
  private wanted = '';
  private running: Promise<void> | null = null;
  private next: Promise<void> | null = null;

  constructor(private readonly connections: RedisConnections) {}

  /** Exact as of this call, whoever wrote before it. `epoch`: that of Redis at this call. Throws REDIS_UNAVAILABLE. */
  async search(
    epoch: string,
    nameContains: string,
    first: number,
    after: RoomId | null,
  ): Promise<NameSearch> {
    this.wanted = epoch;
    await this.catchUp();
    const part = foldName(nameContains);
    const found: string[] = [];
    let before = 0;
    let totalCount = 0;
    for (const { id, name } of this.rooms) {
      if (!name.includes(part)) continue;
      totalCount += 1;
      if (after !== null && compareRoomIds(id, after) <= 0) before += 1;
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
    if (this.epoch !== this.wanted) this.last = null;
    this.epoch = this.wanted;
    if (this.last === null || !(await this.applyChanges())) {
      await this.load();
      await this.applyChanges();
    }
  }

  /** False: the stream doesn't hold the last change that we know, so others may be missing too. */
  private async applyChanges(): Promise<boolean> {
    for (;;) {
      const from = this.last ?? '-';
      const changes = await this.connections.run((redis) =>
        redis.xrange(keys.roomChanges(), from, '+', 'COUNT', CHANGES_STEP),
      );
      if (this.last !== null && changes[0]?.[0] !== this.last) return false;
      for (const [, [, id = '', , name]] of changes) this.apply(id, name);
      this.last = changes.at(-1)?.[0] ?? this.last;
      if (changes.length < CHANGES_STEP) return true;
    }
  }

  private apply(id: string, name: string | undefined): void {
    const place = this.placeOf(id);
    const known = this.rooms[place]?.id === id ? this.rooms[place] : undefined;
    if (name === undefined) this.rooms.splice(place, known ? 1 : 0);
    else if (known) known.name = name;
    else this.rooms.splice(place, 0, { id, name });
  }

  private placeOf(id: string): number {
    let low = 0;
    let high = this.rooms.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareRoomIds(this.rooms[middle]?.id ?? '', id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What changes while it is read is in the stream after `last`, and is applied again. */
  private async load(): Promise<void> {
    const [newest] = await this.connections.run((redis) =>
      redis.xrevrange(keys.roomChanges(), '+', '-', 'COUNT', 1),
    );
    this.last = null;
    this.rooms = [];
    for (let min = '-'; ;) {
      const ids = await this.connections.run((redis) =>
        redis.zrange(keys.rooms(), min, '+', 'BYLEX', 'LIMIT', 0, LOAD_STEP),
      );
      const names =
        ids.length > 0 ? await this.connections.run((redis) => redis.hmget(keys.roomNames(), ...ids)) : [];
      ids.forEach((id, i) => {
        const name = names[i];
        if (typeof name === 'string') this.rooms.push({ id, name });
      });
      if (ids.length < LOAD_STEP) break;
      min = `(${ids.at(-1)}`;
    }
    this.last = newest?.[0] ?? null;
  }
}
