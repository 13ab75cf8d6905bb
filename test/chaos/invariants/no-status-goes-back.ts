import { isFinal, type RecordingStatus } from '../../../src/recordings/domain/recording.js';
import type { Invariant } from './invariant.js';

const RANK: Record<RecordingStatus, number> = {
  STARTING: 0,
  ACTIVE: 1,
  ENDING: 2,
  COMPLETE: 3,
  FAILED: 3,
  ABORTED: 3,
  LIMIT_REACHED: 3,
};

/** I3: a status only goes forward, and a final one stays. */
export function noStatusGoesBack(): Invariant {
  return {
    name: 'I3',
    committed: (_world, before, next) => {
      if (before === null || before.status === next.status) return null;
      if (!isFinal(before.status) && RANK[next.status] > RANK[before.status]) return null;
      return `${next.id} went from ${before.status} to ${next.status}`;
    },
  };
}
