import { z } from 'zod';
import { hasUnseen } from '../../kernel/caller-name.js';
import { decodeCursor, invalidCursor } from '../../kernel/cursor.js';
import { badInput } from '../../kernel/errors.js';
import { parseApiKeyId, parseRoomId, type RoomId } from '../../kernel/ids.js';
import type { NewApiKey } from '../use-cases/manage-api-keys.js';

const LONGEST_NAME = 100;
const MOST_ROOMS = 1_000;
const LONGEST_OVERLAP_S = 604_800;
const DEFAULT_OVERLAP_S = 86_400;

const createInput = z.object({
  name: z.string(),
  role: z.enum(['ADMIN', 'RECORDER', 'VIEWER']),
  roomIds: z.array(z.string()).nullish(),
  expiresAt: z.number().nullish(),
});

/** Throws BAD_USER_INPUT with the field at fault, as do all below. */
export function toNewApiKey(input: unknown): NewApiKey {
  const parsed = createInput.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw badInput(['input', ...(issue?.path ?? [])].join('.'), issue?.message ?? 'is not valid');
  }
  const { name, role, roomIds, expiresAt } = parsed.data;
  return {
    name: toName(name),
    role,
    roomIds: roomIds == null ? null : toRoomIds(roomIds),
    expiresAt: expiresAt ?? null,
  };
}

/** In ms. */
export function toOverlapMs(overlapSeconds: number | null | undefined): number {
  const seconds = overlapSeconds ?? DEFAULT_OVERLAP_S;
  if (seconds < 0 || seconds > LONGEST_OVERLAP_S)
    throw badInput('overlapSeconds', `must be from 0 to ${LONGEST_OVERLAP_S}`);
  return seconds * 1_000;
}

/** Throws CURSOR_INVALID. */
export function toPlace(cursor: string): string {
  const [id] = decodeCursor('api-keys', cursor);
  if (typeof id !== 'string' || !parseApiKeyId(id)) throw invalidCursor();
  return id;
}

function toName(text: string): string {
  const name = text.trim();
  if (name === '') throw badInput('input.name', 'is empty; say what the key is for');
  if ([...name].length > LONGEST_NAME)
    throw badInput('input.name', `has more than ${LONGEST_NAME} characters`);
  if (hasUnseen(name)) throw badInput('input.name', 'has characters that can not be seen');
  return name;
}

function toRoomIds(texts: readonly string[]): readonly RoomId[] {
  if (texts.length === 0)
    throw badInput('input.roomIds', 'names no room; leave it out for a key that is for every room');
  if (texts.length > MOST_ROOMS) throw badInput('input.roomIds', `names more than ${MOST_ROOMS} rooms`);
  return [...new Set(texts)].map((text, i) => {
    const id = parseRoomId(text);
    if (id === null) throw badInput(`input.roomIds.${i}`, 'can not be the id of a room');
    return id;
  });
}
