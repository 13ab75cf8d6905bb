import { AuditLog } from '../../src/audit/audit-log.js';
import { RedisIncidents } from '../../src/incidents/redis-incidents.js';
import { SystemRandom } from '../../src/kernel/random.js';
import { KeptArchive } from '../../src/kept/kept-archive.js';
import { KeptWriter } from '../../src/kept/kept.writer.js';
import { RedisKeptStore } from '../../src/kept/redis-kept.store.js';
import { MediaLinks } from '../../src/media/media-links.js';
import { MediaTokens } from '../../src/media/media-token.js';
import { RedisEventLog } from '../../src/recordings/events/redis-event-log.js';
import { keys } from '../../src/redis/keys.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { DeliverDue } from '../../src/webhooks-out/deliver/deliver-due.js';
import { Endpoints } from '../../src/webhooks-out/deliver/endpoints.js';
import { FileDeliveries } from '../../src/webhooks-out/deliver/file-deliveries.js';
import { SwitchOff } from '../../src/webhooks-out/deliver/switch-off.js';
import type { WebhookSender } from '../../src/webhooks-out/deliver/webhook-sender.js';
import type { Delivery, DeliveryAttempt } from '../../src/webhooks-out/domain/delivery.js';
import { ENDPOINTS, type WebhookEndpoint } from '../../src/webhooks-out/domain/endpoint.js';
import { RedisDeliveryStore } from '../../src/webhooks-out/store/redis-delivery.store.js';
import { aConfig } from '../support/a-config.js';
import { MemoryObjectStorage } from '../support/memory-object-storage.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { VirtualClock } from '../support/virtual-clock.js';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

describe('webhooks over days', () => {
  let server: RedisServer;
  let connections: RedisConnections;
  let clock: VirtualClock;
  let manner: (endpointId: string, delivery: Delivery) => number;
  let arrived: { endpointId: string; recording: string; version: number }[];

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    connections = new RedisConnections(aConfig({ REDIS_URL: server.url }));
    clock = new VirtualClock(Date.now());
    await connections.command.flushall();
    await connections.command.set(keys.epoch(), 'e1');
    manner = () => 200;
    arrived = [];
  });
  afterEach(() => connections.onApplicationShutdown());

  const sender = {
    send: async ({ id }: WebhookEndpoint, delivery: Delivery): Promise<DeliveryAttempt> => {
      const httpStatus = manner(id, delivery);
      const { data } = JSON.parse(delivery.body) as { data: { recording?: { id: string; version: number } } };
      if (httpStatus === 200 && data.recording)
        arrived.push({ endpointId: id, recording: data.recording.id, version: data.recording.version });
      return { at: clock.now(), httpStatus, durationMs: 1, error: httpStatus === 200 ? null : 'no' };
    },
  } as unknown as WebhookSender;

  /** One process that files and delivers. */
  const worker = () => {
    const config = aConfig({ REDIS_URL: server.url });
    const store = new RedisDeliveryStore(connections);
    const kept = new RedisKeptStore(connections);
    const storage = new MemoryObjectStorage(() => clock.now());
    const writer = new KeptWriter(kept, new KeptArchive(storage), clock, new SystemRandom());
    const incidents = new RedisIncidents(connections, clock);
    const off = new SwitchOff(writer, incidents, new AuditLog(connections, clock));
    const endpoints = new Endpoints(kept, clock);
    const links = new MediaLinks(config, new MediaTokens(config, clock));
    const file = new FileDeliveries(store, endpoints, links, off, clock);
    const deliver = new DeliverDue(store, endpoints, sender, off, clock);
    return { store, kept, incidents, file, deliver, config };
  };
  type Worker = ReturnType<typeof worker>;

  const endpoint = async ({ kept, store }: Worker, id: string, given: Partial<WebhookEndpoint> = {}) => {
    const doc: WebhookEndpoint = {
      ...{ id, url: 'https://example.com', roomIds: null, enabled: true, disabledReason: null, secrets: [] },
      events: ['RECORDING_REQUESTED', 'RECORDING_UPDATED', 'RECORDING_ENDED'],
      ...{ createdAt: clock.now(), createdBy: 'key:admin', since: await store.ends(), ...given },
    };
    await kept.commit({ collection: ENDPOINTS, id, before: null, next: { doc, handles: [] } });
  };
  const happen = async (recording: string, version: number, type = 'UPDATED'): Promise<void> => {
    const event = {
      ...{ type, at: clock.now(), cause: 'test', previousStatus: null },
      recording: {
        id: recording,
        roomId: 'r',
        status: 'ACTIVE',
        version,
        requestedAt: 0,
        startedAt: 0,
        endedAt: null,
        updatedAt: 0,
      },
    };
    await connections.command.xadd(keys.events(), '*', 'event', JSON.stringify(event));
  };
  const run = async ({ file, deliver }: Worker, ms: number, stepMs: number): Promise<void> => {
    for (const until = clock.now() + ms; clock.now() < until; await clock.advance(stepMs)) {
      while ((await file.step()) > 0);
      for (let sent = await deliver.begin(); sent.length > 0; sent = await deliver.begin())
        await Promise.all(sent);
    }
  };
  const versionsOf = (endpointId: string, recording: string): number[] =>
    arrived
      .filter((one) => one.endpointId === endpointId && one.recording === recording)
      .map(({ version }) => version);

  it('a receiver that is down for a day and flaky for another gets all of it, in order; the other one lacks nothing', async () => {
    const one = worker();
    await endpoint(one, 'whe_poor');
    await endpoint(one, 'whe_well');
    manner = (id) => (id === 'whe_poor' ? 500 : 200);
    for (let version = 1; version <= 20; version += 1)
      for (const recording of ['rec_a', 'rec_b', 'rec_c']) await happen(recording, version);
    await run(one, 10 * MINUTE, MINUTE);
    const all = Array.from({ length: 20 }, (_, i) => i + 1);
    for (const recording of ['rec_a', 'rec_b', 'rec_c'])
      expect(versionsOf('whe_well', recording)).toEqual(all);
    await run(one, DAY, 10 * MINUTE);
    expect(arrived.filter(({ endpointId }) => endpointId === 'whe_poor')).toEqual([]);
    expect(await one.store.backlog('whe_poor')).toBe(60);
    let turn = 0;
    manner = () => ((turn += 1) % 3 === 0 ? 200 : 503);
    await run(one, 3 * DAY, 10 * MINUTE);
    for (const recording of ['rec_a', 'rec_b', 'rec_c'])
      expect(versionsOf('whe_poor', recording)).toEqual(all);
    expect(await one.store.backlog('whe_poor')).toBe(0);
    expect(await connections.command.keys('{tl}:webhooks:lane:*')).toEqual([]);
  });

  it('a receiver without one success for five days is switched off, with an incident; what waits is not lost', async () => {
    const one = worker();
    await endpoint(one, 'whe_dead');
    manner = () => 500;
    await happen('rec_a', 1);
    await run(one, 4 * DAY + 20 * HOUR, HOUR);
    expect((await one.kept.get<WebhookEndpoint>(ENDPOINTS, 'whe_dead'))?.doc.enabled).toBe(true);
    await run(one, 12 * HOUR, HOUR);
    const { doc } = (await one.kept.get<WebhookEndpoint>(ENDPOINTS, 'whe_dead'))!;
    expect([doc.enabled, doc.disabledReason]).toEqual([false, expect.stringContaining('no success since')]);
    expect(await one.incidents.list(5)).toMatchObject([
      { kind: 'webhook_endpoint_disabled', subject: 'whe_dead' },
    ]);
    expect(await one.store.backlog('whe_dead')).toBe(1);
  });

  it('a message that is refused for eight days fails, and those behind it go on', async () => {
    const one = worker();
    await endpoint(one, 'whe_picky');
    manner = (_, { body }) => (body.includes('"version":1,') ? 422 : 200);
    for (const version of [1, 2, 3]) await happen('rec_a', version);
    let others = 100;
    for (let day = 0; day < 8; day += 1) {
      await happen('rec_b', (others += 1));
      await run(one, DAY, 2 * HOUR);
      if (day < 7) expect(versionsOf('whe_picky', 'rec_a')).toEqual([]);
    }
    await run(one, DAY, 2 * HOUR);
    expect(versionsOf('whe_picky', 'rec_a')).toEqual([2, 3]);
    const { deliveries } = await one.store.page('whe_picky', 'FAILED', 10, null);
    expect(deliveries.map(({ status }) => status)).toEqual(['FAILED']);
    expect(deliveries[0]?.attempts.length).toBeGreaterThan(30);
    await run(one, 31 * DAY, DAY);
    while ((await one.store.forgetOld(clock.now())) > 0);
    expect((await one.store.page('whe_picky', null, 10, null)).deliveries).toEqual([]);
    expect(await connections.command.keys('{tl}:webhooks:delivery:*')).toEqual([]);
  });

  it('two processes at once file and deliver everything once', async () => {
    const [one, two] = [worker(), worker()];
    await endpoint(one, 'whe_x');
    for (let version = 1; version <= 300; version += 1) await happen(`rec_${version % 7}`, version);
    const all = async (self: Worker): Promise<void> => {
      while ((await self.file.step()) > 0);
      for (let sent = await self.deliver.begin(); sent.length > 0; sent = await self.deliver.begin())
        await Promise.all(sent);
    };
    for (let turn = 0; turn < 30; turn += 1) await Promise.all([all(one), all(two)]);
    expect(arrived).toHaveLength(300);
    for (let recording = 0; recording < 7; recording += 1) {
      const versions = versionsOf('whe_x', `rec_${recording}`);
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    }
  });

  it('the log forgets nothing that no delivery was made of, and only that', async () => {
    const one = worker();
    const log = new RedisEventLog(
      connections,
      aConfig({ REDIS_URL: server.url, EVENT_LOG_RETENTION: '1ms' }),
      clock,
    );
    await clock.advance(MINUTE);
    await endpoint(one, 'whe_x');
    for (let version = 1; version <= 5; version += 1) await happen('rec_a', version);
    await log.trim();
    expect(await connections.command.xlen(keys.events())).toBe(5);
    while ((await one.file.step()) > 0);
    await log.trim();
    expect(await connections.command.xlen(keys.events())).toBeLessThanOrEqual(1);
    for (let sent = await one.deliver.begin(); sent.length > 0; sent = await one.deliver.begin())
      await Promise.all(sent);
    expect(versionsOf('whe_x', 'rec_a')).toEqual([1, 2, 3, 4, 5]);
  });
});
