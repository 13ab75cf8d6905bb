import type { Effect } from '../domain/facts.js';
import type { StoredRecording } from '../domain/recording.js';
import type { Commit, EffectSubject, FiledEffect } from './recording.store.js';

/** The entries of one commit as they were filed, so that whoever carries them out at once can take them off. */
export function filedBy({ next, effects }: Pick<Commit, 'next' | 'effects'>): FiledEffect[] {
  return effects.map((effect, i) => parseEntry(fileEntry(next, effect, i)));
}

/** The same text from the same commit: the revision makes it unlike every other commit's. */
export function fileEntry(next: StoredRecording, effect: Effect, number: number): string {
  const { id, roomId, status, version, error } = next;
  const recording: EffectSubject = { id, roomId, status, version, error };
  return JSON.stringify({ key: `${next.rev}.${number}`, recording, effect });
}

export function parseEntry(entry: string): FiledEffect {
  const { recording, effect } = JSON.parse(entry) as { recording: EffectSubject; effect: Effect };
  return { entry, recording, effect };
}
