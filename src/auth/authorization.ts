import { BOUNDS } from '../kernel/bounds.js';
import { unauthenticated } from './unauthenticated.js';

export interface Authorization {
  /** In lower case. */
  readonly scheme: string;
  /** Not empty. */
  readonly value: string;
}

/**
 * The two parts of an `Authorization` value; null for one that has not both. Throws UNAUTHENTICATED for one that is longer
 * than any credential, before anything works on it.
 */
export function readAuthorization(text: string): Authorization | null {
  if (text.length > BOUNDS.credential) {
    throw unauthenticated(`the credential is longer than ${BOUNDS.credential / 1024} KiB`);
  }
  const trimmed = text.trim();
  const end = trimmed.indexOf(' ');
  if (end < 0) return null;
  return { scheme: trimmed.slice(0, end).toLowerCase(), value: trimmed.slice(end + 1).trim() };
}
