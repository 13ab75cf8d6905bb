import type { Actor } from '../kernel/actor.js';

export interface Identified {
  readonly actor: Actor;
  /** The instant from which the credential is worth nothing; null: it does not end by itself. */
  readonly expiresAt: number | null;
}
