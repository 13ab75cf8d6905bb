import { isFinal } from './recording.js';
import type { EgressStatus } from '../../livekit/livekit.types.js';

/** What is known of an egress of ours that no row explains; undefined: not asked for yet. */
export interface OrphanEvidence {
  readonly status: EgressStatus;
  /** Its worker is proven dead, and LiveKit lists it for ever. */
  readonly dead?: boolean;
  /** Its recording was deleted lately. */
  readonly deleted?: boolean;
  /** The recording was taken back from its record in the bucket; false: there is none. */
  readonly restored?: boolean;
}

export type OrphanVerdict =
  | { readonly do: 'ask'; readonly question: 'dead' | 'deleted' }
  | { readonly do: 'restore' }
  /** It was asked for by its deletion. */
  | { readonly do: 'stop'; readonly reason: string }
  /** Neither a row nor a record: stopped where the next pass sees the same, and never many at once. */
  | { readonly do: 'suspect' }
  | { readonly do: 'settled' };

/** What is to be done about an egress of ours without a row: Redis may have forgotten it, and then its record brings it back. */
export function orphanVerdict({ status, dead, deleted, restored }: OrphanEvidence): OrphanVerdict {
  if (isFinal(status)) return { do: 'settled' };
  if (dead === undefined) return { do: 'ask', question: 'dead' };
  if (dead) return { do: 'settled' };
  if (deleted === undefined) return { do: 'ask', question: 'deleted' };
  if (deleted) return { do: 'stop', reason: 'its recording was deleted' };
  if (restored === undefined) return { do: 'restore' };
  return restored ? { do: 'settled' } : { do: 'suspect' };
}
