import { z } from 'zod';
import { BOUNDS } from '../../kernel/bounds.js';
import { decodeCursor, invalidCursor } from '../../kernel/cursor.js';
import { badInput } from '../../kernel/errors.js';
import { parseRecordingId, parseRoomId, type RoomId } from '../../kernel/ids.js';
import { ENCODING_PRESETS, RECORDING_LAYOUTS } from '../../kernel/recording-options.js';
import { roomNotFound } from '../../auth/rights.js';
import { type Labels, RECORDING_END_REASONS, RECORDING_STATUSES } from '../domain/recording.js';
import { isStreamId } from '../events/stream-id.js';
import type { PageCursor, RecordingQuery } from '../store/recording-query.js';
import type { LogPosition } from '../store/log-position.js';
import { searchWords } from '../store/search-words.js';
import type { StartRequest } from '../use-cases/start-recording.js';

const MAX_FIRST = 100;
const DEFAULT_FIRST = 20;
const DEFAULT_HISTORY_FIRST = 50;

const labels = z.custom<Labels>().superRefine((value, context) => {
  const problem = problemOfLabels(value);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

function problemOfLabels(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be a JSON object';
  const entries = Object.entries(value);
  if (entries.length > BOUNDS.labels) return `has more than ${BOUNDS.labels} entries`;
  if (entries.some(([key]) => lengthOf(key) > BOUNDS.labelKey))
    return `has a key of more than ${BOUNDS.labelKey} characters`;
  return entries.some(([, text]) => typeof text === 'string' && lengthOf(text) > BOUNDS.labelText)
    ? `has a text of more than ${BOUNDS.labelText} characters`
    : null;
}

function lengthOf(text: string): number {
  return [...text].length;
}

const startInput = z.object({
  roomId: z.string(),
  layout: z.enum(RECORDING_LAYOUTS).nullish(),
  preset: z.enum(ENCODING_PRESETS).nullish(),
  audioOnly: z.boolean().nullish(),
  maxDurationMs: z.int().min(1, 'must be at least 1 ms').nullish(),
  labels: labels.nullish(),
  idempotencyKey: z
    .string()
    .min(1, 'is empty; leave it out or give a key')
    .refine(
      (key) => [...key].length <= BOUNDS.idempotencyKey,
      `has more than ${BOUNDS.idempotencyKey} characters`,
    )
    .nullish(),
  waitForActive: z.boolean().nullish(),
});

/** Null stands for what was left out. Throws BAD_USER_INPUT with the field at fault, as do all below. */
export function toStartRequest(input: unknown): StartRequest {
  const given = parse(startInput, input, 'input');
  return {
    roomId: given.roomId,
    labels: given.labels ?? {},
    idempotencyKey: given.idempotencyKey ?? null,
    waitForActive: given.waitForActive ?? true,
    ...(given.layout != null && { layout: given.layout }),
    ...(given.preset != null && { preset: given.preset }),
    ...(given.audioOnly != null && { audioOnly: given.audioOnly }),
    ...(given.maxDurationMs != null && { maxDurationMs: given.maxDurationMs }),
  };
}

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
}
export interface RecordingsArguments extends PageArguments {
  readonly filter?: unknown;
  readonly sort?: unknown;
}

const filterInput = z.object({
  roomId: z.string().nullish(),
  statuses: z.array(z.enum(RECORDING_STATUSES)).nullish(),
  requestedAfter: z.number().nullish(),
  requestedBefore: z.number().nullish(),
  labels: labels.nullish(),
  egressId: z.string().max(BOUNDS.id, `has more than ${BOUNDS.id} characters`).nullish(),
  endReasons: z.array(z.enum(RECORDING_END_REASONS)).nullish(),
  search: z.string().nullish(),
});
const sortInput = z.object({
  field: z.enum(['REQUESTED_AT', 'DURATION', 'SIZE']).default('REQUESTED_AT'),
  direction: z.enum(['ASC', 'DESC']).default('DESC'),
});

/** `roomId` undefined: not named, so every room; null: one that can't exist. An empty list of statuses matches nothing. */
export function toRecordingQuery(args: RecordingsArguments): {
  readonly roomId: RoomId | null | undefined;
  readonly query: Omit<RecordingQuery, 'rooms'>;
} {
  const filter = parse(filterInput, args.filter ?? {}, 'filter');
  const { field, direction } = parse(sortInput, args.sort ?? {}, 'sort');
  return {
    roomId: filter.roomId == null ? undefined : parseRoomId(filter.roomId),
    query: {
      statuses: [...new Set(filter.statuses ?? RECORDING_STATUSES)],
      requestedAfter: filter.requestedAfter ?? null,
      requestedBefore: filter.requestedBefore ?? null,
      labels: filter.labels ?? {},
      egressId: filter.egressId ?? null,
      endReasons: filter.endReasons == null ? null : [...new Set(filter.endReasons)],
      search: filter.search == null ? null : parseSearch(filter.search),
      field,
      direction,
      first: toFirst(args.first, DEFAULT_FIRST),
      after: args.after == null ? null : parsePageCursor(args.after, field, direction),
    },
  };
}

function parseSearch(text: string): string[] {
  const { searchedWords: most, searchedWord: longest } = BOUNDS;
  // With room for more space between them than anybody types.
  if (text.length > BOUNDS.searched)
    throw badInput('filter.search', `has more than ${BOUNDS.searched} characters`);
  if (text.split(/\s+/).some((word) => lengthOf(word) > longest))
    throw badInput('filter.search', `has a word of more than ${longest} characters`);
  const words = searchWords(text);
  if (words.length > most) throw badInput('filter.search', `has more than ${most} words`);
  return [...new Set(words)];
}

export function toHistoryPage(args: PageArguments): {
  readonly first: number;
  readonly after: LogPosition | null;
} {
  return {
    first: toFirst(args.first, DEFAULT_HISTORY_FIRST),
    after: args.after == null ? null : parseEventCursor(args.after),
  };
}

/** Throws ROOM_NOT_FOUND for an id that no room can have. */
export function toRoomIdOf(text: string): RoomId {
  const id = parseRoomId(text);
  if (id === null) throw roomNotFound(text);
  return id;
}

/** Throws CURSOR_INVALID. */
export function parseEventCursor(text: string): LogPosition {
  const [epoch, id] = decodeCursor('event', text);
  if (typeof epoch !== 'string' || typeof id !== 'string' || !isStreamId(id)) throw invalidCursor();
  return { epoch, id };
}

function parsePageCursor(text: string, field: string, direction: string): PageCursor {
  const [ofField, ofDirection, valued, score, idText] = decodeCursor('recordings', text);
  const id = typeof idText === 'string' ? parseRecordingId(idText) : null;
  const sameOrder = ofField === field && ofDirection === direction;
  if (!sameOrder || (valued !== 0 && valued !== 1) || typeof score !== 'number' || id === null)
    throw invalidCursor();
  return { valued: valued === 1, score, id };
}

function toFirst(first: number | null | undefined, fallback: number): number {
  const wanted = first ?? fallback;
  if (wanted < 1 || wanted > MAX_FIRST) throw badInput('first', `must be from 1 to ${MAX_FIRST}`);
  return wanted;
}

function parse<T>(schema: z.ZodType<T>, input: unknown, field: string): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badInput([field, ...(issue?.path ?? [])].join('.'), issue?.message ?? 'is not valid');
}
