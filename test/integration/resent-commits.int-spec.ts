import { SystemClock } from '../../src/kernel/clock.js';
import { SystemRandom } from '../../src/kernel/random.js';
import { MissingRowsQueue } from '../../src/recordings/store/missing-rows-queue.js';
import { RedisRecordingPages } from '../../src/recordings/store/redis-recording-pages.js';
import { RedisRecordingStore } from '../../src/recordings/store/redis-recording.store.js';
import type { OutboxEntry } from '../../src/recordings/store/recording.store.js';
import { EffectDispatcher } from '../../src/recordings/write/effect-dispatcher.port.js';
import { RecordingWriter } from '../../src/recordings/write/recording.writer.js';
import { keys } from '../../src/redis/keys.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { DataEpoch } from '../../src/redis/data-epoch.js';
import { aConfig } from '../support/a-config.js';
import { aRecording, aRoomId, anEgress, T0 } from '../support/builders.js';
import { type CuttableProxy, startCuttableProxy } from '../support/cuttable-proxy.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

class CountingDispatcher extends EffectDispatcher {
  dispatched = 0;
  async dispatch(filed: readonly OutboxEntry[]): Promise<void> {
    this.dispatched += filed.length;
  }
}

/** The client sends a command again whose connection ended before its answer came: the server has carried it out already. */
describe('a commit whose answer is lost', () => {
  let server: RedisServer;
  let proxy: CuttableProxy;
  let connections: RedisConnections;
  let store: RedisRecordingStore;
  let writer: RecordingWriter;
  let dispatcher: CountingDispatcher;

  beforeAll(async () => {
    server = await startRedisServer();
    proxy = await startCuttableProxy(server.url);
    connections = new RedisConnections(aConfig({ REDIS_URL: proxy.url.replace('http:', 'redis:') }));
    store = new RedisRecordingStore(
      connections,
      new RedisRecordingPages(connections, new MissingRowsQueue(new SystemClock())),
      new SystemClock(),
    );
    dispatcher = new CountingDispatcher();
    writer = new RecordingWriter(store, dispatcher, new SystemClock(), new SystemRandom());
  });
  afterAll(async () => {
    connections.onApplicationShutdown();
    await proxy.close();
    await server.close();
  });
  beforeEach(async () => {
    await connections.command.flushall();
    await new DataEpoch(connections).set();
    // From here on the server knows the script by its digest.
    await writer.create(aRecording({ roomId: aRoomId('another') }), [], 'test');
    dispatcher.dispatched = 0;
  });
  afterEach(() => {
    if (proxy.lost === 0) throw new Error('no answer was lost');
  });

  const lastEvent = async (): Promise<string | undefined> =>
    (await connections.command.xrevrange(keys.events(), '+', '-', 'COUNT', 1))[0]?.[0];

  it.each([undefined, { caller: 'admin', key: 'k', input: '{}' }])(
    'stores a new recording once and says so (key: %o)',
    async (key) => {
      const recording = aRecording();
      proxy.loseAnswerTo(recording.id);
      const result = await writer.create(recording, [{ do: 'write-metadata' }], 'test', key);
      expect(result).toMatchObject({ kind: 'done', position: { id: await lastEvent() } });
      expect(await connections.command.xlen(keys.events())).toBe(2);
      expect(await store.history(recording.id)).toHaveLength(1);
      expect(await store.slotHolder(recording.roomId)).toBe(recording.id);
      expect(dispatcher.dispatched).toBe(1);
    },
  );

  it('tells a creation that is sent again so late that others have written since where it was', async () => {
    const recording = aRecording();
    const step = { token: 'first', before: null, next: recording, event: null, cause: 'test', effects: [] };
    const event = { type: 'REQUESTED', previousStatus: null } as const;
    const first = await store.commit({ ...step, event, at: T0 });
    const egress = anEgress(recording, { status: 'ACTIVE' });
    await writer.apply(recording.id, { kind: 'egress-seen', egress, at: T0 + 1 }, 'livekit');
    proxy.loseAnswerTo(recording.id);
    expect(await store.commit({ ...step, event, at: T0 })).toEqual(first);
    expect((await store.get(recording.id))?.status).toBe('ACTIVE');
  });

  it('brings no recording back that was deleted before its creation is carried out again', async () => {
    const recording = aRecording();
    const step = {
      token: 'first',
      before: null,
      next: recording,
      event: null,
      cause: 'test',
      effects: [],
      at: T0,
    };
    await store.commit(step);
    const refused = { kind: 'start-refused', why: 'no', credentials: false, at: T0 + 10 } as const;
    await writer.apply(recording.id, refused, 'livekit');
    await writer.apply(recording.id, { kind: 'deleted', at: T0 + 20 }, 'test');
    proxy.loseAnswerTo(recording.id);
    expect(await store.commit(step)).toEqual({ kind: 'moved-on' });
    expect(await store.get(recording.id)).toBeNull();
  });

  it('takes no other attempt for this one, whatever its number', async () => {
    const recording = aRecording();
    const step = { before: null, next: recording, event: null, cause: 'test', effects: [], at: T0 };
    proxy.loseAnswerTo(recording.id);
    await store.commit({ ...step, token: 'one' });
    expect(await store.commit({ ...step, token: 'another' })).toEqual({ kind: 'moved-on' });
  });

  it('says of a change that it was made, and where its event is', async () => {
    const recording = aRecording();
    await writer.create(recording, [], 'test');
    proxy.loseAnswerTo('"nextRev":"2"');
    const egress = anEgress(recording, { status: 'ACTIVE' });
    const told = await writer.apply(recording.id, { kind: 'egress-seen', egress, at: T0 + 1 }, 'livekit');
    expect(told).toMatchObject({ changed: true, position: { id: await lastEvent() } });
    expect(dispatcher.dispatched).toBeGreaterThan(0);
    expect(await store.history(recording.id)).toHaveLength(2);
  });

  it('removes a deleted recording once', async () => {
    const recording = aRecording();
    await writer.create(recording, [], 'test');
    const refused = { kind: 'start-refused', why: 'no', credentials: false, at: T0 + 10 } as const;
    await writer.apply(recording.id, refused, 'livekit');
    proxy.loseAnswerTo('"remove":true');
    const told = await writer.apply(recording.id, { kind: 'deleted', at: T0 + 20 }, 'test');
    expect(told).toMatchObject({ changed: true });
    expect(await store.get(recording.id)).toBeNull();
    expect(await connections.command.xlen(keys.events())).toBe(4);
  });
});
