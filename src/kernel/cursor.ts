import { BOUNDS } from './bounds.js';
import { TallyError } from './errors.js';

export type CursorKind = 'event' | 'recordings' | 'rooms' | 'history' | 'audit' | 'api-keys' | 'deliveries';
export type CursorPart = string | number | null;

/** An opaque position; the kind inside keeps a cursor of one list from being taken for another's. */
export function encodeCursor(kind: CursorKind, parts: readonly CursorPart[]): string {
  return Buffer.from(JSON.stringify([kind, ...parts])).toString('base64url');
}

/** The parts of a cursor of this kind. Throws CURSOR_INVALID for any other text; what the parts mean is checked by who reads them. */
export function decodeCursor(kind: CursorKind, text: string): CursorPart[] {
  if (text.length > BOUNDS.cursor) throw invalidCursor();
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch (cause) {
    throw invalidCursor(cause);
  }
  if (!Array.isArray(parsed) || parsed[0] !== kind || !parsed.every(isPart)) throw invalidCursor();
  return parsed.slice(1);
}

export function invalidCursor(cause?: unknown): TallyError {
  return new TallyError(
    'CURSOR_INVALID',
    'this cursor was not given out by this list; start again without one',
    { cause },
  );
}

function isPart(part: unknown): part is CursorPart {
  return part === null || typeof part === 'string' || (typeof part === 'number' && Number.isFinite(part));
}
