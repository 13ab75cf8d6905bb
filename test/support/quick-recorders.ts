import { REAL_TIMINGS, scaledTimings } from '../../src/livekit/simulator/timings.js';

/** Variables by which a worker that died is noticed within some seconds. */
export const QUICK_CHECKS = {
  RECORDER_CHECK_EVERY: '300ms',
  RECORDER_LOST_AFTER: '900ms',
  SWEEP_LIVEKIT_RECONCILIATION_EVERY: '500ms',
};

/** A LiveKit to go with them: silence answers in tenths of a second, a fleet without workers in two seconds, a segment has 160 ms. */
export const QUICK_RECORDERS = scaledTimings(0.08, REAL_TIMINGS);
