import type { Effect } from './facts.js';
import type { Recording, StartResult, StoredRecording, Upkeep } from './recording.js';

/** What a fact changes: fields that clients see, fields they don't, and orders. */
export interface Patch {
  readonly visible?: Partial<Omit<Recording, 'id' | 'version' | 'updatedAt'>>;
  readonly internal?: Partial<Upkeep>;
  readonly effects?: readonly Effect[];
}

export const nothing: Patch = {};

export function join(first: Patch, second: Patch): Patch {
  return {
    visible: { ...first.visible, ...second.visible },
    internal: { ...first.internal, ...second.internal },
    effects: [...(first.effects ?? []), ...(second.effects ?? [])],
  };
}

export function withPatch(now: StoredRecording, patch: Patch): StoredRecording {
  return { ...now, ...patch.visible, upkeep: { ...now.upkeep, ...patch.internal } };
}

/** The first result stands: whoever asks again with its key is told the same. */
export function startResult(now: StoredRecording, result: StartResult): Partial<Upkeep> {
  return now.upkeep.startResult === null ? { startResult: result } : {};
}
