import type { RecordingId, RoomId } from '../../kernel/ids.js';
import type {
  JsonValue,
  Labels,
  RecordingEndReason,
  RecordingStatus,
  StoredRecording,
} from '../domain/recording.js';
import type { LogPosition } from './log-position.js';
import { isFoundBy } from './search-words.js';

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
  /** Left out or null: whatever it is. */
  readonly egressId?: string | null;
  /** Left out or null: whatever it is, also none. */
  readonly endReasons?: readonly RecordingEndReason[] | null;
  /** Words as `searchWords` gives them, each of which finds the recording; left out or null: whatever it is found by. */
  readonly search?: readonly string[] | null;
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
  /** Where to go on; of the last item, or further where entries after it were passed over. Null: an empty list. */
  readonly endCursor: PageCursor | null;
  /** Null: more than may be counted by labels. */
  readonly total: number | null;
  /** The end of the event log when the page was read. */
  readonly position: LogPosition;
}

/** Filters that no single index serves choose among this many recordings at once. */
export const MOST_SELECTED = 10_000;

/** Whether the recording is one that the query asks for, whatever page it is on. */
export function matches(recording: StoredRecording, query: RecordingQuery): boolean {
  const { roomId, status, requestedAt, endReason, egressId, labels, upkeep } = recording;
  const { rooms, statuses, requestedAfter, requestedBefore } = query;
  return (
    !upkeep.deleted &&
    (rooms === null || rooms.includes(roomId)) &&
    statuses.includes(status) &&
    (requestedAfter === null || requestedAt > requestedAfter) &&
    (requestedBefore === null || requestedAt < requestedBefore) &&
    (query.egressId == null || egressId === query.egressId) &&
    (query.endReasons == null || (endReason !== null && query.endReasons.includes(endReason))) &&
    Object.entries(query.labels).every(([name, value]) => {
      const has = labels[name];
      return has !== undefined && canonicalJson(has) === canonicalJson(value);
    }) &&
    (query.search == null || isFoundBy(recording, query.search))
  );
}

/** The recording with its place in the order of the query. */
export function toItem(recording: StoredRecording, { field }: RecordingQuery): PageItem {
  const { id, requestedAt, durationMs, sizeBytes } = recording;
  const value = { REQUESTED_AT: requestedAt, DURATION: durationMs, SIZE: sizeBytes }[field];
  return { recording, cursor: { id, valued: value !== null, score: value ?? requestedAt } };
}

/** The order of a list: what has no value comes last in both directions, equals are in the order of their ids. */
export function isBefore(a: PageCursor, b: PageCursor, { direction }: RecordingQuery): boolean {
  if (a.valued !== b.valued) return a.valued;
  const step = a.score - b.score || (a.id === b.id ? 0 : a.id < b.id ? -1 : 1);
  return direction === 'ASC' ? step < 0 : step > 0;
}

export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
