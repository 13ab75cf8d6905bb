import type { Effect } from './facts.js';
import type { Recording, StartResult, StoredRecording, Upkeep } from './recording.js';

/** What a fact changes: fields that clients see, fields they don't, and orders. */
export interface Patch {
  readonly seen?: Partial<Omit<Recording, 'id' | 'version' | 'updatedAt'>>;
  readonly kept?: Partial<Upkeep>;
  readonly effects?: readonly Effect[];
}

export const nothing: Patch = {};

export function join(first: Patch, second: Patch): Patch {
  return {
    seen: { ...first.seen, ...second.seen },
    kept: { ...first.kept, ...second.kept },
    effects: [...(first.effects ?? []), ...(second.effects ?? [])],
  };
}

export function withPatch(now: StoredRecording, patch: Patch): StoredRecording {
  return { ...now, ...patch.seen, upkeep: { ...now.upkeep, ...patch.kept } };
}

/** The first result stands: whoever asks again with its key is told the same. */
export function startResult(now: StoredRecording, result: StartResult): Partial<Upkeep> {
  return now.upkeep.startResult === null ? { startResult: result } : {};
}
