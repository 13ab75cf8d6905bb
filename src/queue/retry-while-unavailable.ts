import { type ErrorCode, isTallyError } from '../kernel/errors.js';
import { again, done, type JobOutcome } from './define-job.js';

/**
 * Work that is asked again for as long as somebody it needs is unavailable, instead of failing for good after some tries.
 * The work may answer in how many ms it wants to be run again.
 */
export async function retryWhileUnavailable(
  work: () => Promise<number | null | void>,
  whileUnavailable: readonly ErrorCode[],
  retryMs: number,
): Promise<JobOutcome> {
  try {
    const inMs = await work();
    return typeof inMs === 'number' ? again(inMs) : done;
  } catch (error) {
    const isAwaited = isTallyError(error) && whileUnavailable.includes(error.code);
    if (isAwaited) return again(retryMs, error);
    throw error;
  }
}
