import type { EgressStatus } from '../../livekit/livekit.types.js';
import type { Act, Evidence } from './evidence.js';
import type { Fact } from './facts.js';
import type { StoredRecording } from './recording.js';

/** What has to be found out before the next decision. */
export type Question =
  /** All that LiveKit lists of this recording. `withinMs`: somebody waits for the answer. */
  | { readonly ask: 'egresses'; readonly withinMs?: number }
  | { readonly ask: 'egress'; readonly egressId: string }
  | { readonly ask: 'worker'; readonly egressId: string; readonly listed: EgressStatus }
  /** `listed` null: LiveKit lists it no more. */
  | { readonly ask: 'worker-again'; readonly egressId: string; readonly listed: EgressStatus | null }
  | { readonly ask: 'another-worker'; readonly egressId: string; readonly since: number }
  | { readonly ask: 'fleet'; readonly since: number }
  | { readonly ask: 'fleet-in-the-end'; readonly since: number }
  | { readonly ask: 'room' }
  | { readonly ask: 'publishers' }
  /** What is new of its segments, and, where nothing is, whether something should be. */
  | { readonly ask: 'segments'; readonly egressId: string }
  | { readonly ask: 'storing' }
  | { readonly ask: 'segments-again' }
  | { readonly ask: 'media' }
  | { readonly ask: 'continuation' };

export type Verdict =
  /** `reason` goes to the log. */
  | { readonly do: 'apply'; readonly fact: Fact; readonly cause: string | null; readonly reason: string }
  | { readonly do: 'ask'; readonly question: Question }
  | { readonly do: 'act'; readonly act: Act }
  /** Nothing before this instant, ms; null: nothing of it is left to find out or to do. */
  | { readonly do: 'wait'; readonly until: number | null };

/** The configured times, ms. */
export interface Limits {
  readonly startTimeoutMs: number;
  readonly livekitTimeoutMs: number;
  readonly workerCheckEveryMs: number;
  readonly workerLostAfterMs: number;
  readonly staleAfterMs: number;
}

/** A recording, what is known of it, and when it is judged. */
export interface Case {
  readonly recording: StoredRecording;
  readonly evidence: Evidence;
  readonly now: number;
  readonly limits: Limits;
}

/** A verdict that asks. */
export const ask = (question: Question): Verdict => ({ do: 'ask', question });
