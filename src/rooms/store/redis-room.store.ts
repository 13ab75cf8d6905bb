import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { newToken, type RoomId } from '../../kernel/ids.js';
import { compareRoomIds } from '../../kernel/room-code.js';
import { keys } from '../../redis/keys.js';
import { toScriptInput } from '../../redis/redis-command.js';
import { redisWasReset, RebuildSuperseded } from '../../redis/redis-was-reset.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { Script } from '../../redis/script.js';
import { DEFAULT_RECORDING_SETTINGS, foldName, type Room } from '../domain/room.js';
import { RoomNames } from './room-names.js';
import {
  type Belonging,
  type RemovalTerms,
  type RoomPage,
  type RoomQuery,
  RoomStore,
  type StoredRoom,
  type UnsavedWrite,
} from './room.store.js';

const commitRoom = new Script(join(__dirname, 'commit-room.lua'));
const settleRoom = new Script(join(__dirname, 'settle-room.lua'));
const unsavedRooms = new Script(join(__dirname, 'unsaved-rooms.lua'));

interface Commit {
  readonly id: RoomId;
  /** Null: there must be no room. */
  readonly expected: string | null;
  readonly rev: string;
  /** Null removes the room. */
  readonly next: Room | null;
  readonly inBucket?: boolean;
  readonly rebuild?: string;
  readonly terms?: RemovalTerms;
  /** A deletion that is remembered. */
  readonly remembered?: boolean;
}

@Injectable()
export class RedisRoomStore extends RoomStore {
  private readonly names: RoomNames;

  constructor(private readonly connections: RedisConnections) {
    super();
    this.names = new RoomNames(connections);
  }

  async get(id: RoomId): Promise<StoredRoom | null> {
    return (await this.getMany([id])).get(id) ?? null;
  }

  async getMany(ids: readonly RoomId[]): Promise<Map<RoomId, StoredRoom>> {
    if (ids.length === 0) return new Map();
    const [, rows] = await this.connections.readWhole((all) => all.mget(ids.map((id) => keys.room(id))));
    return new Map(
      (rows as (string | null)[])
        .filter((row) => row !== null)
        .map((row) => parseRow(row))
        .map((room) => [room.id, room]),
    );
  }

  async page(query: RoomQuery): Promise<RoomPage> {
    const before = await this.epoch();
    if (before === null) throw redisWasReset();
    const page = await this.readPage(query, before);
    // What was read in several steps is a page of one Redis only where that was whole all the while.
    if (before !== (await this.epoch())) throw redisWasReset();
    return page;
  }

  async create(room: Room): Promise<StoredRoom | 'exists'> {
    const rev = newToken();
    const done = await this.commit({ id: room.id, expected: null, rev, next: room });
    return done === 'done' ? { ...room, rev } : 'exists';
  }

  async replace(current: StoredRoom, next: Room): Promise<StoredRoom | 'moved-on'> {
    const rev = newToken();
    const done = await this.commit({ id: current.id, expected: current.rev, rev, next });
    return done === 'done' ? { ...next, rev } : 'moved-on';
  }

  async remove(current: StoredRoom, terms: RemovalTerms): Promise<UnsavedWrite | 'moved-on' | 'held'> {
    const rev = newToken();
    const done = await this.commit({
      id: current.id,
      expected: current.rev,
      rev,
      next: null,
      terms,
      remembered: true,
    });
    return done === 'done' ? { id: current.id, rev } : done;
  }

  async takeBack({ id, rev: expected }: StoredRoom): Promise<void> {
    const terms = { unless: [keys.slot(id) as Belonging] };
    await this.commit({ id, expected, rev: newToken(), next: null, terms });
  }

  async restore(room: Room, rebuild?: string): Promise<'restored' | 'exists'> {
    const done = await this.commit({
      id: room.id,
      expected: null,
      rev: newToken(),
      next: room,
      inBucket: true,
      ...(rebuild !== undefined && { rebuild }),
    });
    return done === 'done' ? 'restored' : 'exists';
  }

  async deletedAt(ids: readonly RoomId[]): Promise<Map<RoomId, number>> {
    if (ids.length === 0) return new Map();
    const scores = await this.connections.run((redis) => redis.zmscore(keys.deletedRooms(), ...ids));
    return new Map(
      ids.flatMap((id, i) => {
        const at = scores[i];
        return typeof at === 'string' ? [[id, Number(at)] as const] : [];
      }),
    );
  }

  async unsaved(olderThanMs: number, limit: number): Promise<UnsavedWrite[]> {
    // It is looked for all the time, and most of the time there is none.
    if ((await this.connections.run((redis) => redis.exists(keys.unsavedRooms()))) === 0) return [];
    const answer = await unsavedRooms.run(
      this.connections.command,
      [keys.unsavedRooms()],
      [olderThanMs, limit],
    );
    return (answer as string[]).map((member) => {
      // A room's name may have spaces, a revision has none.
      const end = member.lastIndexOf(' ');
      return { id: member.slice(0, end) as RoomId, rev: member.slice(end + 1) };
    });
  }

  async settle(id: RoomId, writes: readonly string[], saved: string | null): Promise<'settled' | 'moved-on'> {
    const answer = await settleRoom.run(
      this.connections.command,
      [keys.room(id), keys.unsavedRooms()],
      [id, saved ?? '', ...writes],
    );
    return answer === 1 ? 'settled' : 'moved-on';
  }

  private async readPage(query: RoomQuery, epoch: string): Promise<RoomPage> {
    if (query.within !== null) return this.pageWithin(query.within, query);
    if (query.nameContains === null) return this.pageOfAll(query);
    const { ids, ...rest } = await this.names.search(epoch, query.nameContains, query.first, query.after);
    return { rooms: await this.inOrder(ids), ...rest };
  }

  private async commit(step: Commit): Promise<'done' | 'moved-on' | 'held'> {
    const { id, expected, rev, next, inBucket = false, terms: { unless = [], also = [] } = {} } = step;
    const others = toScriptInput(also);
    const row: StoredRoom | null = next && { ...next, rev };
    const answer = await commitRoom.run(
      this.connections.command,
      [
        ...[keys.room(id), keys.rooms(), keys.roomNames(), keys.roomChanges(), keys.unsavedRooms()],
        ...[keys.epoch(), keys.rebuild(), keys.deletedRooms(), ...unless, ...others.keys],
      ],
      [
        id,
        expected ?? '',
        rev,
        row ? JSON.stringify(row) : '',
        next ? foldName(next.name) : '',
        inBucket ? 0 : 1,
        unless.length,
        others.commands,
        step.rebuild ?? '',
        step.remembered ? 1 : 0,
      ],
    );
    if (answer === -1) throw redisWasReset();
    if (answer === -2) throw new RebuildSuperseded();
    return answer === 1 ? 'done' : answer === 2 ? 'held' : 'moved-on';
  }

  private epoch(): Promise<string | null> {
    return this.connections.run((redis) => redis.get(keys.epoch()));
  }

  private async pageOfAll({ first, after }: RoomQuery): Promise<RoomPage> {
    const key = keys.rooms();
    const [ids, totalCount, before] = await this.connections.run((redis) =>
      Promise.all([
        redis.zrange(key, after === null ? '-' : `(${after}`, '+', 'BYLEX', 'LIMIT', 0, first + 1),
        redis.zcard(key),
        after === null ? 0 : redis.zlexcount(key, '-', `[${after}`),
      ]),
    );
    return {
      rooms: await this.inOrder(ids.slice(0, first) as RoomId[]),
      hasNextPage: ids.length > first,
      hasPreviousPage: before > 0,
      totalCount,
    };
  }

  private async pageWithin(within: readonly RoomId[], query: RoomQuery): Promise<RoomPage> {
    const part = foldName(query.nameContains ?? '');
    const rooms = await this.inOrder([...new Set(within)].toSorted(compareRoomIds));
    const matching = rooms.filter((room) => foldName(room.name).includes(part));
    const { after, first } = query;
    const rest = after === null ? matching : matching.filter((room) => compareRoomIds(room.id, after) > 0);
    return {
      rooms: rest.slice(0, first),
      hasNextPage: rest.length > first,
      hasPreviousPage: rest.length < matching.length,
      totalCount: matching.length,
    };
  }

  /** One that was removed since its id was read is left out. */
  private async inOrder(ids: readonly RoomId[]): Promise<StoredRoom[]> {
    const rooms = await this.getMany(ids);
    return ids.map((id) => rooms.get(id)).filter((room) => room !== undefined);
  }
}

function parseRow(row: string): StoredRoom {
  const room = JSON.parse(row) as StoredRoom;
  // Settings that a row does not have are younger than it.
  return { ...room, recordingSettings: { ...DEFAULT_RECORDING_SETTINGS, ...room.recordingSettings } };
}
