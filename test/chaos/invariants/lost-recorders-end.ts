import { type Invariant, Lasting } from './invariant.js';

/** In calm: a question every interval, the silence that proves it, the control question and one more. */
const PROVEN_MS = 60_000;
/** Where nobody can be asked for a control, the stale rules decide: their time, two rounds of their sweep and a held pass. */
const STALE_MS = 240_000;

/**
 * I9: a recording whose recorder died is over within the bound; and one whose worker answered within RECORDER_LOST_AFTER,
 * or would have answered at that moment, is never ended for it.
 */
export function lostRecordersEnd(): Invariant {
  const provable = new Lasting(PROVEN_MS);
  const dead = new Lasting(STALE_MS);
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
      const died = world.inProgress().filter(({ egressId }) => egressId !== null && world.hasDied(egressId));
      const ids = died.map(({ id }) => id);
      const found = provable.longest(world, world.canAskForWorker() ? ids : []) ?? dead.longest(world, ids);
      return found === null ? null : `${found} goes on although its recorder died`;
    },
  };
}
