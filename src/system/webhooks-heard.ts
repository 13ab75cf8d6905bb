import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { onTelemetry } from '../kernel/telemetry.js';
import { keys } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';

const NOTED_EVERY_MS = 5_000;

/** Notes when LiveKit's last webhook came, to some seconds. */
@Injectable()
export class WebhooksHeard implements OnApplicationShutdown {
  private notedAt = -Infinity;
  private readonly unhear: () => void;

  constructor(
    private readonly redis: RedisConnections,
    private readonly clock: Clock,
  ) {
    this.unhear = onTelemetry('livekit-webhook', () => this.note());
  }

  onApplicationShutdown(): void {
    this.unhear();
  }

  private note(): void {
    const now = this.clock.now();
    if (now - this.notedAt < NOTED_EVERY_MS) return;
    this.notedAt = now;
    // The next one tells the same.
    this.redis.command.set(keys.livekitHeard(), now).catch(() => (this.notedAt = -Infinity));
  }
}
