import type { Actor, Role } from '../kernel/actor.js';
import { callerName } from '../kernel/caller-name.js';
import type { RoomId } from '../kernel/ids.js';

/** A secret of a key, as it is stored. Every key has one that does not end; a rotated one has older ones besides. */
export interface ApiKeySecret {
  /** SHA-256, hex. */
  readonly hash: string;
  /** The instant from which it opens nothing; null: it lasts as long as the key. */
  readonly until: number | null;
}

/** An API key, as it is kept; instants in ms. */
export interface ApiKeyDoc {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly role: Role;
  /** Null: every room. */
  readonly roomIds: readonly RoomId[] | null;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly secrets: readonly ApiKeySecret[];
}

export const API_KEYS = 'keys';

/** Those by which it is found; a revoked key is found all the same, so that its holder is told. */
export function handlesOf(key: ApiKeyDoc): string[] {
  return key.secrets.map(({ hash }) => hash);
}

export type KeyVerdict =
  | { readonly kind: 'valid'; readonly actor: Actor; readonly expiresAt: number | null }
  | { readonly kind: 'revoked' | 'expired' | 'rotated' };

/** What the holder of this secret may do now. */
export function verdictOn(key: ApiKeyDoc, hash: string, now: number): KeyVerdict {
  if (key.revokedAt !== null) return { kind: 'revoked' };
  const secret = key.secrets.find((one) => one.hash === hash);
  if (secret === undefined || (secret.until !== null && secret.until <= now)) return { kind: 'rotated' };
  if (key.expiresAt !== null && key.expiresAt <= now) return { kind: 'expired' };
  const ends = [secret.until, key.expiresAt].filter((end) => end !== null);
  return { kind: 'valid', actor: actorOf(key), expiresAt: ends.length === 0 ? null : Math.min(...ends) };
}

function actorOf({ id, name, role, roomIds }: ApiKeyDoc): Actor {
  return {
    name: callerName('key', name),
    callerId: `key:${id}`,
    role,
    rooms: roomIds,
    mayDelete: role === 'ADMIN',
  };
}
