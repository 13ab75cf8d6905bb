import { Injectable } from '@nestjs/common';
import { shown } from '../../kernel/shown.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { badInput, TallyError } from '../../kernel/errors.js';
import { newWebhookDeliveryId } from '../../kernel/ids.js';
import { FileDeliveries } from '../deliver/file-deliveries.js';
import { WebhookSender } from '../deliver/webhook-sender.js';
import { anew, type Delivery, type DeliveryStatus, isSuccess } from '../domain/delivery.js';
import type { WebhookEndpoint } from '../domain/endpoint.js';
import { exampleOf } from '../domain/example.js';
import { type DeliveryPage, DeliveryStore } from '../store/delivery.store.js';
import { ManageEndpoints } from './manage-endpoints.js';

const TRIES = 5;

/** Sends by hand what was sent, should have been sent, or is to show that it arrives. For an ADMIN of every room. */
@Injectable()
export class ResendWebhooks {
  constructor(
    private readonly endpoints: ManageEndpoints,
    private readonly store: DeliveryStore,
    private readonly sender: WebhookSender,
    private readonly file: FileDeliveries,
    private readonly clock: Clock,
  ) {}

  /** An example, now and once, also to an endpoint that is switched off; the delivery as it ended. Throws WEBHOOK_ENDPOINT_NOT_FOUND. */
  async test(endpointId: string, actor: Actor): Promise<Delivery> {
    const endpoint = await this.endpoints.one(endpointId, actor);
    const now = this.clock.now();
    const [type = 'RECORDING_ENDED'] = endpoint.events;
    const id = newWebhookDeliveryId(now);
    const draft: Delivery = {
      ...{ id, endpointId, type, recordingId: null, lane: id, body: exampleOf(type, now) },
      ...{
        status: 'PENDING',
        attempts: [],
        round: { since: now, tries: 0 },
        nextAttemptAt: null,
        createdAt: now,
      },
    };
    const attempt = await this.sender.send(endpoint, draft);
    const status = isSuccess(attempt) ? 'DELIVERED' : 'FAILED';
    const done: Delivery = { ...draft, status, attempts: [attempt], round: { since: now, tries: 1 } };
    await this.store.add(done, this.clock.now());
    return done;
  }

  /** The same message with the same id, after what waits in its lane. Throws NOT_FOUND, BAD_USER_INPUT for an endpoint that is switched off. */
  async again(deliveryId: string, actor: Actor): Promise<Delivery> {
    this.endpoints.admitTo(actor);
    for (let tries = 0; tries < TRIES; tries += 1) {
      const before = await this.store.get(deliveryId);
      if (before === null) throw deliveryNotFound(deliveryId);
      const endpoint = await this.endpoints.one(before.endpointId, actor);
      assertEnabled(endpoint);
      const now = this.clock.now();
      const after = anew(before, now);
      if (await this.store.resend(before, after, now)) return after;
    }
    throw new TallyError('REDIS_UNAVAILABLE', `delivery ${deliveryId} is being sent; try again in a moment`);
  }

  /** How many are sent. Throws WEBHOOK_ENDPOINT_NOT_FOUND, BAD_USER_INPUT. */
  async recover(endpointId: string, since: number, actor: Actor): Promise<number> {
    const endpoint = await this.endpoints.one(endpointId, actor);
    assertEnabled(endpoint);
    return this.file.recover(endpoint, Math.max(0, Math.floor(since)));
  }

  /** For who may see the endpoint already. */
  page(
    endpointId: string,
    status: DeliveryStatus | null,
    first: number,
    after: string | null,
  ): Promise<DeliveryPage> {
    return this.store.page(endpointId, status, first, after);
  }

  backlog(endpointId: string): Promise<number> {
    return this.store.backlog(endpointId);
  }

  failingSince(endpointId: string): Promise<number | null> {
    return this.store.failingSince(endpointId);
  }
}

function assertEnabled({ id, enabled }: WebhookEndpoint): void {
  if (!enabled)
    throw badInput(
      'id',
      `webhook endpoint ${id} is switched off; enable it with updateWebhookEndpoint first`,
    );
}

function deliveryNotFound(id: string): TallyError {
  return new TallyError('NOT_FOUND', `there is no delivery ${shown(id)}, or no longer`);
}
