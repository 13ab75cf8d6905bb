/** What a person should know; a word for ever. */
export const INCIDENT_KINDS = [
  'dependency_unavailable',
  'no_workers',
  'no_egress_worker',
  'webhooks_stopped',
  'breaker_open',
  'room_not_recorded',
  'recorder_stalled',
  'webhook_endpoint_disabled',
] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** Instants in ms. `closedAt` is left out while it is open. */
export interface Incident {
  readonly id: string;
  readonly kind: IncidentKind;
  /** What it is about: a dependency, a room, a sweep, an endpoint. */
  readonly subject: string;
  readonly detail: string;
  readonly openedAt: number;
  readonly closedAt?: number;
}

/** Opened and closed by whatever notices. Telling is never a reason to fail: what can't be stored is in the log, and told again by who notices again. */
export abstract class Incidents {
  /** One per kind and subject, however often it is noticed. `detail`: what is wrong and what to do, for a person. */
  abstract open(kind: IncidentKind, subject: string, detail: string): Promise<void>;
  /** Nothing where none is open. */
  abstract close(kind: IncidentKind, subject: string): Promise<void>;
  /** Of each that is open. Throws REDIS_UNAVAILABLE. */
  abstract openKinds(): Promise<IncidentKind[]>;
  /** Open first, newest first. Throws REDIS_UNAVAILABLE. */
  abstract list(first: number): Promise<Incident[]>;
}
