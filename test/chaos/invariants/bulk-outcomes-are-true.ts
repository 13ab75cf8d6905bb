import type { SimWorld } from '../world/sim-world.js';
import { failuresOf, type SimBulk } from '../world/sim-bulk-deletions.js';
import { BULK_USER } from '../plan/perform.js';
import type { Invariant } from './invariant.js';

/**
 * I13: every bulk deletion comes to its end, tells each recording once, and tells the truth: what it calls deleted is not there, and
 * what it deleted it does not call failed. A Redis that lost its last second may have forgotten either.
 */
export function bulkOutcomesAreTrue(): Invariant {
  return {
    name: 'I13',
    end: (world) => {
      for (const bulk of world.bulkDeletions.values()) {
        const wrong = wrongOf(world, bulk);
        if (wrong !== null) return `bulk deletion ${bulk.bulk.id}: ${wrong}`;
      }
      return null;
    },
  };
}

function wrongOf(world: SimWorld, of: SimBulk): string | null {
  const { bulk, finishedAt, deleted, pending } = of;
  const failed = failuresOf(of);
  if (finishedAt === null) return `it does not come to its end, ${pending.size} are left`;
  const told = [...deleted, ...failed.map(({ recordingId }) => recordingId)];
  if (new Set(told).size !== told.length) return 'a recording is told twice';
  if (world.redis.losses > 0 || bulk.dryRun) return null;
  const there = deleted.find((id) => world.rows().some((row) => row.id === id && !row.upkeep.deleted));
  if (there !== undefined) return `${there} is called deleted and is there`;
  const gone = failed.find(
    ({ recordingId, code }) => code === 'RECORDING_NOT_FOUND' && didDelete(world, recordingId),
  );
  return gone === undefined ? null : `${gone.recordingId} is called not found, and was deleted by it`;
}

/** By a bulk deletion, of which this one was the only one at it. */
function didDelete(world: SimWorld, id: string): boolean {
  const by = [...world.recordings.events.values()].find(
    ({ type, recording }) => type === 'DELETED' && recording.id === id,
  );
  // One that gave it up, because the storage refused, leaves it to be deleted later.
  const others = [...world.bulkDeletions.values()].filter(
    (of) =>
      of.bulk.scope !== 'ids' ||
      of.deleted.includes(id) ||
      failuresOf(of).some((failed) => failed.recordingId === id && failed.code === 'STORAGE_UNAVAILABLE'),
  );
  return by?.cause === BULK_USER.name && others.length === 0;
}
