import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { BulkDeletionId } from '../../kernel/ids.js';
import { BULK_DELETIONS_CHANNEL } from '../../redis/keys.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { BulkDeletionNews } from './bulk-deletion-news.port.js';

/** A message of Redis' publish is lost while the connection is: whoever waits looks all the same. */
const LOOK_EVERY_MS = 1_000;

@Injectable()
export class RedisBulkDeletionNews extends BulkDeletionNews {
  private readonly log = new Logger('BulkDeletions');
  private readonly waiting = new Map<string, Set<() => void>>();
  private listening = false;

  constructor(
    private readonly connections: RedisConnections,
    private readonly clock: Clock,
  ) {
    super();
  }

  async next(id: BulkDeletionId, signal: AbortSignal): Promise<void> {
    this.listen();
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    const waiting = this.waiting.get(id) ?? new Set();
    this.waiting.set(id, waiting.add(wake));
    const until = AbortSignal.any([woken.signal, signal]);
    try {
      await this.clock.sleep(LOOK_EVERY_MS, until);
    } catch (reason) {
      if (!until.aborted) throw reason;
    } finally {
      waiting.delete(wake);
      if (waiting.size === 0) this.waiting.delete(id);
    }
  }

  /** The connection is made with the first who follows; a process that nobody asks needs none. */
  private listen(): void {
    if (this.listening) return;
    this.listening = true;
    const subscriber = this.connections.forQueues('bulk-deletions');
    subscriber.on('message', (_channel: string, id: string) =>
      this.waiting.get(id)?.forEach((wake) => wake()),
    );
    subscriber.subscribe(BULK_DELETIONS_CHANNEL).catch((error: Error) => {
      this.log.warn({
        message: 'wake-ups are off, bulk deletions are read every second',
        cause: error.message,
      });
    });
  }
}
