import { Injectable } from '@nestjs/common';
import { may, requireRoomVisible, roomNotFound } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import type { RoomId } from '../../kernel/ids.js';
import { compareRoomIds } from '../../kernel/room-code.js';
import { foldName, type Room } from '../domain/room.js';
import { type RoomPage, type RoomQuery, RoomStore } from '../store/room.store.js';
import { type ListedRoom, OpenRooms } from './open-rooms.js';

/** Rooms closed in LiveKit are read from the known ones, so many at a time. */
const AT_ONCE = 200;

export interface RoomSearch extends Omit<RoomQuery, 'within'> {
  /** True: those open in LiveKit, known or not; false: known ones that are not open; null: all that are known. */
  readonly open: boolean | null;
}

export interface ListedRoomPage extends Omit<RoomPage, 'rooms'> {
  readonly rooms: readonly ListedRoom[];
}

/** Reads rooms as far as the caller may see them, also those that are merely open in LiveKit. */
@Injectable()
export class FindRooms {
  constructor(
    private readonly store: RoomStore,
    private readonly open: OpenRooms,
  ) {}

  /** Throws ROOM_NOT_FOUND, also for a room that the caller may not see; REDIS_UNAVAILABLE; LIVEKIT_UNAVAILABLE where only LiveKit could know it. */
  async one(actor: Actor, id: string): Promise<ListedRoom> {
    const roomId = requireRoomVisible(actor, id);
    const known = await this.store.get(roomId);
    if (known !== null) return { ...known, known: true };
    const unknown = await this.open.unknown(roomId);
    if (unknown === null) throw roomNotFound(id);
    return { ...unknown, known: false };
  }

  /** For who may see it already, since it sees what belongs to it. Null: there is none (any more). Throws REDIS_UNAVAILABLE. */
  byId(id: RoomId): Promise<Room | null> {
    return this.store.get(id);
  }

  /** Throws REDIS_UNAVAILABLE; with `open`, LIVEKIT_UNAVAILABLE. */
  async page(actor: Actor, { open, ...search }: RoomSearch): Promise<ListedRoomPage> {
    if (open === true) return this.openPage(actor, search);
    const query = { ...search, within: actor.rooms };
    return known(open === null ? await this.store.page(query) : await this.closedPage(actor, query));
  }

  private async openPage(actor: Actor, query: Omit<RoomQuery, 'within'>): Promise<ListedRoomPage> {
    const { after, first } = query;
    const rooms = (await this.open.all((id) => may(actor, 'read', id)))
      .filter((room) => matches(room, query))
      .toSorted((a, b) => compareRoomIds(a.id, b.id));
    const rest = rooms.filter(({ id }) => after === null || compareRoomIds(id, after) > 0);
    return {
      rooms: rest.slice(0, first),
      hasNextPage: rest.length > first,
      hasPreviousPage: rest.length < rooms.length,
      totalCount: rooms.length,
    };
  }

  private async closedPage(actor: Actor, query: RoomQuery): Promise<RoomPage> {
    const { after, first } = query;
    const names = await this.open.names();
    const open = new Set<RoomId>(names);
    const visible = names.filter((id) => may(actor, 'read', id));
    const alsoOpen = [...(await this.store.getMany(visible)).values()].filter((room) => matches(room, query));
    const rooms = await this.closedAfter(query, after, first + 1, open);
    const [before] = after === null ? [] : await this.closedAfter(query, null, 1, open);
    const { totalCount } = await this.store.page({ ...query, after: null, first: 1 });
    return {
      rooms: rooms.slice(0, first),
      hasNextPage: rooms.length > first,
      hasPreviousPage: after !== null && before !== undefined && compareRoomIds(before.id, after) <= 0,
      totalCount: Math.max(totalCount - alsoOpen.length, 0),
    };
  }

  /** At most so many of the known rooms after this one that are not open. */
  private async closedAfter(
    query: RoomQuery,
    after: RoomId | null,
    most: number,
    open: ReadonlySet<RoomId>,
  ): Promise<Room[]> {
    const found: Room[] = [];
    for (let place = after; ;) {
      const page = await this.store.page({ ...query, after: place, first: Math.max(most, AT_ONCE) });
      found.push(...page.rooms.filter(({ id }) => !open.has(id)));
      place = page.rooms.at(-1)?.id ?? null;
      if (found.length >= most || !page.hasNextPage || place === null) return found.slice(0, most);
    }
  }
}

function known(page: RoomPage): ListedRoomPage {
  return { ...page, rooms: page.rooms.map((room) => ({ ...room, known: true })) };
}

function matches({ name }: Room, { nameContains }: Pick<RoomQuery, 'nameContains'>): boolean {
  return nameContains === null || foldName(name).includes(foldName(nameContains));
}
