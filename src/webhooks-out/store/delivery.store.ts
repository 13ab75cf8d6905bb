import type { Delivery, DeliveryStatus } from '../domain/delivery.js';

/** Logs whose entries become deliveries. */
export type SourceLog = 'events' | 'incidents';

/** A batch of a log's entries, oldest first; `place` names the last of them, `from` the place that was read from. */
export interface LogBatch {
  readonly from: string;
  readonly place: string;
  readonly epoch: string;
  readonly entries: readonly { readonly id: string; readonly fields: Readonly<Record<string, string>> }[];
}

export interface DeliveryPage {
  readonly deliveries: readonly Delivery[];
  readonly hasNextPage: boolean;
}

/** Deliveries, in lanes. Every method throws REDIS_UNAVAILABLE where it could not ask, also while Redis is not whole. */
export abstract class DeliveryStore {
  /** What follows the place up to which deliveries were filed; null: nothing. */
  abstract unread(log: SourceLog, most: number): Promise<LogBatch | null>;
  /** Where both logs end now. */
  abstract ends(): Promise<{ readonly events: { epoch: string; id: string }; readonly incidents: string }>;
  /** Entries of the event log from an instant on, page by page: after `after`, where one is given. */
  abstract eventsSince(since: number, after: string | null, most: number): Promise<LogBatch['entries']>;
  /** Filed together with the place they were read to. False: another was faster. `batch` null: they come from no place. */
  abstract file(log: SourceLog, batch: LogBatch | null, deliveries: readonly Delivery[]): Promise<boolean>;
  /** First deliveries of lanes that are due; the lanes are another's after `claimMs`. */
  abstract claim(endpointId: string, now: number, claimMs: number, most: number): Promise<Delivery[]>;
  /** What came of an attempt. `settled` false: another was faster. `failingSince` of the endpoint, null: it takes what it is sent. */
  abstract settle(
    before: Delivery,
    after: Delivery,
    now: number,
  ): Promise<{ readonly settled: boolean; readonly failingSince: number | null }>;
  /** One that is in no lane: it was tried already. */
  abstract add(delivery: Delivery, now: number): Promise<void>;
  /** False: it changed meanwhile. */
  abstract resend(before: Delivery, after: Delivery, now: number): Promise<boolean>;
  abstract get(id: string): Promise<Delivery | null>;
  /** Newest first, older than `after`. */
  abstract page(
    endpointId: string,
    status: DeliveryStatus | null,
    first: number,
    after: string | null,
  ): Promise<DeliveryPage>;
  abstract backlog(endpointId: string): Promise<number>;
  abstract failingSince(endpointId: string): Promise<number | null>;
  /** It counts as new: nothing failed, and what waits is due now. */
  abstract revive(endpointId: string, now: number): Promise<void>;
  /** Deliveries that were kept long enough; how many went. */
  abstract forgetOld(now: number): Promise<number>;
  /** All of an endpoint that is gone. */
  abstract forgetEndpoint(endpointId: string): Promise<void>;
}
