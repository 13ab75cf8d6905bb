import type { RoomId } from '../../kernel/ids.js';

export const WEBHOOK_EVENT_TYPES = [
  'RECORDING_REQUESTED',
  'RECORDING_STARTED',
  'RECORDING_UPDATED',
  'RECORDING_ENDED',
  'RECORDING_DELETED',
  'INCIDENT_OPENED',
  'INCIDENT_CLOSED',
] as const;
export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number];

/** A place in the event log; what comes after it is told to whoever asked at that moment. */
export interface LogPlace {
  readonly epoch: string;
  readonly id: string;
}

export interface SealedSecret {
  readonly sealed: string;
  /** The instant from which it signs nothing more; null: it lasts. */
  readonly until: number | null;
}

/** A receiver, as it is kept; instants in ms. */
export interface WebhookEndpoint {
  readonly id: string;
  readonly url: string;
  readonly events: readonly WebhookEventType[];
  /** Null: every room. */
  readonly roomIds: readonly RoomId[] | null;
  readonly enabled: boolean;
  readonly disabledReason: string | null;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly secrets: readonly SealedSecret[];
  /** It is told what comes after these. */
  readonly since: { readonly events: LogPlace; readonly incidents: string };
}

export const ENDPOINTS = 'endpoints';

/** Those that sign now, the newest last. */
export function signingSecrets({ secrets }: WebhookEndpoint, now: number): string[] {
  return secrets.filter(({ until }) => until === null || until > now).map(({ sealed }) => sealed);
}

/** What is about no room is told to endpoints for every room alone. */
export function wants(endpoint: WebhookEndpoint, type: WebhookEventType, roomId: string | null): boolean {
  if (!endpoint.enabled || !endpoint.events.includes(type)) return false;
  return endpoint.roomIds === null || endpoint.roomIds.some((room) => room === roomId);
}
