import { createHash, createHmac } from 'node:crypto';
import type { WebhookEvent } from '@livekit/protocol';
import { faultDelay, type FaultBook } from './faults.js';
import type { Chance } from './chance.js';
import type { Scheduler } from './scheduler.js';
import type { SimulatorTimings } from './timings.js';
import type { KeyedEvent } from './webhook-events.js';
import { httpReceiver, type WebhookDelivery, type WebhookReceiver } from './webhook-http.js';

const MAX_QUEUED = 200;
const TOKEN_SECONDS = 300;

interface Queued {
  /** Null: where the server's own configuration says, at the moment of sending. */
  readonly to: WebhookReceiver | null;
  readonly delivery: WebhookDelivery;
  readonly queuedMs: number;
}

/**
 * LiveKit's sender of webhooks: one queue per room or egress, in order within it; a few attempts, then the event is
 * lost for good, as is what waited too long or beyond the queue's length, or in a process that died.
 */
export class WebhookOutbox {
  private readonly queues = new Map<string, Queued[]>();
  /** What a restart forgets belongs to an earlier life. */
  private life = 0;
  receiver: WebhookReceiver | null = null;
  /** How far the server's clock is ahead of ours, as its signatures show. */
  clockAheadMs = 0;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly timings: SimulatorTimings,
    private readonly chance: Chance,
    private readonly faults: FaultBook,
    private readonly keys: { readonly apiKey: string; readonly apiSecret: string },
  ) {}

  send({ key, roomName, event }: KeyedEvent): void {
    const strikes = (name: Parameters<FaultBook['strike']>[0]) => this.faults.strike(name, roomName);
    if (event.event === 'egress_updated' && strikes('updated-skipped')) return;
    if (strikes('webhooks-lost')) return;
    const delivery = this.sign(event);
    const copies = strikes('webhooks-doubled') ? [delivery, delivery] : [delivery];
    // Each address has a queue of its own.
    for (const url of addressesOf(event)) this.queue(`${key} ${url}`, copies, httpReceiver(url));
    const late = strikes('webhooks-late');
    const shuffled = strikes('webhooks-reordered');
    if (shuffled) {
      const withinMs = faultDelay(shuffled, 'reorderMs', this.timings);
      // A queue of its own: nothing waits for it, and it waits for nothing.
      const wait = this.chance.between([0, withinMs]);
      this.scheduler.after(wait, () => this.queue(`${key} ${event.id}`, copies));
    } else if (late) {
      this.scheduler.after(faultDelay(late, 'lateWebhookMs', this.timings), () => this.queue(key, copies));
    } else {
      this.queue(key, copies);
    }
  }

  /** The process died: what it had queued is gone. */
  forget(): void {
    this.life += 1;
    this.queues.clear();
  }

  private queue(
    key: string,
    deliveries: readonly WebhookDelivery[],
    to: WebhookReceiver | null = null,
  ): void {
    const waiting = this.queues.get(key);
    const queue = waiting ?? [];
    const free = MAX_QUEUED - queue.length;
    const queuedMs = this.scheduler.clock.now();
    queue.push(...deliveries.slice(0, free).map((delivery) => ({ to, delivery, queuedMs })));
    if (waiting) return;
    this.queues.set(key, queue);
    void this.drain(key, queue, this.life);
  }

  private async drain(key: string, queue: Queued[], life: number): Promise<void> {
    for (let next = queue[0]; next && life === this.life; next = queue[0]) {
      const ageMs = this.scheduler.clock.now() - next.queuedMs;
      if (ageMs <= this.timings.webhookMaxAgeMs) await this.deliver(next, life);
      queue.shift();
    }
    if (life === this.life) this.queues.delete(key);
  }

  /** As often as LiveKit tries; what is still refused then is lost. */
  private async deliver({ to, delivery }: Queued, life: number): Promise<void> {
    for (const pauseMs of [...this.timings.webhookPausesMs, null]) {
      const answer = await this.attempt(delivery, to ?? this.receiver);
      if (answer.taken || pauseMs === null) return;
      await this.scheduler.pause(answer.retryAfterMs ?? pauseMs);
      if (life !== this.life) return;
    }
  }

  private async attempt(
    delivery: WebhookDelivery,
    to: WebhookReceiver | null,
  ): Promise<{ taken: boolean; retryAfterMs?: number }> {
    if (!to) return { taken: true };
    try {
      const { status, retryAfterMs } = await to(delivery);
      return { taken: !isRetried(status), retryAfterMs };
    } catch {
      // No answer at all counts as one that asks for another attempt.
      return { taken: false };
    }
  }

  private sign(event: WebhookEvent): WebhookDelivery {
    const body = Buffer.from(event.toJsonString());
    const now = Math.floor((this.scheduler.clock.now() + this.clockAheadMs) / 1_000);
    const claims = {
      iss: this.keys.apiKey,
      exp: now + TOKEN_SECONDS,
      nbf: now,
      iat: now,
      sha256: createHash('sha256').update(body).digest('base64'),
    };
    return { event, body, authorization: signToken(claims, this.keys.apiSecret) };
  }
}

/** Where the request of the egress asked for its events to be told. */
function addressesOf({ egressInfo }: WebhookEvent): string[] {
  const webhooks = egressInfo?.request.case === 'roomComposite' ? egressInfo.request.value.webhooks : [];
  return webhooks.map(({ url }) => url);
}

/** An HS256 token. Without promises: on a virtual clock nothing may depend on real time. */
export function signToken(claims: object, secret: string): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const content = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

function isRetried(status: number): boolean {
  return status === 429 || (status >= 500 && status !== 501);
}
