import { z } from 'zod';
import { decodeCursor, invalidCursor } from '../../kernel/cursor.js';
import { badInput } from '../../kernel/errors.js';
import { parseRoomId, type RoomId } from '../../kernel/ids.js';
import { WEBHOOK_EVENT_TYPES } from '../domain/endpoint.js';
import type { EndpointChange, NewEndpoint } from '../use-cases/manage-endpoints.js';

const MOST_ROOMS = 1_000;
const LONGEST_OVERLAP_S = 604_800;
const DEFAULT_OVERLAP_S = 86_400;
const DELIVERY_ID = /^whd_[0-9A-HJKMNP-TV-Z]{26}$/;

const NOT_NULL = { error: 'can not be null; leave it out where it has not to change' };
const events = z
  .array(z.enum(WEBHOOK_EVENT_TYPES), NOT_NULL)
  .min(1, 'names no type; name what the endpoint is to be told')
  .transform((types) => [...new Set(types)]);
const rooms = z.array(z.string()).nullable();
const createInput = z.object({ url: z.string(), events, roomIds: rooms.optional() });
const updateInput = z.object({
  id: z.string(),
  url: z.string(NOT_NULL).optional(),
  events: events.optional(),
  roomIds: rooms.optional(),
  enabled: z.boolean(NOT_NULL).optional(),
});

/** Throws BAD_USER_INPUT with the field at fault, as do all below. */
export function toNewEndpoint(input: unknown): NewEndpoint {
  const given = parse(createInput, input);
  return { ...given, roomIds: toRoomIds(given.roomIds ?? null) };
}

/** `roomIds` null: every room. */
export function toEndpointChange(input: unknown): { readonly id: string; readonly change: EndpointChange } {
  const { id, roomIds, ...rest } = parse(updateInput, input);
  const change = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return { id, change: { ...change, ...(roomIds !== undefined && { roomIds: toRoomIds(roomIds) }) } };
}

/** In ms. */
export function toOverlapMs(overlapSeconds: number | null | undefined): number {
  const seconds = overlapSeconds ?? DEFAULT_OVERLAP_S;
  if (seconds < 0 || seconds > LONGEST_OVERLAP_S)
    throw badInput('overlapSeconds', `must be from 0 to ${LONGEST_OVERLAP_S}`);
  return seconds * 1_000;
}

/** Throws CURSOR_INVALID. */
export function toDeliveryPlace(cursor: string): string {
  const [id] = decodeCursor('deliveries', cursor);
  if (typeof id !== 'string' || !DELIVERY_ID.test(id)) throw invalidCursor();
  return id;
}

function toRoomIds(texts: readonly string[] | null): readonly RoomId[] | null {
  if (texts === null) return null;
  if (texts.length === 0) throw badInput('input.roomIds', 'names no room; leave it out for every room');
  if (texts.length > MOST_ROOMS) throw badInput('input.roomIds', `names more than ${MOST_ROOMS} rooms`);
  return [...new Set(texts)].map((text, i) => {
    const id = parseRoomId(text);
    if (id === null) throw badInput(`input.roomIds.${i}`, 'can not be the id of a room');
    return id;
  });
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badInput(['input', ...(issue?.path ?? [])].join('.'), issue?.message ?? 'is not valid');
}
