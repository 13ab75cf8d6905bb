import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { KeptStore } from '../../kept/kept.store.js';
import { ENDPOINTS, type WebhookEndpoint } from '../domain/endpoint.js';

const BELIEVED_MS = 500;

/** The endpoints there are, asked for by what runs all the time. */
@Injectable()
export class Endpoints {
  private latest: { readonly at: number; readonly all: Promise<WebhookEndpoint[]> } | null = null;

  constructor(
    private readonly store: KeptStore,
    private readonly clock: Clock,
  ) {}

  /** As they are now. Throws REDIS_UNAVAILABLE. */
  async now(): Promise<WebhookEndpoint[]> {
    return (await this.store.all<WebhookEndpoint>(ENDPOINTS)).map(({ doc }) => doc);
  }

  /** As they were half a second ago at most. */
  recent(): Promise<WebhookEndpoint[]> {
    const at = this.clock.now();
    if (this.latest === null || at - this.latest.at >= BELIEVED_MS) {
      const all = this.now();
      all.catch(() => (this.latest = null));
      this.latest = { at, all };
    }
    return this.latest.all;
  }
}
