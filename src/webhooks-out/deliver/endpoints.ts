import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { KeptStore } from '../../kept/kept.store.js';
import { ENDPOINTS, type WebhookEndpoint } from '../domain/endpoint.js';

const BELIEVED_MS = 500;
/** That there is none: most deployments have none, and all instances look for one all the time. */
const NONE_BELIEVED_MS = 2_000;

/** The endpoints there are, asked for by what runs all the time. */
@Injectable()
export class Endpoints {
  private latest: { readonly until: number; readonly all: Promise<WebhookEndpoint[]> } | null = null;

  constructor(
    private readonly store: KeptStore,
    private readonly clock: Clock,
  ) {}

  /** As they are now. Throws REDIS_UNAVAILABLE. */
  async now(): Promise<WebhookEndpoint[]> {
    return (await this.store.all<WebhookEndpoint>(ENDPOINTS)).map(({ doc }) => doc);
  }

  /** As they were half a second ago at most; that there is none, two seconds. Throws REDIS_UNAVAILABLE. */
  async recent(): Promise<WebhookEndpoint[]> {
    const at = this.clock.now();
    if (this.latest !== null && at < this.latest.until) return this.latest.all;
    const all = this.now();
    const latest = { until: at + BELIEVED_MS, all };
    this.latest = latest;
    try {
      if ((await all).length === 0 && this.latest === latest)
        this.latest = { until: at + NONE_BELIEVED_MS, all };
    } catch (error) {
      if (this.latest === latest) this.latest = null;
      throw error;
    }
    return all;
  }

  /** One was made here: it is known here at once. */
  forgetRecent(): void {
    this.latest = null;
  }
}
