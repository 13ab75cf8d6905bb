import type { Actor } from '../kernel/actor.js';

/** What a resolver finds in its context; one object per operation, so that it can be the key of a per-request loader. */
export interface GraphqlContext {
  readonly actor: Actor;
}
