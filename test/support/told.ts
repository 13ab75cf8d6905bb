import type { Effect, Fact } from '../../src/recordings/domain/facts.js';
import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import { decide } from '../../src/recordings/domain/recording.machine.js';

/** The recording after the facts, and every order that was filed on the way. */
export function told(
  start: StoredRecording,
  ...facts: Fact[]
): { readonly next: StoredRecording; readonly effects: readonly Effect[] } {
  return facts.reduce<{ next: StoredRecording; effects: readonly Effect[] }>(
    ({ next, effects }, fact) => {
      const decision = decide(next, fact);
      return decision.kind === 'advance'
        ? { next: decision.next, effects: [...effects, ...decision.effects] }
        : { next, effects };
    },
    { next: start, effects: [] },
  );
}

export const after = (start: StoredRecording, ...facts: Fact[]): StoredRecording =>
  told(start, ...facts).next;
