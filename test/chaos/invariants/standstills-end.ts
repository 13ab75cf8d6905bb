import type { SimWorld } from '../world/sim-world.js';
import { type Invariant, Lasting } from './invariant.js';

/** In calm: a look that saw the last segment, twice RECORDER_LOST_AFTER, the proof, and a job that was held by who died. */
const FOUND_MS = 90_000;

/**
 * I23: a crash-proof recording whose pipeline stands still while people publish, or although it should end, is over within the
 * bound; none is ended for that whose pipeline runs, however slow its bucket is and whoever publishes.
 */
export function standstillsEnd(): Invariant {
  const standing = new Lasting(FOUND_MS);
  return {
    name: 'I23',
    committed: (world, before, next) => {
      if (before === null || before.upkeep.stalledSince !== undefined) return null;
      const egressId = next.egressId ?? '';
      if (next.upkeep.stalledSince === undefined) return null;
      // One that stood still may have died since it was looked at, and of one that says nothing of its end nobody can tell.
      if (world.standsStill(egressId) || world.hasDied(egressId) || world.endsUntold(egressId)) return null;
      return `${next.id} was ended as standing still, and its pipeline runs`;
    },
    second: (world) => {
      const stalled = world.inProgress().filter((row) => {
        const { crashProof, status, egressId, roomId } = row;
        if (!crashProof || status === 'STARTING' || !world.standsStill(egressId ?? '')) return false;
        // Of one that LiveKit has forgotten nobody can tell whether it ends already: that is not promised.
        if (world.unlisted.has(egressId ?? '')) return false;
        return hasSegments(world, row.id) && (status === 'ENDING' || isDue(world, roomId));
      });
      const found = standing.longest(
        world,
        stalled.map(({ id }) => id),
      );
      return found === null ? null : `${found} goes on although its pipeline stands still`;
    },
  };
}

/** Somebody publishes, or the room is closed. */
function isDue({ engine }: SimWorld, name: string): boolean {
  const room = engine.rooms.find(name);
  return !room || room.publishers.length > 0;
}

/** What never had one may write them elsewhere. */
function hasSegments({ bucket }: SimWorld, id: string): boolean {
  return bucket.keys().some((key) => key.includes(`/${id}/part_`));
}
