import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { AgreedClock, Clock, SystemClock, awaitWithin } from '../kernel/clock.js';
import { RedisConnections } from './redis.connections.js';
import { redisFailure } from './redis-failure.js';

const LEARN_EVERY_MS = 10_000;
const TOLERATED_MS = 1_000;
/** A Redis that is unavailable holds nobody up: whoever asks it for anything afterwards has asked it for its time before. */
const FIRST_WITHIN_MS = 1_000;

/** Keeps the clock of this process at the time of Redis, which is one for all instances. */
@Injectable()
export class AgreedTime implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Clock');
  private readonly local = new SystemClock();
  private readonly over = new AbortController();
  private skewed = false;
  private readonly onReady = (): void => void this.learn();

  constructor(
    private readonly connections: RedisConnections,
    private readonly clock: Clock,
  ) {}

  /** How far the local clock is behind the agreed time, in ms; negative: ahead. */
  get offsetMs(): number {
    return this.clock instanceof AgreedClock ? this.clock.offsetMs : 0;
  }

  /** Known before anything is judged by it. */
  async onModuleInit(): Promise<void> {
    if (!(this.clock instanceof AgreedClock)) return;
    await awaitWithin(this.local, FIRST_WITHIN_MS, this.learn(), () => undefined);
  }

  onApplicationBootstrap(): void {
    if (!(this.clock instanceof AgreedClock)) return;
    this.connections.command.on('ready', this.onReady);
    void this.keep();
  }

  onApplicationShutdown(): void {
    this.over.abort();
    this.connections.command.off('ready', this.onReady);
  }

  private async keep(): Promise<void> {
    const { signal } = this.over;
    while (!signal.aborted) {
      if (this.connections.command.status === 'ready') await this.learn();
      await this.local.sleep(LEARN_EVERY_MS, signal).catch(() => undefined);
    }
  }

  private async learn(): Promise<void> {
    if (!(this.clock instanceof AgreedClock)) return;
    try {
      const askedAt = this.local.now();
      const [seconds, micros] = await this.connections.owner.time();
      const serverMs = Math.floor(Number(seconds) * 1_000 + Number(micros) / 1_000);
      this.clock.learn(serverMs, askedAt, this.local.now());
    } catch (error) {
      // The last offset holds; the connection itself reports that Redis is unavailable.
      this.log.debug({
        event: 'time_not_asked',
        message: 'Redis was not asked for its time',
        err: redisFailure(error),
      });
      return;
    }
    this.tellSkew();
  }

  private tellSkew(): void {
    const { offsetMs } = this;
    const skewed = Math.abs(offsetMs) > TOLERATED_MS;
    if (skewed && !this.skewed) {
      this.log.warn({
        event: 'clock_skew',
        message: `the clock of this host is ${Math.abs(offsetMs)} ms ${offsetMs > 0 ? 'behind' : 'ahead of'} that of Redis; the time of Redis is used. Set both by NTP.`,
        offsetMs,
      });
    }
    this.skewed = skewed;
  }
}
