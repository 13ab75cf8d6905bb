import { signal } from '@preact/signals';
import type { ResultOf } from 'gql.tada';
import type { Room } from '../api/contract.js';
import { type Answer, messageOf } from '../api/graphql.js';
import { ROOMS } from '../api/room-documents.js';
import type { Desk } from './desk.js';

export interface SeenRoom extends Room {
  /** LiveKit could not be asked: whether the room is open is unknown, which is not the same as closed. */
  readonly liveUnknown: boolean;
}

const PAGE = 50;
const LOOK_EVERY_MS = 10_000;

/** Rooms by name, those that are open in LiveKit first, whether anybody has made them here or not. */
export class RoomList {
  readonly open = signal<readonly SeenRoom[] | null>(null);
  readonly closed = signal<readonly SeenRoom[] | null>(null);
  readonly openTotal = signal(0);
  readonly closedTotal = signal(0);
  /** Why something is unknown, in the server's words. */
  readonly problem = signal<string | null>(null);
  private closedWanted = PAGE;
  private generation = 0;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly stopListening: () => void;

  constructor(
    private readonly desk: Desk,
    private readonly words: string,
  ) {
    this.timer = setInterval(() => {
      if (document.visibilityState === 'visible') void this.read();
    }, LOOK_EVERY_MS);
    this.stopListening = desk.on(({ type }) => {
      if (type === 'REQUESTED') void this.read();
    });
    void this.read();
  }

  close(): void {
    this.generation++;
    clearInterval(this.timer);
    this.stopListening();
  }

  async more(): Promise<void> {
    this.closedWanted += PAGE;
    await this.read();
  }

  async read(): Promise<void> {
    const generation = ++this.generation;
    const [open, closed] = await Promise.allSettled([
      this.some(true, 2 * PAGE),
      this.some(false, this.closedWanted),
    ]);
    // Without LiveKit nobody can say which are open; which are known here can be said all the same.
    const all =
      open.status === 'rejected' && closed.status === 'rejected' ? await this.whateverTheyAre() : null;
    if (generation !== this.generation) return;
    this.problem.value = open.status === 'rejected' ? messageOf(open.reason) : null;
    if (open.status === 'fulfilled') [this.open.value, this.openTotal.value] = open.value;
    else this.open.value = [];
    if (closed.status === 'fulfilled') [this.closed.value, this.closedTotal.value] = closed.value;
    else if (all) [this.closed.value, this.closedTotal.value] = all;
  }

  private async whateverTheyAre(): Promise<[SeenRoom[], number] | null> {
    try {
      const [rooms, total] = await this.some(null, this.closedWanted);
      return [rooms.map((room) => ({ ...room, liveUnknown: true })), total];
    } catch (error) {
      console.warn('no rooms could be read:', error);
      return null;
    }
  }

  private async some(open: boolean | null, count: number): Promise<[SeenRoom[], number]> {
    const rooms: SeenRoom[] = [];
    let after: string | null = null;
    for (;;) {
      const first = Math.min(100, count - rooms.length);
      const answer: Answer<ResultOf<typeof ROOMS>> = await this.desk.api.askPartly(ROOMS, {
        nameContains: this.words || null,
        open,
        first,
        after,
      });
      const { data, errors } = answer;
      const unknown = new Set(errors.filter((e) => e.path.at(-1) === 'live').map((e) => e.path[2]));
      rooms.push(...data.rooms.nodes.map((room, index) => ({ ...room, liveUnknown: unknown.has(index) })));
      after = data.rooms.pageInfo.endCursor;
      if (!data.rooms.pageInfo.hasNextPage || rooms.length >= count) return [rooms, data.rooms.totalCount];
    }
  }
}
