import type { RecordingId } from '../../kernel/ids.js';
import type { PageCursor, PageItem } from './recording-query.js';
import { readRow } from './stored-row.js';

/** What a script answers where it says text: bytes, as a row is no text. */
export type Answered = readonly (Buffer | number)[];

/** What the scripts over lists answer for each recording of a page: id, score, phase and row, one after the other. */
export function itemsOf(rows: Answered): PageItem[] {
  const items: PageItem[] = [];
  for (let i = 0; i < rows.length; i += 4)
    items.push({ recording: readRow(rows[i + 3] as Buffer).recording, cursor: cursorOf(rows.slice(i)) });
  return items;
}

/** Where an entry stands: its id, its score, and the part of the list that it is in. */
export function cursorOf([id, score, phase]: Answered): PageCursor {
  return { id: String(id) as RecordingId, score: Number(score), valued: phase === 1 };
}

export function idsOf(ids: Answered): RecordingId[] {
  return ids.map((id) => String(id) as RecordingId);
}
