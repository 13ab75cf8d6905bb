import { TallyError } from '../kernel/errors.js';

/** The mark that Redis is whole is missing: nothing is answered from what may be wrong. */
export function notWhole(): TallyError {
  return new TallyError(
    'REDIS_UNAVAILABLE',
    'what Redis held is being rebuilt from the storage; try again in a moment',
  );
}
