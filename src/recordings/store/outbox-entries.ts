import type { Effect } from '../domain/facts.js';
import type { StoredRecording } from '../domain/recording.js';
import type { Commit, EffectSubject, OutboxEntry } from './recording.store.js';

/** The outbox entries that one commit makes, so that whoever dispatches them at once can acknowledge them. */
export function outboxEntriesOf({ next, effects }: Pick<Commit, 'next' | 'effects'>): OutboxEntry[] {
  const recording = subjectOf(next);
  return effects.map((effect, i) => ({ entry: formatOutboxEntry(next, effect, i), recording, effect }));
}

/** The same text from the same commit: the revision makes it unlike every other commit's. */
export function formatOutboxEntry(next: StoredRecording, effect: Effect, number: number): string {
  const recording = subjectOf(next);
  return JSON.stringify({ key: `${next.rev}.${number}`, recording, effect });
}

export function parseOutboxEntry(entry: string): OutboxEntry {
  const { recording, effect } = JSON.parse(entry) as { recording: EffectSubject; effect: Effect };
  return { entry, recording, effect };
}

function subjectOf({ id, roomId, status, version, error }: StoredRecording): EffectSubject {
  return { id, roomId, status, version, error };
}
