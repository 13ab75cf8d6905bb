import type { StoredRecording } from '../../../src/recordings/domain/recording.js';
import type { SimWorld } from '../world/sim-world.js';
import type { Invariant } from './invariant.js';

/**
 * I1: a room has at most one live egress. Not counted: one that was proven lost, one of which LiveKit lost its record and whose
 * worker could not be reached meanwhile, and one whose recording a Redis that lost something knows nothing of, or whose room was
 * given to another meanwhile. I4 gives each of them a bounded time.
 */
export function oneEgressPerRoom(): Invariant {
  return {
    name: 'I1',
    step: (world) => {
      if (world.engine.fleet.recorders().length < 2) return null;
      const seen = new Map<string, string>();
      for (const { id, room, recording } of world.runningEgresses()) {
        const row = recording === null ? null : world.row(recording);
        if (row === null && (world.redis.losses > 0 || recording === null || isProvenDead(world, id)))
          continue;
        if (row !== null && (row.upkeep.egresses[id] === 'lost' || isForgotten(world, row, id))) continue;
        const other = seen.get(room);
        if (other !== undefined) return `${room} has two live egresses: ${other} and ${id}`;
        seen.set(room, id);
      }
      return null;
    },
  };
}

/** Or forgotten by LiveKit while nobody could reach it; also where its recording was deleted since. */
function isProvenDead({ recorders, unreachable }: SimWorld, egressId: string): boolean {
  return recorders.dead.has(egressId) || unreachable.has(egressId);
}

function isForgotten(world: SimWorld, { id, roomId, upkeep }: StoredRecording, egressId: string): boolean {
  if (upkeep.egresses[egressId] !== 'live' && world.unreachable.has(egressId)) return true;
  return world.redis.losses > 0 && world.recordings.slots.get(roomId)?.recording !== id;
}
