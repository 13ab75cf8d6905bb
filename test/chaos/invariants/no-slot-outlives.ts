import { isOver, type StoredRecording } from '../../../src/recordings/domain/recording.js';
import type { SimWorld } from '../world/sim-world.js';
import { type Invariant, Lasting } from './invariant.js';

/** In calm: a start that is still on its way may hold its room for as long as a request can take, and is looked at afterwards. */
const BOUND_MS = 90_000;

/** I6: a room is free within the bound once its recording is final or unknown and no egress of it runs; and who records holds its room. */
export function noSlotOutlives(): Invariant {
  const lasting = new Lasting(BOUND_MS);
  const back = new Lasting(BOUND_MS);
  return {
    name: 'I6',
    second: (world) => {
      const unheld = world.recordings.meta.has('epoch') ? unheldOf(world) : [];
      // A Redis that lost something may have lost this.
      const isExcused = world.redis.losses > 0;
      const wrong = unheld.find(({ upkeep }) => upkeep.returned === undefined && !isExcused)?.id;
      const late = back.longest(
        world,
        unheld.map(({ id }) => id),
      );
      if (wrong ?? late) return `${wrong ?? late} is in progress and its room is not held by it`;
      const idle = [...world.recordings.slots.entries()].filter(([, { recording }]) =>
        isIdle(world, recording),
      );
      const found = lasting.longest(
        world,
        idle.map(([room, { recording }]) => `${room} for ${recording}`),
      );
      return found === null ? null : `the slot of ${found} outlives its recording`;
    },
    end: (world) => {
      const held = [...world.recordings.slots.entries()].find(([, { recording }]) =>
        isIdle(world, recording),
      );
      return held ? `${held[0]} is still held by ${held[1].recording}` : null;
    },
    committed: (_world, _before, next) => {
      if (isOver(next) || next.upkeep.holdsSlot) return null;
      return `${next.id} is ${next.status} and does not hold its room`;
    },
  };
}

/** A copy in the bucket may be older than the end of its recording, and comes back beside the one that followed. */
function unheldOf(world: SimWorld): StoredRecording[] {
  return world.inProgress().filter(({ id, roomId }) => world.recordings.slots.get(roomId)?.recording !== id);
}

function isIdle(world: SimWorld, id: Parameters<SimWorld['row']>[0]): boolean {
  const row = world.row(id);
  if (row !== null && !isOver(row)) return false;
  if (world.runningEgresses().some(({ recording }) => recording === id)) return false;
  // A dead egress that nobody can prove dead holds its room until somebody can be asked.
  const dead = Object.keys(row?.upkeep.egresses ?? {}).some((egress) => world.hasDied(egress));
  return !dead || world.canAskForWorker();
}
