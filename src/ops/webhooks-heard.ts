import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { onTelemetry, type TelemetryEvents } from '../kernel/telemetry.js';
import { keys } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';

const NOTED_EVERY_MS = 5_000;
/** LiveKit gives up a webhook after 15 s; what changed within so long after one was told by it. */
const TOLD_BY_IT_MS = 30_000;
/** So long after a change that no webhook told of, one should have come. */
const DUE_MS = 60_000;
/** Ends that nobody reports: what shows them is that nothing is reported. */
const UNREPORTED = ['RECORDER_LOST', 'STALE', 'START_TIMEOUT', 'START_REJECTED', 'START_CANCELLED'];

export interface WebhooksSeen {
  /** When the last one came, to some seconds, in ms; null: none ever did. */
  readonly heardAt: number | null;
  /** Since when egresses have changed and none came, in ms; null: they come, or nothing had to be told. */
  readonly silentSince: number | null;
}

/**
 * Notes when LiveKit's last webhook came, and since when we have had to find out for ourselves what one should have told: where
 * they stop coming, everything goes on, only later.
 */
@Injectable()
export class WebhooksHeard implements OnApplicationShutdown {
  private readonly log = new Logger('LiveKit');
  private notedAt = -Infinity;
  private readonly deafen: readonly (() => void)[];

  constructor(
    private readonly redis: RedisConnections,
    private readonly clock: Clock,
  ) {
    this.deafen = [
      onTelemetry('livekit-webhook', () => void this.note()),
      onTelemetry('livekit-webhook-applied', () => void this.note()),
      onTelemetry('recording-changed', (change) => {
        if (isOfEgress(change)) void this.miss();
      }),
    ];
  }

  onApplicationShutdown(): void {
    for (const stop of this.deafen) stop();
  }

  /** Throws REDIS_UNAVAILABLE. */
  async seen(): Promise<WebhooksSeen> {
    const [heard, unheard] = await this.redis.run((redis) =>
      redis.mget(keys.livekitHeard(), keys.livekitUnheard()),
    );
    const since = toInstant(unheard);
    const isDue = since !== null && this.clock.now() - since > DUE_MS;
    return { heardAt: toInstant(heard), silentSince: isDue ? since : null };
  }

  private async note(): Promise<void> {
    const now = this.clock.now();
    if (now - this.notedAt < NOTED_EVERY_MS) return;
    this.notedAt = now;
    try {
      await this.redis.pipeline((all) => all.set(keys.livekitHeard(), now).del(keys.livekitUnheard()));
    } catch (error) {
      // The next one tells the same.
      this.notedAt = -Infinity;
      this.log.debug({ message: 'a webhook was not noted', cause: String(error) });
    }
  }

  private async miss(): Promise<void> {
    const now = this.clock.now();
    try {
      const heard = toInstant(await this.redis.run((redis) => redis.get(keys.livekitHeard())));
      if (heard !== null && now - heard < TOLD_BY_IT_MS) return;
      await this.redis.run((redis) => redis.set(keys.livekitUnheard(), now, 'NX'));
    } catch (error) {
      // The next change tells the same.
      this.log.debug({ message: 'a change without a webhook was not noted', cause: String(error) });
    }
  }
}

/** Something of which LiveKit sends a webhook. */
function isOfEgress({ from, to, endReason }: TelemetryEvents['recording-changed']): boolean {
  if (from === null || from === to || UNREPORTED.includes(endReason ?? '')) return false;
  return to === 'ACTIVE' || (to !== 'ENDING' && from !== 'STARTING');
}

function toInstant(text: string | null | undefined): number | null {
  return typeof text === 'string' ? Number(text) : null;
}
