import type { RecordingId, RoomId } from '../../kernel/ids.js';
import type { JsonValue, Labels, RecordingStatus, StoredRecording } from '../domain/recording.js';
import type { LogPosition } from './log-position.js';

export type SortField = 'REQUESTED_AT' | 'DURATION' | 'SIZE';

/** Where a page ended: in the part with a value to sort by, or in the part without one that follows it. */
export interface PageCursor {
  readonly valued: boolean;
  readonly score: number;
  readonly id: RecordingId;
}

export interface RecordingQuery {
  /** Null: all rooms. */
  readonly rooms: readonly RoomId[] | null;
  /** At least one. */
  readonly statuses: readonly RecordingStatus[];
  /** Bounds in ms, both exclusive; null: none. */
  readonly requestedAfter: number | null;
  readonly requestedBefore: number | null;
  readonly labels: Labels;
  readonly field: SortField;
  readonly direction: 'ASC' | 'DESC';
  readonly first: number;
  readonly after: PageCursor | null;
}

export interface PageItem {
  readonly recording: StoredRecording;
  readonly cursor: PageCursor;
}

export interface RecordingPage {
  readonly items: readonly PageItem[];
  readonly hasNextPage: boolean;
  /** Null: more than may be counted by labels. */
  readonly total: number | null;
  /** The end of the event log when the page was read. */
  readonly position: LogPosition;
}

/** Filters that no index serves look at this many recordings at most. */
export const MOST_SELECTED = 10_000;

export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
