import type { RoomId } from './ids.js';

export type Role = 'ADMIN' | 'RECORDER' | 'VIEWER';

/** Who is calling. `rooms` null: every room. */
export interface Actor {
  /** Shown as the cause of what the caller changes: an API key's name, a LiveKit identity. */
  readonly name: string;
  /** One space of idempotency keys. */
  readonly callerId: string;
  readonly role: Role;
  readonly rooms: readonly RoomId[] | null;
  readonly mayDelete: boolean;
}
