import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { EventLog } from '../../recordings/events/event-log.port.js';
import { DeliveryStore } from '../store/delivery.store.js';
import { DeliverDue } from './deliver-due.js';
import { FILED_AT_ONCE, FileDeliveries } from './file-deliveries.js';
import { WakeUp } from './wake-up.js';

/** What is due again, what another instance filed, and what nobody was woken for. */
const LOOK_EVERY_MS = 1_000;
/** What was read may have more behind it that nobody is woken for: it came while the connection was away. */
const LOOK_AT_LOGS_EVERY_MS = 2_000;
const AFTER_TROUBLE_MS = 1_000;
const FORGET_EVERY_MS = 60_000;

/** Files and delivers, in every process that runs jobs; they take from each other what they can. */
@Injectable()
export class WebhooksRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Webhooks');
  private readonly over = new AbortController();
  private readonly sending = new Set<Promise<void>>();
  private readonly written = new WakeUp();
  private readonly due = new WakeUp();
  private stopListening: () => void = () => undefined;
  private loops: Promise<unknown> = Promise.resolve();
  private forgotAt = -Infinity;

  constructor(
    private readonly file: FileDeliveries,
    private readonly deliver: DeliverDue,
    private readonly store: DeliveryStore,
    private readonly events: EventLog,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.role === 'api') return;
    this.stopListening = this.events.onWritten(this.written.wake);
    this.loops = Promise.all([
      this.repeat(this.written, LOOK_AT_LOGS_EVERY_MS, () => this.fileNext()),
      this.repeat(this.due, LOOK_EVERY_MS, () => this.beginSending()),
    ]);
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopListening();
    this.over.abort();
    await this.loops;
    // Each is over within its own limit; what is not settled by then is sent again by another.
    await Promise.all(this.sending);
  }

  private async fileNext(): Promise<void> {
    const entries = await this.file.step();
    if (entries === 0) return;
    this.due.wake();
    // Whatever is written meanwhile wakes it again by itself.
    if (entries >= FILED_AT_ONCE) this.written.wake();
  }

  /** One that ends may have another behind it in its lane; who is slow is not waited for. */
  private async beginSending(): Promise<void> {
    for (const one of await this.deliver.begin()) {
      this.sending.add(one);
      void one.finally(() => {
        this.sending.delete(one);
        this.due.wake();
      });
    }
    await this.forget();
  }

  private async forget(): Promise<void> {
    const now = this.clock.now();
    if (now - this.forgotAt < FORGET_EVERY_MS) return;
    this.forgotAt = now;
    while ((await this.store.forgetOld(now)) > 0 && !this.over.signal.aborted);
  }

  private async repeat(wakeUp: WakeUp, everyMs: number, step: () => Promise<void>): Promise<void> {
    let again = true;
    while (again) {
      try {
        await step();
        again = await wakeUp.wait(this.clock, everyMs, this.over.signal);
      } catch (error) {
        this.log.debug({ event: 'webhooks_not_looked_at', message: 'looked at again', cause: String(error) });
        again = await this.pause(AFTER_TROUBLE_MS);
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
