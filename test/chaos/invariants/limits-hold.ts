import { type Invariant, Lasting } from './invariant.js';

/** In calm: the timer, or the pass that finds it lost, and the stop. */
const OVER_MS = 60_000;
/** LiveKit's clock, and those of our instances. */
const CLOCKS_DIFFER_MS = 5_000;

/** I20: a recording ends at the length that was asked for, and not before. */
export function limitsHold(): Invariant {
  const lasting = new Lasting(OVER_MS);
  return {
    name: 'I20',
    committed: (world, before, next) => {
      if (before?.status !== 'ACTIVE' || next.status !== 'ENDING' || next.endReason !== 'LIMIT_REACHED')
        return null;
      if (next.upkeep.workerLimit) return null;
      const egress = world.engine.egress(next.egressId ?? '');
      if (egress?.details.includes('limit')) return null;
      const lastedMs = world.clock.now() - (next.startedAt ?? 0);
      return lastedMs < next.upkeep.maxDurationMs - CLOCKS_DIFFER_MS
        ? `${next.id} is ended at its limit of ${next.upkeep.maxDurationMs} ms after ${lastedMs} ms`
        : null;
    },
    second: (world) => {
      const now = world.clock.now();
      const over = world
        .inProgress()
        .filter(
          ({ status, startedAt, upkeep }) =>
            status === 'ACTIVE' && now - (startedAt ?? now) > upkeep.maxDurationMs,
        );
      const found = lasting.longest(
        world,
        over.map(({ id }) => id),
      );
      return found === null ? null : `${found} goes on long after its limit`;
    },
  };
}
