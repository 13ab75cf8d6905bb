import type { StoredRecording } from '../../../src/recordings/domain/recording.js';
import type { SimWorld } from '../world/sim-world.js';
import { type Invariant, Lasting } from './invariant.js';

/** In calm: a question every interval, the silence that proves it, the control question and one more. */
const PROVEN_MS = 60_000;
/** Where nobody can be asked for a control, the stale rules decide: their time, two rounds of their sweep and a held pass. */
const STALE_MS = 240_000;

/** Whatever was said of a worker while the message bus was silent has been asked again since. */
const REACHED_MS = 30_000;
/** A worker that has come to just now was silent until then. */
const STARVED_MS = 5_000;

/**
 * I9: a recording whose recorder died is over within the bound; one whose worker answered within RECORDER_LOST_AFTER is never
 * ended for it, nor one whose worker lives and only can't be reached; and one that was to stop is not continued.
 */
export function lostRecordersEnd(): Invariant {
  const provable = new Lasting(PROVEN_MS);
  const dead = new Lasting(STALE_MS);
  return {
    name: 'I9',
    committed: (world, before, next) => {
      if (before === null) return isWanted(world, next);
      if (before.endReason === 'RECORDER_LOST' || next.endReason !== 'RECORDER_LOST') return null;
      // What a worker answers says nothing of a pipeline that stands still: I23.
      if (next.upkeep.stalledSince !== undefined) return null;
      const id = next.egressId ?? '';
      // One of which no segment comes need not have been silent for long.
      if (next.crashProof && (world.hasDied(id) || world.standsStill(id))) return null;
      const heardAt = world.heard.get(id);
      if (heardAt !== undefined && world.clock.now() - heardAt < world.config.recorderLostAfterMs) {
        return `${next.id} was ended as lost, and its worker had answered ${world.clock.now() - heardAt} ms before`;
      }
      // Out of its room it records nothing more; where the message bus was silent nobody can tell its end from its death.
      const couldBeTold = world.isInRoom(id) || world.busAnswersForMs() > REACHED_MS;
      if (world.aliveForMs(id) > STARVED_MS && couldBeTold)
        return `${next.id} was ended as lost, and its worker lives`;
      return null;
    },
    second: (world) => {
      const died = world.inProgress().filter(({ egressId }) => egressId !== null && world.hasDied(egressId));
      const ids = died.map(({ id }) => id);
      const found = provable.longest(world, world.canAskForWorker() ? ids : []) ?? dead.longest(world, ids);
      return found === null ? null : `${found} goes on although its recorder died`;
    },
  };
}

/** A stop that comes while the next one is being begun cancels that: I17. */
function isWanted(world: SimWorld, { id, continues }: StoredRecording): string | null {
  const lost = continues === null ? null : world.row(continues);
  const stoppedAt = lost?.upkeep.stopRequestedAt ?? null;
  return lost !== null && stoppedAt !== null && stoppedAt <= (lost.endedAt ?? Infinity)
    ? `${id} continues ${lost.id}, which was to stop`
    : null;
}
