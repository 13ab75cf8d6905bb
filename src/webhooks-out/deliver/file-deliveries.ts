import { Injectable } from '@nestjs/common';
import type { Incident } from '../../incidents/incidents.port.js';
import { Clock } from '../../kernel/clock.js';
import { newWebhookDeliveryId } from '../../kernel/ids.js';
import { MediaLinks } from '../../media/media-links.js';
import type { Delivery } from '../domain/delivery.js';
import { type WebhookEndpoint, wants } from '../domain/endpoint.js';
import { type LoggedChange, type Message, messageOfChange, messageOfIncident } from '../domain/message.js';
import { DeliveryStore, type LogBatch, type SourceLog } from '../store/delivery.store.js';
import { Endpoints } from './endpoints.js';
import { SwitchOff } from './switch-off.js';

/** Entries of a log that are gone through in one step. */
export const FILED_AT_ONCE = 200;
/** More than that waits for no receiver: it is switched off, and asks for what it missed when it is back. */
const MOST_BACKLOG = 100_000;
/** Without an endpoint nobody is told of what the logs say; whoever comes later must not have to pass all of it. */
const PASS_UNHEARD_EVERY_MS = 30_000;

/** Makes deliveries of what the logs tell, at once and durably, so that a log may forget what it told. */
@Injectable()
export class FileDeliveries {
  private passedAt = -Infinity;

  constructor(
    private readonly store: DeliveryStore,
    private readonly endpoints: Endpoints,
    private readonly links: MediaLinks,
    private readonly switchOff: SwitchOff,
    private readonly clock: Clock,
  ) {}

  /** How many entries of the logs were gone through; 0: there is nothing new, or nobody to tell. Throws REDIS_UNAVAILABLE. */
  async step(): Promise<number> {
    const now = this.clock.now();
    const isUnheard = (await this.endpoints.recent()).length === 0;
    if (isUnheard && now - this.passedAt < PASS_UNHEARD_EVERY_MS) return 0;
    const entries = (await this.stepOf('events')) + (await this.stepOf('incidents'));
    if (entries < FILED_AT_ONCE) this.passedAt = now;
    return entries;
  }

  /** Every entry since then that is still in the event log, for one endpoint; how many. */
  async recover(endpoint: WebhookEndpoint, since: number): Promise<number> {
    let filed = 0;
    for (let after: string | null = null; ;) {
      const entries = await this.store.eventsSince(since, after, FILED_AT_ONCE);
      const messages = entries.map(({ fields }) => this.messageOf('events', fields));
      const deliveries = messages
        .filter((message) => wants(endpoint, message.type, message.roomId))
        .map((message) => this.deliveryOf(endpoint, message));
      if (deliveries.length > 0) await this.store.file('events', null, deliveries);
      filed += deliveries.length;
      after = entries.at(-1)?.id ?? null;
      if (entries.length < FILED_AT_ONCE || after === null) return filed;
    }
  }

  private async stepOf(log: SourceLog): Promise<number> {
    const batch = await this.store.unread(log, FILED_AT_ONCE);
    if (batch === null) return 0;
    // Read after the batch: whoever was there before an entry was written is seen.
    const endpoints = await this.withRoom(await this.endpoints.now());
    const deliveries = batch.entries.flatMap(({ id, fields }) => {
      const told = endpoints.filter((endpoint) => isAfter(endpoint, log, batch, id));
      if (told.length === 0) return [];
      const message = this.messageOf(log, fields);
      return told
        .filter((endpoint) => wants(endpoint, message.type, message.roomId))
        .map((endpoint) => this.deliveryOf(endpoint, message));
    });
    await this.store.file(log, batch, deliveries);
    return batch.entries.length;
  }

  private async withRoom(all: readonly WebhookEndpoint[]): Promise<WebhookEndpoint[]> {
    const found: WebhookEndpoint[] = [];
    for (const endpoint of all.filter(({ enabled }) => enabled)) {
      if ((await this.store.backlog(endpoint.id)) < MOST_BACKLOG) found.push(endpoint);
      else {
        await this.switchOff.execute(
          endpoint,
          `more than ${MOST_BACKLOG} deliveries wait for it; enable it when it takes them, and then use recoverWebhooks`,
        );
      }
    }
    return found;
  }

  private messageOf(log: SourceLog, fields: Readonly<Record<string, string>>): Message {
    if (log === 'events') {
      return messageOfChange(JSON.parse(fields.event ?? '') as LoggedChange, this.links);
    }
    const type = fields.type === 'INCIDENT_CLOSED' ? 'INCIDENT_CLOSED' : 'INCIDENT_OPENED';
    return messageOfIncident(type, JSON.parse(fields.incident ?? '') as Incident);
  }

  private deliveryOf(
    { id: endpointId }: WebhookEndpoint,
    { type, recordingId, lane, body }: Message,
  ): Delivery {
    const now = this.clock.now();
    return {
      id: newWebhookDeliveryId(now),
      ...{ endpointId, type, recordingId, lane, body },
      status: 'PENDING',
      attempts: [],
      round: { since: now, tries: 0 },
      nextAttemptAt: now,
      createdAt: now,
    };
  }
}

/** Whether the endpoint was there before the entry was written. */
function isAfter({ since }: WebhookEndpoint, log: SourceLog, batch: LogBatch, id: string): boolean {
  if (log === 'incidents') return isLater(id, since.incidents);
  return since.events.epoch !== batch.epoch || isLater(id, since.events.id);
}

function isLater(a: string, b: string): boolean {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number);
  return aMs > bMs || (aMs === bMs && aSeq > bSeq);
}
