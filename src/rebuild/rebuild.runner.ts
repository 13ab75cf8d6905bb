import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { isTallyError } from '../kernel/errors.js';
import { RebuildTurn } from './rebuild-turn.js';

const LOOK_EVERY_MS = 1_000;

/** Sees to it, at the start and ever after, that Redis is whole; until it is, nobody is answered from it. */
@Injectable()
export class RebuildRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Rebuild');
  private readonly closing = new AbortController();
  private watching: Promise<void> = Promise.resolve();

  constructor(
    private readonly turn: RebuildTurn,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.role !== 'api') this.watching = this.watch();
  }

  async onApplicationShutdown(): Promise<void> {
    this.closing.abort();
    await this.watching;
  }

  private async watch(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      try {
        await this.turn.take(signal);
      } catch (error) {
        this.tell(error);
      }
      await this.clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  }

  private tell(error: unknown): void {
    if (this.closing.signal.aborted) return;
    const cause = error instanceof Error ? error.message : String(error);
    // Redis that is away is told by its connection, once.
    if (isTallyError(error, 'REDIS_UNAVAILABLE'))
      this.log.debug({ message: 'Redis can not be asked', cause });
    else this.log.warn({ message: 'the rebuild waits and is gone on with', cause });
  }
}
