import type { Bench } from '../support/figures.js';
import { rounded } from '../support/figures.js';
import { times } from '../support/load.js';
import { openRooms, startIn, stopAll } from '../support/rooms.js';
import { Target } from '../support/target.js';

export const memory: Bench = {
  name: 'memory',
  measures: 'what a recording that is over and settled leaves in Redis',
  run: async ({ quick }) => {
    const target = await Target.start();
    try {
      const rooms = await openRooms(target, quick ? 20 : 100);
      const lives = quick ? 20 : 1_000;
      // Rooms, queues and scripts are there before it is looked at.
      await live(target, rooms, rooms.length);
      const before = await bytesUsed(target);
      const parts = await bytesByKind(target);
      await live(target, rooms, lives);
      const grown = [...(await bytesByKind(target))].map(
        ([kind, bytes]) => [`${kind}Bytes`, rounded((bytes - (parts.get(kind) ?? 0)) / lives, 0)] as const,
      );
      return [
        {
          what: 'Redis memory of a settled recording',
          conditions: { recordings: lives, life: 'started, stopped, complete' },
          counts: {
            bytesEach: rounded(((await bytesUsed(target)) - before) / lives, 0),
            ...Object.fromEntries(grown.filter(([, bytes]) => bytes > 0).sort(([, a], [, b]) => b - a)),
          },
        },
      ];
    } finally {
      await target.close();
    }
  },
};

async function live(target: Target, rooms: readonly string[], lives: number): Promise<void> {
  for (let done = 0; done < lives; done += rooms.length) {
    const ids: string[] = [];
    await times(rooms.length, 16, async (i) => ids.push(await startIn(target, rooms[i]!)));
    await stopAll(target, ids);
  }
}

async function bytesUsed({ redisClient }: Target): Promise<number> {
  return Number(/used_memory_dataset:(\d+)/.exec(await redisClient.info('memory'))?.[1]);
}

/** What the keys of each kind need, by the second part of their names. */
async function bytesByKind({ redisClient }: Target): Promise<Map<string, number>> {
  const kinds = new Map<string, number>();
  for await (const keys of redisClient.scanStream({ count: 1_000 })) {
    for (const key of keys as string[]) {
      const kind = key.split(':')[1] ?? key;
      const bytes = (await redisClient.memory('USAGE', key)) ?? 0;
      kinds.set(kind, (kinds.get(kind) ?? 0) + bytes);
    }
  }
  return kinds;
}
