import { isFinal } from '../../../src/recordings/domain/recording.js';
import { type Invariant, Lasting } from './invariant.js';

/** In calm: a start's own limit with its grace, or the longest upload with what it takes to notice its end. */
const STARTING_MS = 40_000;
const ENDING_MS = 120_000;

/** I2: every attempt comes to an end: no start and no ending takes longer than its bound, and when all meetings are over all recordings are final. */
export function everyAttemptEnds(): Invariant {
  const starting = new Lasting(STARTING_MS);
  const ending = new Lasting(ENDING_MS);
  return {
    name: 'I2',
    second: (world) => {
      const rows = world.inProgress();
      const slow =
        starting.longest(
          world,
          rows.filter(({ status }) => status === 'STARTING').map(({ id }) => id),
        ) ??
        ending.longest(
          world,
          rows.filter(({ status }) => status === 'ENDING').map(({ id }) => id),
        );
      return slow === null ? null : `${slow} does not come to an end`;
    },
    end: (world) => {
      const open = world.rows().find(({ status }) => !isFinal(status));
      return open ? `${open.id} is still ${open.status}` : null;
    },
  };
}
