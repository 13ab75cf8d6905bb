import { isFinal } from '../../../src/recordings/domain/recording.js';
import { type Invariant, Lasting } from './invariant.js';

/** In calm, with a worker there: a question every interval, the silence that proves it, the control question and one more. */
const BOUND_MS = 60_000;

/**
 * I9: a recording whose recorder died is over within the bound; and one whose worker answered within RECORDER_LOST_AFTER,
 * or would have answered at that moment, is never ended for it.
 */
export function lostRecordersEnd(): Invariant {
  const lasting = new Lasting(BOUND_MS);
  return {
    name: 'I9',
    committed: (world, before, next) => {
      if (before === null || before.endReason === 'RECORDER_LOST' || next.endReason !== 'RECORDER_LOST')
        return null;
      const id = next.egressId ?? '';
      const heardAt = world.heard.get(id);
      if (heardAt !== undefined && world.clock.now() - heardAt < world.config.recorderLostAfterMs) {
        return `${next.id} was ended as lost, and its worker had answered ${world.clock.now() - heardAt} ms before`;
      }
      if (world.servedForMs(id) > world.config.recorderLostAfterMs)
        return `${next.id} was ended as lost, and its worker lives`;
      return null;
    },
    second: (world) => {
      const alive = world.engine.fleet.list().some((worker) => worker.alive && !worker.paused);
      if (!alive || world.engine.fleet.isSilent) return lasting.longest(world, []);
      const dead = world.inProgress().filter(({ egressId }) => egressId !== null && world.hasDied(egressId));
      const found = lasting.longest(
        world,
        dead.map(({ id }) => id),
      );
      return found === null || !isInProgress(world.row(found as never)?.status)
        ? null
        : `${found} goes on although its recorder died`;
    },
  };
}

function isInProgress(status: Parameters<typeof isFinal>[0] | undefined): boolean {
  return status !== undefined && !isFinal(status);
}
