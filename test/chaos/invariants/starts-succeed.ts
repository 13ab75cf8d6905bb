import type { RecordingId } from '../../../src/kernel/ids.js';
import { isOver, type StoredRecording } from '../../../src/recordings/domain/recording.js';
import type { SimWorld } from '../world/sim-world.js';
import { type Invariant } from './invariant.js';

/** Before it was stored, ms: what was wrong just then may be wrong in somebody's eyes still. */
const BEFORE_MS = 2_000;

/**
 * I19: a start that could succeed does. Where a room was open with publishers and a worker had a place from before the attempt to its
 * end, nobody ended it, and nothing was wrong that a start can't stand, it became active.
 */
export function startsSucceed(): Invariant {
  const begun = new Map<RecordingId, number>();
  const publishing = new Map<string, number>();
  let placeSince: number | null = null;
  return {
    name: 'I19',
    committed: (world, before, next) => {
      if (before === null) begun.set(next.id, world.clock.now());
      if (before === null || isOver(before) || !isOver(next)) return null;
      const at = begun.get(next.id);
      if (at === undefined || wasActive(next) || wasEnded(world, next)) return null;
      const since = publishing.get(next.roomId);
      const neededMs = world.clock.now() - at + BEFORE_MS;
      const couldSucceed =
        world.goodMs > neededMs &&
        isOpen(world, next.roomId, at) &&
        isBefore(since, at) &&
        isBefore(placeSince ?? undefined, at);
      return couldSucceed
        ? `${next.id} ended ${next.endReason} (${next.error}), and nothing stood in its way`
        : null;
    },
    second: (world) => {
      const now = world.clock.now();
      placeSince = world.engine.fleet.offer() === null ? null : (placeSince ?? now);
      for (const { name } of world.engine.rooms.list([])) {
        const there = (world.engine.rooms.find(name)?.publishers.length ?? 0) > 0;
        if (!there) publishing.delete(name);
        else if (!publishing.has(name)) publishing.set(name, now);
      }
      for (const name of [...publishing.keys()]) {
        if (world.engine.rooms.find(name) === null) publishing.delete(name);
      }
      return null;
    },
  };
}

function isBefore(since: number | undefined, at: number): boolean {
  return since !== undefined && since < at - BEFORE_MS;
}

/** The room that was open then, with publishers. */
function isOpen({ engine }: SimWorld, room: string, at: number): boolean {
  const live = engine.rooms.find(room);
  return live !== null && live.createdMs < at && live.publishers.length > 0;
}

function wasActive({ startedAt, upkeep }: StoredRecording): boolean {
  return startedAt !== null || upkeep.startResult === 'ACTIVE';
}

function wasEnded(world: SimWorld, { id, continues, upkeep }: StoredRecording): boolean {
  const stopped = world.stopAsked.has(id) || (continues !== null && world.stopAsked.has(continues));
  return stopped || upkeep.stopRequestedAt !== null || upkeep.deletion !== null;
}
