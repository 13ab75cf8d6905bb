import type { Limits } from '../../src/recordings/domain/case.js';

/** What an operator sets, as the specs of the verdict have it. */
export const LIMITS: Limits = {
  startTimeoutMs: 20_000,
  livekitTimeoutMs: 5_000,
  workerCheckEveryMs: 10_000,
  workerLostAfterMs: 15_000,
  staleAfterMs: 600_000,
};
