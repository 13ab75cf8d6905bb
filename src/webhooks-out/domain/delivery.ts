import type { WebhookEventType } from './endpoint.js';

export type DeliveryStatus = 'PENDING' | 'DELIVERED' | 'FAILED';
export const DELIVERY_STATUSES: readonly DeliveryStatus[] = ['PENDING', 'DELIVERED', 'FAILED'];

/** One try; `httpStatus` null: no answer came. */
export interface DeliveryAttempt {
  readonly at: number;
  readonly httpStatus: number | null;
  readonly durationMs: number;
  readonly error: string | null;
}

/** One message to one endpoint; instants in ms. */
export interface Delivery {
  readonly id: string;
  readonly endpointId: string;
  readonly type: WebhookEventType;
  readonly recordingId: string | null;
  /** What has to arrive in order; deliveries of one lane wait for each other, those of others don't. */
  readonly lane: string;
  readonly status: DeliveryStatus;
  /** The body, byte by byte as it is signed. */
  readonly body: string;
  readonly attempts: readonly DeliveryAttempt[];
  /** Tries of this round: a delivery that is sent again by hand begins anew. */
  readonly round: { readonly since: number; readonly tries: number };
  readonly nextAttemptAt: number | null;
  readonly createdAt: number;
}

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
const DELAYS_MS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR];
const LATER_MS = 6 * HOUR;
const GIVE_UP_MS = 8 * DAY;
/** An endpoint without one success for so long is switched off. */
export const SWITCH_OFF_AFTER_MS = 5 * DAY;
export const KEPT_MS: Readonly<Record<Exclude<DeliveryStatus, 'PENDING'>, number>> = {
  DELIVERED: 7 * DAY,
  FAILED: 30 * DAY,
};
const MOST_ATTEMPTS_SHOWN = 100;

/** When it is tried again after its round has failed `tries` times since `since`; null: never. */
export function nextAttemptAt(tries: number, since: number, now: number): number | null {
  const at = now + (DELAYS_MS[tries - 1] ?? LATER_MS);
  return at > since + GIVE_UP_MS ? null : at;
}

export function isSuccess({ httpStatus }: DeliveryAttempt): boolean {
  return httpStatus !== null && httpStatus >= 200 && httpStatus < 300;
}

/** The delivery as the attempt left it. */
export function afterAttempt(delivery: Delivery, attempt: DeliveryAttempt, now: number): Delivery {
  const attempts = [...delivery.attempts, attempt].slice(-MOST_ATTEMPTS_SHOWN);
  const round = { ...delivery.round, tries: delivery.round.tries + 1 };
  if (isSuccess(attempt)) return { ...delivery, attempts, round, status: 'DELIVERED', nextAttemptAt: null };
  const next = nextAttemptAt(round.tries, round.since, now);
  return { ...delivery, attempts, round, status: next === null ? 'FAILED' : 'PENDING', nextAttemptAt: next };
}

/** To be sent once more, whatever came of it. */
export function anew(delivery: Delivery, now: number): Delivery {
  return { ...delivery, status: 'PENDING', round: { since: now, tries: 0 }, nextAttemptAt: now };
}
