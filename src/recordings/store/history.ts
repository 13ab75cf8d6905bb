import { type Recording, type StoredRecording, VISIBLE_FIELDS } from '../domain/recording.js';
import type { HistoryEntry } from './recording.store.js';

/** The fields that differ; all of them for a first version. `version` and `updatedAt` stand in the entry itself. */
export function changesBetween(before: StoredRecording | null, next: StoredRecording): Partial<Recording> {
  const changed = VISIBLE_FIELDS.filter((field) => {
    if (field === 'version' || field === 'updatedAt') return false;
    return before === null ? next[field] !== null : next[field] !== before[field];
  });
  return Object.fromEntries(changed.map((field) => [field, next[field]]));
}

/** The lines of an earlier version, each `<epoch>/<id> <entry as JSON>`. */
export function parseHistory(text: string): HistoryEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const space = line.indexOf(' ');
      const [epoch = '', id = ''] = line.slice(0, space).split('/');
      return {
        ...(JSON.parse(line.slice(space + 1)) as Omit<HistoryEntry, 'position'>),
        position: { epoch, id },
      };
    });
}

/** The recording as each change left it, oldest first. */
export function foldHistory(
  entries: readonly HistoryEntry[],
): { entry: HistoryEntry; recording: Recording }[] {
  let recording: Recording = BLANK;
  return entries.map((entry) => {
    recording = {
      ...recording,
      ...entry.changes,
      version: entry.version,
      updatedAt: Math.max(entry.at, recording.updatedAt),
    };
    return { entry, recording };
  });
}

/** What an entry does not name was null. */
const BLANK = Object.fromEntries(
  VISIBLE_FIELDS.map((field) => [field, field === 'updatedAt' ? 0 : null]),
) as unknown as Recording;
