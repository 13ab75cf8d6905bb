import type { Bench, Figures } from '../support/figures.js';
import { measure } from '../support/measure.js';
import { openRooms, startIn, stopAll } from '../support/rooms.js';
import { pause, times } from '../support/load.js';
import { Target } from '../support/target.js';

const AT_ONCE = 32;
/** What a start leaves to be done behind its answer is done within it. */
const SETTLE_MS = 2_000;

export const start: Bench = {
  name: 'start',
  measures: 'a start until its ACTIVE, of a LiveKit that takes no time: alone, and 32 at once',
  run: async ({ quick }) => {
    const target = await Target.start();
    try {
      const rooms = await openRooms(target, quick ? 40 : 200);
      await warmUp(target, rooms.slice(0, quick ? 8 : 64));
      return [
        await starts(target, 'start, one at a time', rooms.slice(0, quick ? 10 : 50), 1),
        await starts(target, `starts, ${AT_ONCE} at once`, rooms, AT_ONCE),
      ];
    } finally {
      await target.close();
    }
  },
};

async function warmUp(target: Target, rooms: readonly string[]): Promise<void> {
  const ids: string[] = [];
  await times(rooms.length, 8, async (i) => ids.push(await startIn(target, rooms[i]!)));
  await stopAll(target, ids);
}

async function starts(
  target: Target,
  what: string,
  rooms: readonly string[],
  atOnce: number,
): Promise<Figures> {
  const ids: string[] = [];
  const figures = await measure(target, {
    ...{
      what,
      count: rooms.length,
      atOnce,
      settled: () => pause(SETTLE_MS),
      conditions: { rooms: rooms.length },
    },
    task: async (i) => ids.push(await startIn(target, rooms[i]!)),
  });
  await stopAll(target, ids);
  return figures;
}
