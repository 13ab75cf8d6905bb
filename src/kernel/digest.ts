import { createHash } from 'node:crypto';

/** A short name for a text of any length. It is part of keys that are stored, so it stays as it is. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
