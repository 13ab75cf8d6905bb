import type { RecordingId } from '../../kernel/ids.js';
import type { StoredRecording } from '../domain/recording.js';
import type { PageCursor, PageItem } from './recording-query.js';

/** What the scripts over lists answer for each recording of a page: id, score, phase and row, one after the other. */
export function itemsOf(rows: readonly (string | number)[]): PageItem[] {
  const items: PageItem[] = [];
  for (let i = 0; i < rows.length; i += 4)
    items.push({
      recording: JSON.parse(String(rows[i + 3])) as StoredRecording,
      cursor: cursorOf(rows.slice(i)),
    });
  return items;
}

/** Where an entry stands: its id, its score, and the part of the list that it is in. */
export function cursorOf([id, score, phase]: readonly (string | number)[]): PageCursor {
  return { id: id as RecordingId, score: Number(score), valued: phase === 1 };
}
