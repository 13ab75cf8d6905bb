import { isFinal, type StoredRecording } from '../../../src/recordings/domain/recording.js';
import { segmentKeys } from '../../../src/storage/object-keys.js';
import type { SimWorld } from '../world/sim-world.js';
import { type Invariant, Lasting } from './invariant.js';

/** In calm: from its end to its file, with a job that was held by an instance that died. */
const JOINED_WITHIN_MS = 7 * 60_000;
/** What an orphan uploads after that is not waited for. */
const LATE_MS = 15_000;

/**
 * I22: a crash-proof recording that was active and has segments has media in the end, whatever its file came to; and what is put
 * together is not waited for without end.
 */
export function segmentsAreJoined(): Invariant {
  const joining = new Lasting(JOINED_WITHIN_MS);
  return {
    name: 'I22',
    second: (world) => {
      const waiting = world.rows().filter((row) => row.upkeep.recovery != null && !isFinal(row.status));
      const found = joining.longest(
        world,
        waiting.map(({ id }) => id),
      );
      return found === null ? null : `${found} is not put together from its segments`;
    },
    end: (world) => {
      const lost = world.rows().find((row) => isLost(world, row));
      return lost === undefined
        ? null
        : `${lost.id} is ${lost.status} without media, and its segments are there`;
    },
  };
}

function isLost({ bucket }: SimWorld, row: StoredRecording): boolean {
  const { crashProof, status, hasMedia, startedAt, endedAt, upkeep } = row;
  if (!crashProof || !isFinal(status) || hasMedia || startedAt === null || upkeep.deletion !== null)
    return false;
  const { prefix } = segmentKeys(row);
  return bucket.keys(prefix).some((key) => {
    const kept = bucket.get(key);
    return kept !== undefined && kept.lastModifiedMs < (endedAt ?? 0) - LATE_MS;
  });
}
