import { isInProgress, type Recording } from './api/contract.js';
import { reasonWords } from './words.js';

/** What a meeting that was recorded in several parts consists of, in order. `n` counts the parts from 1. */
export type Step =
  | { readonly kind: 'part'; readonly n: number; readonly recording: Recording }
  /** It is recorded now, or its media is still to come. */
  | { readonly kind: 'running'; readonly n: number; readonly recording: Recording }
  /** Of this no media is there. */
  | { readonly kind: 'gap'; readonly ms: number; readonly why: string };

/** Between the clock of the media and the server's; less than that is no gap, as for `Recording.coverage`. */
const LEAST_GAP_MS = 1_000;

/** `parts`: each goes on from the one before. One that left no media is a part of a gap. */
export function stepsOf(parts: readonly Recording[]): Step[] {
  const steps: Step[] = [];
  let reached: number | null = null;
  let why = '';
  const miss = (to: number): void => {
    if (reached !== null && to - reached >= LEAST_GAP_MS) steps.push({ kind: 'gap', ms: to - reached, why });
    reached = Math.max(to, reached ?? to);
  };
  parts.forEach((recording, i) => {
    const { mediaPath, startedAt, endedAt, durationMs, requestedAt, endReason } = recording;
    const from = Date.parse(startedAt ?? requestedAt);
    const n = i + 1;
    if (mediaPath !== null) {
      miss(from);
      steps.push({ kind: 'part', n, recording });
      reached = Math.max(from + (durationMs ?? 0), reached ?? 0);
    } else if (isInProgress(recording)) {
      if (startedAt !== null) miss(from);
      steps.push({ kind: 'running', n, recording });
    } else {
      reached ??= from;
    }
    // What follows a part is missing for how that part ended.
    why = endReason === null ? '' : reasonWords(endReason);
    const isLast = i === parts.length - 1;
    if (isLast && mediaPath === null && !isInProgress(recording) && endedAt !== null)
      miss(Date.parse(endedAt));
  });
  return steps;
}

/** What is played when the media of this part has come to its end; null: nothing more is there to play. */
export function playedAfter(parts: readonly Recording[], id: string): Recording | null {
  const at = parts.findIndex((one) => one.id === id);
  return at === -1 ? null : (parts.slice(at + 1).find(({ mediaPath }) => mediaPath !== null) ?? null);
}
