import type { Invariant } from './invariant.js';

/**
 * I1: a room has at most one live egress. Not counted: one that was proven lost, and one whose recording a Redis that lost its last
 * second knows nothing of, which I4 gives a bounded time.
 */
export function oneEgressPerRoom(): Invariant {
  return {
    name: 'I1',
    step: (world) => {
      if (world.engine.fleet.recorders().length < 2) return null;
      const seen = new Map<string, string>();
      for (const { id, room, recording } of world.runningEgresses()) {
        const row = recording === null ? null : world.row(recording);
        if (row === null || row.upkeep.egresses[id] === 'lost') continue;
        const other = seen.get(room);
        if (other !== undefined) return `${room} has two live egresses: ${other} and ${id}`;
        seen.set(room, id);
      }
      return null;
    },
  };
}
