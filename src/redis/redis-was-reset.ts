import { TallyError } from '../kernel/errors.js';

/** The mark that Redis is whole is missing: nothing is answered from what may be wrong. */
export function redisWasReset(): TallyError {
  return new TallyError(
    'REDIS_UNAVAILABLE',
    'what Redis held is being rebuilt from the storage; try again in a moment',
  );
}

/** Another rebuilds by now, or the rebuild is over: whoever is told this must not go on. */
export class RebuildSuperseded extends Error {
  constructor() {
    super('the rebuild is over, or was taken over by another instance');
    this.name = 'RebuildSuperseded';
  }
}
