import { emitTelemetry } from '../../src/kernel/telemetry.js';
import { WebhooksHeard } from '../../src/ops/webhooks-heard.js';
import { keys } from '../../src/redis/keys.js';
import { eventually } from '../support/eventually.js';
import { ownRedis } from '../support/own-redis.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('webhooks of LiveKit that stop coming', () => {
  const own = ownRedis();
  let heard: WebhooksHeard;
  let clock: VirtualClock;

  beforeEach(async () => {
    await own.connections.command.flushall();
    clock = new VirtualClock();
    heard = new WebhooksHeard(own.connections, clock);
  });
  afterEach(() => heard.onApplicationShutdown());

  const change = (from: string | null, to: string, endReason: string | null = null): void =>
    emitTelemetry('recording-changed', { from, to, endReason, secondsSinceRequest: 1 });
  const webhookComes = async (): Promise<void> => {
    emitTelemetry('livekit-webhook', { lagSeconds: 0 });
    const now = String(clock.now());
    await eventually(
      async () => (await own.connections.command.get(keys.livekitHeard())) === now || 'not noted',
    );
  };
  /** What is noted of changes is in Redis by then. */
  const noted = async (): Promise<string | null> => {
    await own.connections.command.ping();
    await own.connections.command.ping();
    return own.connections.command.get(keys.livekitUnheard());
  };

  it('are told a minute after an egress changed without one, and no more as soon as one comes', async () => {
    await webhookComes();
    const heardAt = clock.now();
    await clock.advance(600_000);
    const changedAt = clock.now();
    change('STARTING', 'ACTIVE');
    await eventually(async () => (await noted()) === String(changedAt) || 'not noted');
    await clock.advance(59_000);
    change('ACTIVE', 'COMPLETE', 'ROOM_ENDED');
    expect(await heard.seen()).toEqual({ heardAt, silentSince: null });
    await clock.advance(2_000);
    expect(await heard.seen()).toEqual({ heardAt, silentSince: changedAt });
    await webhookComes();
    expect(await heard.seen()).toEqual({ heardAt: clock.now(), silentSince: null });
  });

  it('are told where none has ever come', async () => {
    change('ENDING', 'FAILED', 'EGRESS_FAILED');
    await eventually(async () => (await noted()) !== null || 'not noted');
    await clock.advance(61_000);
    expect(await heard.seen()).toEqual({ heardAt: null, silentSince: clock.now() - 61_000 });
  });

  it('are not suspected while one has just come, nor for what no webhook tells', async () => {
    await webhookComes();
    await clock.advance(29_000);
    change('STARTING', 'ACTIVE');
    await noted();
    await clock.advance(600_000);
    change(null, 'STARTING');
    change('ACTIVE', 'ENDING', 'STOP_REQUESTED');
    change('ACTIVE', 'FAILED', 'RECORDER_LOST');
    change('ENDING', 'ABORTED', 'STALE');
    change('STARTING', 'FAILED', 'START_TIMEOUT');
    change('COMPLETE', 'COMPLETE');
    expect(await noted()).toBeNull();
    await clock.advance(600_000);
    expect((await heard.seen()).silentSince).toBeNull();
  });

  it('are heard also of what waited in the inbox until it was applied', async () => {
    await webhookComes();
    await clock.advance(300_000);
    emitTelemetry('livekit-webhook-applied', {});
    await eventually(
      async () =>
        (await own.connections.command.get(keys.livekitHeard())) === String(clock.now()) || 'not noted',
    );
    change('STARTING', 'ACTIVE');
    expect(await noted()).toBeNull();
  });
});
