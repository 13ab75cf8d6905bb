import type { Delivery, DeliveryAttempt, DeliveryStatus } from '../domain/delivery.js';
import type { WebhookEndpoint, WebhookEventType } from '../domain/endpoint.js';

/** As the schema shows it, without the fields that are resolved on demand; instants in ms. */
export type EndpointView = Omit<WebhookEndpoint, 'secrets' | 'since'>;

export interface DeliveryView {
  readonly id: string;
  readonly type: WebhookEventType;
  readonly recordingId: string | null;
  readonly status: DeliveryStatus;
  readonly payload: object;
  readonly attempts: readonly DeliveryAttempt[];
  readonly nextAttemptAt: number | null;
  readonly createdAt: number;
}

export function toEndpointView({
  secrets: _secrets,
  since: _since,
  ...shown
}: WebhookEndpoint): EndpointView {
  return shown;
}

export function toDeliveryView(delivery: Delivery): DeliveryView {
  const { id, type, recordingId, status, body, attempts, nextAttemptAt, createdAt } = delivery;
  const payload = JSON.parse(body) as object;
  return { id, type, recordingId, status, payload, attempts, nextAttemptAt, createdAt };
}
