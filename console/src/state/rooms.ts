import type { Room, RoomPage } from '../api/contract.js';
import { ROOMS } from '../api/documents.js';
import type { Answer, Api } from '../api/graphql.js';

export interface SeenRoom extends Room {
  /** LiveKit could not be asked: whether the room is open is unknown, which is not the same as closed. */
  readonly liveUnknown: boolean;
}

export interface Rooms {
  readonly list: readonly SeenRoom[];
  readonly hasMore: boolean;
  /** Why something about rooms is unknown, in the server's words. */
  readonly problem: string | null;
}

export const NO_ROOMS: Rooms = { list: [], hasMore: false, problem: null };
export const ROOMS_PER_PAGE = 50;

/** The first `count` rooms, or as many as there are. */
export async function readRooms(api: Api, count: number): Promise<Rooms> {
  const list: SeenRoom[] = [];
  let problem: string | null = null;
  let after: string | null = null;
  for (;;) {
    const first = Math.min(100, count - list.length);
    const { data, errors }: Answer<{ rooms: RoomPage }> = await api.askPartly(ROOMS, { first, after });
    const unknown = new Set(errors.filter((e) => e.path.at(-1) === 'live').map((e) => e.path[2]));
    list.push(...data.rooms.nodes.map((room, index) => ({ ...room, liveUnknown: unknown.has(index) })));
    problem ??= errors[0]?.message ?? null;
    after = data.rooms.pageInfo.endCursor;
    if (!data.rooms.pageInfo.hasNextPage) return { list, hasMore: false, problem };
    if (list.length >= count) return { list, hasMore: true, problem };
  }
}
