import { type ConnectionView, toConnection } from '../../kernel/connection.js';
import { encodeCursor } from '../../kernel/cursor.js';
import { isFinal, type Recording } from '../domain/recording.js';
import type { EventMade } from '../domain/recording.machine.js';
import type { LoggedEvent } from '../events/event-log.port.js';
import type { PageCursor, RecordingPage, RecordingQuery } from '../store/recording-query.js';
import type { LogPosition } from '../store/log-position.js';
import type { HistoryPage } from '../use-cases/find-recordings.js';

/** Recording as the schema shows it, without the fields that are resolved on demand; instants in ms. */
export type RecordingView = Omit<Recording, 'continues' | 'continuedBy' | 'hasMedia'> & {
  readonly continuesId: Recording['continues'];
  readonly continuedById: Recording['continuedBy'];
  readonly isPlayable: boolean;
};

export interface RecordingConnectionView extends ConnectionView<RecordingView> {
  readonly totalCount: number | null;
  readonly eventCursor: string;
}

export interface RecordingEventView {
  readonly cursor: string;
  readonly type: EventMade['type'];
  readonly at: number;
  readonly recording: RecordingView;
  readonly previousStatus: EventMade['previousStatus'];
  readonly cause: string;
}

export function toRecordingView(recording: Recording): RecordingView {
  const { continues, continuedBy, hasMedia, ...shown } = recording;
  const isPlayable = hasMedia && isFinal(recording.status);
  return {
    ...shown,
    // A row of an earlier version says nothing of them.
    crashProof: Boolean(shown.crashProof),
    recovered: Boolean(shown.recovered),
    continuesId: continues,
    continuedById: continuedBy,
    isPlayable,
  };
}

export function toEventCursor({ epoch, id }: LogPosition): string {
  return encodeCursor('event', [epoch, id]);
}

export function toEventView(event: Omit<LoggedEvent, 'recording'>, recording: Recording): RecordingEventView {
  const { position, type, at, previousStatus, cause } = event;
  const shown = toRecordingView(recording);
  // The event left it without media, whatever it had before.
  const left = type === 'DELETED' ? { ...shown, isPlayable: false } : shown;
  return { cursor: toEventCursor(position), type, at, recording: left, previousStatus, cause };
}

/** A cursor holds what the list was sorted by: it means nothing in another order. */
export function toPageCursor(
  { valued, score, id }: PageCursor,
  { field, direction }: Pick<RecordingQuery, 'field' | 'direction'>,
): string {
  return encodeCursor('recordings', [field, direction, valued ? 1 : 0, score, id]);
}

export function toRecordingConnectionView(
  page: RecordingPage,
  query: Omit<RecordingQuery, 'rooms'>,
): RecordingConnectionView {
  const edges = page.items.map(({ recording, cursor }) => ({
    cursor: toPageCursor(cursor, query),
    node: toRecordingView(recording),
  }));
  const { pageInfo, ...connection } = toConnection(edges, {
    hasNextPage: page.hasNextPage,
    hasPreviousPage: query.after !== null,
  });
  const endCursor = page.endCursor === null ? null : toPageCursor(page.endCursor, query);
  return {
    ...connection,
    pageInfo: { ...pageInfo, endCursor },
    totalCount: page.total,
    eventCursor: toEventCursor(page.position),
  };
}

export function toHistoryView(page: HistoryPage): ConnectionView<RecordingEventView> {
  const edges = page.events.map(({ entry, recording }) => {
    const node = toEventView(entry, recording);
    return { cursor: node.cursor, node };
  });
  return toConnection(edges, page);
}
