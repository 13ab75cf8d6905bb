import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { emitTelemetry } from '../kernel/telemetry.js';

const EVERY_MS = 60_000;

export type WebhookRefusal = 'not-signed' | 'too-long' | 'bad-signature' | 'clock' | 'other-body';

/** Says once a minute, and for each reason, that webhooks are refused: who sends them never tells anybody. */
@Injectable()
export class RefusedWebhooks {
  private readonly log = new Logger('LiveKit');
  private readonly told = new Map<WebhookRefusal, { at: number; since: number }>();

  constructor(private readonly clock: Clock) {}

  note(reason: WebhookRefusal, why: string): void {
    emitTelemetry('webhook-refused', { reason });
    const now = this.clock.now();
    const last = this.told.get(reason);
    if (last !== undefined && now - last.at < EVERY_MS) {
      last.since += 1;
      return;
    }
    this.told.set(reason, { at: now, since: 0 });
    const further = last?.since ?? 0;
    this.log.warn({ event: 'webhook_refused', message: `a webhook is refused: ${why}`, reason, further });
  }
}
