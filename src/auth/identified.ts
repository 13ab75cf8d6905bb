import type { Actor } from '../kernel/actor.js';

export interface Identified {
  readonly actor: Actor;
  /** The instant from which the credential is worth nothing; null: it does not end by itself. */
  readonly expiresAt: number | null;
  /** It can be ended at any moment, so that whoever is let in for longer has to be looked at again. */
  readonly mayEnd: boolean;
}
