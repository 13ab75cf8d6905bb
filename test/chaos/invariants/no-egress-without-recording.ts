import { isOver } from '../../../src/recordings/domain/recording.js';
import { type Invariant, Lasting } from './invariant.js';

/** In calm: two looks of the reconciliation, a stop that nobody answers, the removal of the recorder. */
const BOUND_MS = 55_000;

/** I4: no egress that can be reached runs on for longer than the bound without a recording that is in progress. */
export function noEgressWithoutRecording(): Invariant {
  const lasting = new Lasting(BOUND_MS);
  return {
    name: 'I4',
    second: (world) => {
      const ownerless = world
        .runningEgresses()
        .filter(({ id }) => world.engine.egress(id) !== null && !world.isStopped(id))
        .filter(({ recording }) => {
          const row = recording === null ? null : world.row(recording);
          if (row === null || isOver(row)) return true;
          // Its room was given to another while it was forgotten.
          return world.recordings.slots.get(row.roomId)?.recording !== row.id;
        });
      const found = lasting.longest(
        world,
        ownerless.map(({ id }) => id),
      );
      return found === null ? null : `egress ${found} runs on without a recording in progress`;
    },
  };
}
