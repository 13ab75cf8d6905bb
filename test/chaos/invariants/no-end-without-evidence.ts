import { isOver, type StoredRecording } from '../../../src/recordings/domain/recording.js';
import type { SimWorld } from '../world/sim-world.js';
import type { Invariant } from './invariant.js';

/** A worker that has come to just now could not be known to live. */
const STARVED_MS = 5_000;

/** I10: no recording ends because its egress was not seen while that egress runs and its worker lives. */
export function noEndWithoutEvidence(): Invariant {
  return {
    name: 'I10',
    committed: (world, before, next) => {
      if (before === null || isOver(before) || !isOver(next)) return null;
      if (next.endReason !== 'STALE' && next.endReason !== 'START_REJECTED') return null;
      const running = egressesOf(world, next).find((id) => isAlive(world, id, next));
      return running === undefined
        ? null
        : `${next.id} ended ${next.endReason} while its egress ${running} runs`;
    },
  };
}

/** What was never seen is ended by lists alone, which know nothing of workers. */
function isAlive(world: SimWorld, egressId: string, { endReason }: StoredRecording): boolean {
  return endReason === 'START_REJECTED'
    ? world.engine.egress(egressId) !== null
    : world.aliveForMs(egressId) > STARVED_MS;
}

function egressesOf(world: SimWorld, { id }: StoredRecording): string[] {
  return world.runningEgresses().flatMap((egress) => (egress.recording === id ? [egress.id] : []));
}
