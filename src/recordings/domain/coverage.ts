import { awaitsContinuation } from './continuation.js';
import { isFinal, type RecordingEndReason, type StoredRecording } from './recording.js';

/** Instants in ms; `cause`: why nothing of it is in any media. */
export interface CoverageGap {
  readonly from: number;
  readonly to: number;
  readonly cause: RecordingEndReason | 'STARTING';
}

export interface Coverage {
  readonly expectedMs: number;
  readonly coveredMs: number;
  readonly gaps: readonly CoverageGap[];
}

/** Between the clock of the media and ours; less than that is no gap. */
const LEAST_GAP_MS = 1_000;

/**
 * What of a meeting is in the media of a chain of recordings, each going on from the one before; `chain` is whole, oldest first.
 * Null while it is in progress, and where a part does not tell how long it is.
 */
export function coverageOf(chain: readonly StoredRecording[]): Coverage | null {
  const [first] = chain;
  const last = chain.at(-1);
  if (first === undefined || last === undefined || awaitsContinuation(last)) return null;
  const gaps: CoverageGap[] = [];
  let covered = 0;
  let reached = first.requestedAt;
  let before: StoredRecording['endReason'] = null;
  const miss = (to: number, cause: CoverageGap['cause']): void => {
    if (to > reached) gaps.push({ from: reached, to, cause });
    reached = Math.max(reached, to);
  };
  for (const part of chain) {
    if (!isFinal(part.status) || part.endedAt === null) return null;
    miss(part.requestedAt, before ?? 'STARTING');
    before = part.endReason;
    const cause = part.endReason ?? 'EGRESS_FAILED';
    if (part.hasMedia) {
      if (part.startedAt === null || part.durationMs === null) return null;
      miss(part.startedAt, 'STARTING');
      covered += part.durationMs;
      reached = Math.max(reached, part.startedAt + part.durationMs);
      if (part.endedAt - reached >= LEAST_GAP_MS) miss(part.endedAt, cause);
    } else {
      if (part.startedAt !== null) miss(part.startedAt, 'STARTING');
      miss(part.endedAt, cause);
    }
  }
  return { expectedMs: reached - first.requestedAt, coveredMs: covered, gaps: merged(gaps) };
}

function merged(gaps: readonly CoverageGap[]): CoverageGap[] {
  return gaps.reduce<CoverageGap[]>((all, gap) => {
    const previous = all.at(-1);
    return previous?.cause === gap.cause && previous.to === gap.from
      ? [...all.slice(0, -1), { ...previous, to: gap.to }]
      : [...all, gap];
  }, []);
}
