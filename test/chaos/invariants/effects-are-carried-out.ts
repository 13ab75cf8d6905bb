import { type Invariant, Lasting } from './invariant.js';

/** In calm: what a dead process left is found by the next look of another. */
const BOUND_MS = 20_000;

/** I14: what a commit ordered comes to the queue within the bound, whoever died in between. */
export function effectsAreCarriedOut(): Invariant {
  const lasting = new Lasting(BOUND_MS);
  return {
    name: 'I14',
    second: (world) => {
      const filed = lasting.longest(world, world.recordings.outbox.keys());
      return filed === null ? null : `an effect stays filed: ${filed}`;
    },
  };
}
