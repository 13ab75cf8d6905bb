import { isFinal } from '../../../src/recordings/domain/recording.js';
import { BULK_USER } from '../plan/perform.js';
import { type Invariant, Lasting } from './invariant.js';

/** In calm: a start's own limit with its grace, or the longest upload with what it takes to notice its end. */
const STARTING_MS = 40_000;
const ENDING_MS = 120_000;
/** From the answer to a stop, which is taken by then, to its being seen in the status. */
const STOPPED_MS = 30_000;

/**
 * I2: every attempt comes to an end: no start and no ending takes longer than its bound, when all meetings are over all recordings
 * are final, and each that was ever stored is there until somebody asks for its deletion.
 */
export function everyAttemptEnds(): Invariant {
  const starting = new Lasting(STARTING_MS);
  const ending = new Lasting(ENDING_MS);
  const stopped = new Lasting(STOPPED_MS);
  return {
    name: 'I2',
    second: (world) => {
      // How long a dead egress may take is I9's.
      const rows = world.inProgress().filter(({ egressId }) => egressId === null || !world.hasDied(egressId));
      const slow =
        starting.longest(
          world,
          rows.filter(({ status }) => status === 'STARTING').map(({ id }) => id),
        ) ??
        ending.longest(
          world,
          rows.filter(({ status }) => status === 'ENDING').map(({ id }) => id),
        );
      if (slow !== null) return `${slow} does not come to an end`;
      const still = rows
        // A Redis that lost something since may have lost the stop: then what is gone is found gone in its own time.
        .filter(
          ({ id, status }) => status === 'ACTIVE' && world.stopTaken.get(id)?.losses === world.redis.losses,
        )
        .map(({ id }) => id);
      const deaf = stopped.longest(world, still);
      return deaf === null ? null : `${deaf} goes on although its stop was taken`;
    },
    committed: (world, before, next, cause) => {
      // A rebuild may have forgotten that somebody asked for it, and who carries it out has not.
      if (world.deletionAsked.has(next.id)) return null;
      const vanishes = next.upkeep.deleted && before?.upkeep.deleted === false;
      return vanishes && next.upkeep.deletion === null && cause !== BULK_USER.name
        ? `${next.id} is gone, and nobody asked for it`
        : null;
    },
    end: (world) => {
      const open = world.rows().find(({ status }) => !isFinal(status));
      return open ? `${open.id} is still ${open.status}` : null;
    },
  };
}
