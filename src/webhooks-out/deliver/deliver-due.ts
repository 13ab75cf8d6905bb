import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { afterAttempt, type Delivery, isSuccess, SWITCH_OFF_AFTER_MS } from '../domain/delivery.js';
import type { WebhookEndpoint } from '../domain/endpoint.js';
import { DeliveryStore } from '../store/delivery.store.js';
import { Endpoints } from './endpoints.js';
import { SwitchOff } from './switch-off.js';
import { WebhookSender } from './webhook-sender.js';

/** What a killed process was sending is another's after this. */
const CLAIM_MS = 20_000;
/** Of each endpoint, so that one that is slow holds up nobody but itself. */
const AT_ONCE_PER_ENDPOINT = 16;

/** Sends what is due: of every endpoint and lane the first one. */
@Injectable()
export class DeliverDue {
  private readonly log = new Logger('Webhooks');
  private readonly underWay = new Map<string, number>();

  constructor(
    private readonly store: DeliveryStore,
    private readonly endpoints: Endpoints,
    private readonly sender: WebhookSender,
    private readonly switchOff: SwitchOff,
    private readonly clock: Clock,
  ) {}

  /** Begins what is due. The promises end when it is sent; none of them fails. Throws REDIS_UNAVAILABLE. */
  async begin(): Promise<Promise<void>[]> {
    const sending: Promise<void>[] = [];
    for (const endpoint of await this.endpoints.recent()) {
      if (!endpoint.enabled) continue;
      const free = AT_ONCE_PER_ENDPOINT - (this.underWay.get(endpoint.id) ?? 0);
      if (free <= 0) continue;
      for (const delivery of await this.store.claim(endpoint.id, this.clock.now(), CLAIM_MS, free)) {
        this.count(endpoint.id, 1);
        sending.push(this.deliver(endpoint, delivery).finally(() => this.count(endpoint.id, -1)));
      }
    }
    return sending;
  }

  private async deliver(endpoint: WebhookEndpoint, delivery: Delivery): Promise<void> {
    try {
      const attempt = await this.sender.send(endpoint, delivery);
      const now = this.clock.now();
      const after = afterAttempt(delivery, attempt, now);
      const { failingSince } = await this.store.settle(delivery, after, now);
      if (isSuccess(attempt)) return;
      this.log.warn({
        event: 'webhook_not_delivered',
        message: 'a webhook was not taken',
        endpointId: endpoint.id,
        deliveryId: delivery.id,
        type: delivery.type,
        tries: after.round.tries,
        status: after.status,
        cause: attempt.error,
      });
      if (failingSince !== null && now - failingSince >= SWITCH_OFF_AFTER_MS) {
        const since = new Date(failingSince).toISOString();
        await this.switchOff.execute(
          endpoint,
          `no success since ${since}; the last try: ${attempt.error ?? 'failed'}`,
        );
      }
    } catch (error) {
      // Its lane is claimed again when the claim ends.
      this.log.warn({
        event: 'webhook_not_settled',
        message: 'what came of a webhook could not be stored; it is sent again',
        deliveryId: delivery.id,
        cause: String(error),
      });
    }
  }

  private count(endpointId: string, by: number): void {
    const now = (this.underWay.get(endpointId) ?? 0) + by;
    if (now > 0) this.underWay.set(endpointId, now);
    else this.underWay.delete(endpointId);
  }
}
