import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { DeliveryStore } from '../store/delivery.store.js';
import { DeliverDue } from './deliver-due.js';
import { FileDeliveries } from './file-deliveries.js';

const LOOK_EVERY_MS = 250;
const AFTER_TROUBLE_MS = 1_000;
const FORGET_EVERY_MS = 60_000;

/** Files and delivers, in every process that runs jobs; they take from each other what they can. */
@Injectable()
export class WebhooksRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Webhooks');
  private readonly over = new AbortController();
  private readonly sending = new Set<Promise<void>>();
  private loops: Promise<unknown> = Promise.resolve();
  private forgotAt = -Infinity;

  constructor(
    private readonly file: FileDeliveries,
    private readonly deliver: DeliverDue,
    private readonly store: DeliveryStore,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.role === 'api') return;
    this.loops = Promise.all([
      this.repeat(async () => (await this.file.step()) > 0),
      this.repeat(() => this.beginSending()),
    ]);
  }

  async onApplicationShutdown(): Promise<void> {
    this.over.abort();
    await this.loops;
    // Each is over within its own limit; what is not settled by then is sent again by another.
    await Promise.all(this.sending);
  }

  private async beginSending(): Promise<boolean> {
    const begun = await this.deliver.begin();
    for (const one of begun) {
      this.sending.add(one);
      void one.finally(() => this.sending.delete(one));
    }
    await this.forget();
    if (this.sending.size === 0) return false;
    // One that ends may have another behind it in its lane; who is slow is not waited for.
    await Promise.race([...this.sending, this.pause(LOOK_EVERY_MS)]);
    return true;
  }

  private async forget(): Promise<void> {
    const now = this.clock.now();
    if (now - this.forgotAt < FORGET_EVERY_MS) return;
    this.forgotAt = now;
    while ((await this.store.forgetOld(now)) > 0 && !this.over.signal.aborted);
  }

  /** `step` says whether there may be more to do at once. */
  private async repeat(step: () => Promise<boolean>): Promise<void> {
    let pauseMs = 0;
    while (await this.pause(pauseMs)) {
      try {
        pauseMs = (await step()) ? 0 : LOOK_EVERY_MS;
      } catch (error) {
        pauseMs = AFTER_TROUBLE_MS;
        this.log.debug({ event: 'webhooks_not_looked_at', message: 'looked at again', cause: String(error) });
      }
    }
  }

  /** False: this process ends. */
  private async pause(ms: number): Promise<boolean> {
    return this.clock.sleep(ms, this.over.signal).then(
      () => true,
      () => false,
    );
  }
}
