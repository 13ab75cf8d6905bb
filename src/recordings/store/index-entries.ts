import { digest } from '../../kernel/digest.js';
import type { RoomId } from '../../kernel/ids.js';
import { encodeRoomId } from '../../kernel/room-code.js';
import { keys } from '../../redis/keys.js';
import {
  isFinal,
  type JsonValue,
  RECORDING_END_REASONS,
  RECORDING_STATUSES,
  type RecordingEndReason,
  type RecordingStatus,
  type StoredRecording,
} from '../domain/recording.js';
import { canonicalJson, type SortField } from './recording-query.js';
import { searchTokens } from './search-words.js';

/** `all`, or one room's. */
export type Scope = 'all' | `room:${string}`;
export const roomScope = (room: RoomId): Scope => `room:${room}`;

type ValueField = 'duration' | 'size';
const FIELDS: Record<Exclude<SortField, 'REQUESTED_AT'>, ValueField> = { DURATION: 'duration', SIZE: 'size' };

/** Every index is a sorted set of one scope and one status: any combination is a merge of a few of them. */
export const indexKeys = {
  requested: (scope: Scope, status: RecordingStatus) => keys.index(scope, `${status}:requested`),
  valued: (scope: Scope, status: RecordingStatus, field: Exclude<SortField, 'REQUESTED_AT'>) =>
    keys.index(scope, `${status}:${FIELDS[field]}`),
  /** Those without a value to sort by, in the order of their requests: of those in progress, all. */
  valueless: (scope: Scope, status: RecordingStatus, field: Exclude<SortField, 'REQUESTED_AT'>) =>
    isFinal(status) ? keys.index(scope, `${status}:no-${FIELDS[field]}`) : indexKeys.requested(scope, status),
  ended: (scope: Scope, status: RecordingStatus, reason: RecordingEndReason) =>
    keys.index(scope, `${status}:reason:${reason}`),
  /** Of an earlier version; an egress' id is a word by now. */
  egress: (egressId: string) => keys.index('all', `egress:${digest(egressId)}`),
  label: (scope: Scope, status: RecordingStatus, name: string, value: JsonValue) =>
    keys.index(scope, `${status}:label:${digest(`${name}\n${canonicalJson(value)}`)}`),
};

/** Of which recording has which word: what `postings.inc.lua` says, in its order. */
export const POSTINGS = [keys.words(), keys.postings(), keys.earlierWords()] as const;

/** Key and score of every index entry that this recording has; a deleted one has none. */
export function indexEntries(recording: StoredRecording): Map<string, number> {
  const entries = new Map<string, number>();
  if (recording.upkeep.deleted) return entries;
  const { status, requestedAt, durationMs, sizeBytes, endReason } = recording;
  for (const scope of ['all', roomScope(recording.roomId)] as const) {
    entries.set(indexKeys.requested(scope, status), requestedAt);
    for (const [field, value] of [
      ['DURATION', durationMs],
      ['SIZE', sizeBytes],
    ] as const) {
      // One that is in progress has neither yet.
      if (value === null || !isFinal(status))
        entries.set(indexKeys.valueless(scope, status, field), requestedAt);
      else entries.set(indexKeys.valued(scope, status, field), value);
    }
    if (endReason !== null) entries.set(indexKeys.ended(scope, status, endReason), requestedAt);
    for (const [name, value] of Object.entries(recording.labels))
      entries.set(indexKeys.label(scope, status, name, value), requestedAt);
  }
  return entries;
}

/** Every index in which a row of this recording may have left it that is gone and that said something else of it. */
export function possibleIndexes(recording: StoredRecording): string[] {
  const possible = new Set<string>();
  for (const status of RECORDING_STATUSES) {
    for (const endReason of [null, ...RECORDING_END_REASONS]) {
      const either = endReason === null ? null : 0;
      const row = { ...recording, status, endReason, durationMs: either, sizeBytes: either };
      for (const key of indexEntries(row).keys()) possible.add(key);
    }
  }
  return [...possible];
}

/**
 * The indexes' part of a script's call: each of their keys once, after the `fixed` ones, and as JSON what to do at which key
 * number, and by which words the recording is found.
 */
export function indexArguments(
  fixed: readonly string[],
  before: StoredRecording | null,
  next: StoredRecording,
  leftBehind: readonly string[] = [],
): { readonly keys: string[]; readonly add: string; readonly remove: string; readonly search: string } {
  const { add, remove: outdated } = indexChanges(before, next);
  const has = new Set(add.map(([key]) => key));
  const remove = [...outdated, ...leftBehind.filter((key) => !has.has(key))];
  const indexes = [...new Set([...add.map(([key]) => key), ...remove])];
  const numberOf = new Map(indexes.map((key, i) => [key, i + fixed.length + POSTINGS.length + 1]));
  return {
    keys: [...fixed, ...POSTINGS, ...indexes],
    add: JSON.stringify(add.map(([key, score]) => [numberOf.get(key), String(score)])),
    remove: JSON.stringify(remove.map((key) => numberOf.get(key))),
    search: JSON.stringify({ ...searchChanges(before, next), key: fixed.length + 1 }),
  };
}

function searchChanges(
  before: StoredRecording | null,
  next: StoredRecording,
): { readonly add: readonly string[]; readonly remove: readonly string[] } {
  const had = before === null || before.upkeep.deleted ? [] : searchTokens(before);
  const has = next.upkeep.deleted ? [] : searchTokens(next);
  const [hadSet, hasSet] = [new Set(had), new Set(has)];
  return {
    add: has.filter((token) => !hadSet.has(token)),
    remove: had.filter((token) => !hasSet.has(token)),
  };
}

/** What a search reads of a row: status, instant of the request and room, and a word in each line that follows. */
export function foundBy(recording: StoredRecording): string {
  const { status, requestedAt, roomId, upkeep } = recording;
  const tokens = upkeep.deleted ? [] : searchTokens(recording);
  return [`${status} ${requestedAt} ${encodeRoomId(roomId)}`, ...tokens].join('\n');
}

/** What to add and what to take away so that `before`'s entries become `next`'s. */
function indexChanges(
  before: StoredRecording | null,
  next: StoredRecording,
): { add: [string, number][]; remove: string[] } {
  const had = before === null ? new Map<string, number>() : indexEntries(before);
  const has = indexEntries(next);
  const { upkeep, egressId } = next;
  return {
    add: [...has].filter(([key, score]) => had.get(key) !== score),
    remove: [
      ...[...had.keys()].filter((key) => !has.has(key)),
      ...(upkeep.deleted && egressId !== null ? [indexKeys.egress(egressId)] : []),
    ],
  };
}
