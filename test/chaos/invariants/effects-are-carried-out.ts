import { type Invariant, Lasting } from './invariant.js';

/**
 * In calm: what a dead process left is found by the next look of another, and what is carried out at once is acknowledged when
 * it is done: a look may wait for LiveKit to say that no worker is there, which takes up to 27 s.
 */
const BOUND_MS = 45_000;

/** I14: what a commit ordered comes to the queue, or is done, within the bound, whoever died in between. */
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
