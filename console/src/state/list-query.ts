import {
  END_REASONS,
  IN_PROGRESS,
  type RecordingEndReason,
  type RecordingFilter,
  type RecordingSort,
  type RecordingStatus,
  type SortField,
} from '../api/contract.js';

/** What the list of recordings shows, as its address says it. */
export interface ListQuery {
  readonly words: string;
  readonly status: StatusChoice;
  readonly reason: RecordingEndReason | null;
  readonly since: SinceChoice;
  /** Texts of `datetime-local` fields, in the reader's own time zone; only with since=range. */
  readonly from: string;
  readonly to: string;
  readonly roomId: string;
  /** `name:value`. */
  readonly labels: readonly string[];
  readonly sort: RecordingSort;
}

const STATUSES = {
  all: null,
  running: IN_PROGRESS,
  complete: ['COMPLETE'],
  failed: ['FAILED'],
  cancelled: ['ABORTED'],
  limit: ['LIMIT_REACHED'],
} as const satisfies Record<string, readonly RecordingStatus[] | null>;
export type StatusChoice = keyof typeof STATUSES;
export const STATUS_CHOICES = Object.keys(STATUSES) as StatusChoice[];

const HOUR_MS = 3_600_000;
const SINCE_MS = { any: null, hour: HOUR_MS, day: 24 * HOUR_MS, week: 168 * HOUR_MS, month: 720 * HOUR_MS };
export type SinceChoice = keyof typeof SINCE_MS | 'today' | 'range';
export const SINCE_CHOICES: readonly SinceChoice[] = [
  'any',
  'hour',
  'today',
  'day',
  'week',
  'month',
  'range',
];

const SORT_FIELDS: readonly SortField[] = ['REQUESTED_AT', 'DURATION', 'SIZE'];

/** What an address means; what it can't mean is left out, so that an old link never fails. */
export function readQuery(search: URLSearchParams): ListQuery {
  const [field, direction] = (search.get('sort') ?? '').toUpperCase().split('.');
  return {
    words: search.get('q') ?? '',
    status: oneOf(STATUS_CHOICES, search.get('status')) ?? 'all',
    reason: oneOf(END_REASONS, search.get('reason')),
    since: oneOf(SINCE_CHOICES, search.get('since')) ?? 'any',
    from: search.get('from') ?? '',
    to: search.get('to') ?? '',
    roomId: search.get('room') ?? '',
    labels: (search.get('labels') ?? '').split(',').filter((label) => label !== ''),
    sort: {
      field: oneOf(SORT_FIELDS, field) ?? 'REQUESTED_AT',
      direction: direction === 'ASC' ? 'ASC' : 'DESC',
    },
  };
}

/** `size.asc`; null for the order that is usual. */
export function sortText({ field, direction }: RecordingSort): string | null {
  return field === 'REQUESTED_AT' && direction === 'DESC' ? null : `${field}.${direction}`.toLowerCase();
}

export function isNewestFirst({ sort }: ListQuery): boolean {
  return sort.field === 'REQUESTED_AT' && sort.direction === 'DESC';
}

export function isNarrowed(query: ListQuery): boolean {
  const { words, status, reason, since, roomId, labels } = query;
  return (
    words !== '' ||
    status !== 'all' ||
    reason !== null ||
    since !== 'any' ||
    roomId !== '' ||
    labels.length > 0
  );
}

/** The contract's filter. */
export function toFilter(query: ListQuery, now: number): RecordingFilter {
  const statuses = STATUSES[query.status];
  const words = query.words.trim();
  const label = query.labels.map((text) => text.split(/:(.*)/s) as [string, string?]);
  return {
    ...(statuses && { statuses: [...statuses] }),
    ...(query.reason && { endReasons: [query.reason] }),
    ...(query.roomId !== '' && { roomId: query.roomId }),
    ...(label.length > 0 && { labels: Object.fromEntries(label.map(([name, value = '']) => [name, value])) }),
    ...range(query, now),
    ...(words !== '' && { search: words }),
  };
}

function range({ since, from, to }: ListQuery, now: number): RecordingFilter {
  if (since === 'range') {
    const [after, before] = [instantOf(from), instantOf(to)];
    return { ...(after && { requestedAfter: after }), ...(before && { requestedBefore: before }) };
  }
  if (since === 'today')
    return { requestedAfter: new Date(new Date(now).setHours(0, 0, 0, 0)).toISOString() };
  const ms = SINCE_MS[since];
  return ms === null ? {} : { requestedAfter: new Date(now - ms).toISOString() };
}

function instantOf(local: string): string | null {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

function oneOf<T extends string>(choices: readonly T[], text: string | null | undefined): T | null {
  return choices.find((choice) => choice === text) ?? null;
}
