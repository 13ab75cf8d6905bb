import { TallyError } from '../../kernel/errors.js';
import type { RecordingStatus } from '../domain/recording.js';
import { indexKeys, roomScope, type Scope } from './index-entries.js';
import { MOST_SELECTED, type RecordingQuery } from './recording-query.js';

/** One room or all, and one status. */
export interface Source {
  readonly scope: Scope;
  readonly status: RecordingStatus;
}
/** The indexes of which one holds a recording of this source that meets the condition; none holds it with another of them. */
export type Condition = (source: Source) => readonly string[];

/** Together they have all recordings of the rooms and statuses that are asked for. */
export function sources({ rooms, statuses }: RecordingQuery): Source[] {
  const scopes: Scope[] = rooms === null ? ['all'] : rooms.map(roomScope);
  return scopes.flatMap((scope) => statuses.map((status) => ({ scope, status })));
}

export const requested: Condition = ({ scope, status }) => [indexKeys.requested(scope, status)];

/** What is asked for beside rooms, statuses and time. */
export function conditionsOf({ labels, endReasons }: RecordingQuery): Condition[] {
  const labelled = Object.entries(labels).map(([name, value]): Condition => ({ scope, status }) => [
    indexKeys.label(scope, status, name, value),
  ]);
  if (endReasons == null) return labelled;
  return [
    ({ scope, status }) => endReasons.map((reason) => indexKeys.ended(scope, status, reason)),
    ...labelled,
  ];
}

export function tooMany(field: string): TallyError {
  return new TallyError(
    'BAD_USER_INPUT',
    `filter: sorting by ${field} in a time range can choose among ${MOST_SELECTED} recordings at most; ask for a narrower range`,
    { field: 'filter' },
  );
}
