import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { WholeMark } from '../redis/whole-mark.js';

const LOOK_AGAIN_MS = 500;

/** Sees to it that Redis is whole before anything is answered from it. */
@Injectable()
export class RebuildRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Rebuild');
  private readonly closing = new AbortController();

  constructor(
    private readonly mark: WholeMark,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    void this.run();
  }

  onApplicationShutdown(): void {
    this.closing.abort();
  }

  private async run(): Promise<void> {
    while (!this.closing.signal.aborted) {
      try {
        await this.mark.set();
        return;
      } catch (error) {
        this.log.debug({ message: 'the mark of Redis could not be read', cause: String(error) });
        await this.clock.sleep(LOOK_AGAIN_MS);
      }
    }
  }
}
