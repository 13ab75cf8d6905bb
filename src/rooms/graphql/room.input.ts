import { z } from 'zod';
import { BOUNDS } from '../../kernel/bounds.js';
import { decodeCursor, invalidCursor } from '../../kernel/cursor.js';
import { badInput } from '../../kernel/errors.js';
import { parseRoomId, type RoomId } from '../../kernel/ids.js';
import { ENCODING_PRESETS, RECORDING_LAYOUTS } from '../../kernel/recording-options.js';
import {
  MAX_AUTO_RECORD_FROM,
  MAX_RETENTION_DAYS,
  type RoomChange,
  type RoomRecordingSettings,
  toRoomName,
} from '../domain/room.js';
import type { CreateRoomRequest } from '../use-cases/create-room.js';
import type { RoomSearch } from '../use-cases/find-rooms.js';

const DEFAULT_FIRST = 20;
const MAX_FIRST = 100;

const NOT_NULL = { error: 'can not be null; leave it out where it has not to be set' };

/** A setting that is left out stays; null resets one that can be null. */
const settings = z.object({
  enabled: z.boolean(NOT_NULL).optional(),
  layout: z.enum(RECORDING_LAYOUTS, NOT_NULL).optional(),
  preset: z.enum(ENCODING_PRESETS, NOT_NULL).optional(),
  audioOnly: z.boolean(NOT_NULL).optional(),
  maxDurationMs: z
    .int()
    .min(1, 'must be at least 1 ms; null stands for the configured maximum')
    .nullable()
    .optional(),
  retentionDays: z
    .int()
    .min(1, 'must be at least 1 day; null keeps recordings for ever')
    .max(MAX_RETENTION_DAYS, `must be at most ${MAX_RETENTION_DAYS} days; null keeps recordings for ever`)
    .nullable()
    .optional(),
  restartWhenLost: z.boolean(NOT_NULL).optional(),
  crashProof: z.boolean(NOT_NULL).optional(),
  autoRecordFrom: z
    .int()
    .min(1, 'must be at least 1 participant; null never records by itself')
    .max(MAX_AUTO_RECORD_FROM, `must be at most ${MAX_AUTO_RECORD_FROM}; null never records by itself`)
    .nullable()
    .optional(),
});
const createInput = z.object({
  id: z.string().nullish(),
  name: z.string(NOT_NULL),
  recordingSettings: settings.nullish(),
});
const updateInput = z.object({
  id: z.string(NOT_NULL),
  name: z.string(NOT_NULL).optional(),
  recordingSettings: settings.optional(),
});

/** Throws BAD_USER_INPUT with the field at fault, as do all below. */
export function toCreateRoomRequest(input: unknown): CreateRoomRequest {
  const { id, name, recordingSettings } = parse(createInput, input);
  return {
    id: typeof id === 'string' ? toNewRoomId(id) : null,
    name: toRoomName(name, 'input.name'),
    recordingSettings: named(recordingSettings ?? {}),
  };
}

export function toUpdateRoomRequest(input: unknown): { readonly id: string; readonly change: RoomChange } {
  const { id, name, recordingSettings } = parse(updateInput, input);
  return {
    id,
    change: {
      ...(name !== undefined && { name: toRoomName(name, 'input.name') }),
      ...(recordingSettings && { recordingSettings: named(recordingSettings) }),
    },
  };
}

export interface RoomsArguments {
  readonly nameContains?: string | null;
  readonly open?: boolean | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

/** Also throws CURSOR_INVALID. */
export function toRoomQuery({ nameContains, open, first, after }: RoomsArguments): RoomSearch {
  const wanted = first ?? DEFAULT_FIRST;
  if (wanted < 1 || wanted > MAX_FIRST) throw badInput('first', `must be from 1 to ${MAX_FIRST}`);
  if ((nameContains?.length ?? 0) > BOUNDS.search)
    throw badInput('nameContains', `has more than ${BOUNDS.search} characters`);
  return {
    nameContains: nameContains || null,
    open: open ?? null,
    first: wanted,
    after: typeof after === 'string' ? toPlace(after) : null,
  };
}

function toPlace(cursor: string): RoomId {
  const [id] = decodeCursor('rooms', cursor);
  const place = typeof id === 'string' ? parseRoomId(id) : null;
  if (place === null) throw invalidCursor();
  return place;
}

function toNewRoomId(text: string): RoomId {
  const id = parseRoomId(text);
  if (id !== null) return id;
  throw badInput('input.id', 'a room id has 1 to 256 bytes of UTF-8 and no control characters');
}

/** Without what was left out, so that it doesn't count as a change to nothing. */
function named(given: z.infer<typeof settings>): Partial<RoomRecordingSettings> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badInput(['input', ...(issue?.path ?? [])].join('.'), issue?.message ?? 'is not valid');
}
