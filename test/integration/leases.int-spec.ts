import { Instance } from '../../src/config/instance.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { LeaseKeeper, LeaseLost } from '../../src/locks/lease-keeper.js';
import { RedisLeases } from '../../src/locks/leases.js';
import { keys } from '../../src/redis/keys.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { Script } from '../../src/redis/script.js';
import { aConfig } from '../support/a-config.js';
import { eventually } from '../support/eventually.js';
import '../support/quiet-logs.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

describe('leases', () => {
  let server: RedisServer;
  const opened: RedisConnections[] = [];
  const connect = (): RedisConnections => {
    const connections = new RedisConnections(aConfig({ REDIS_URL: server.url }));
    opened.push(connections);
    return connections;
  };
  let connections: RedisConnections;
  let leases: RedisLeases;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  beforeEach(async () => {
    connections = connect();
    leases = new RedisLeases(connections);
    await connections.command.flushall();
  });
  afterEach(async () => {
    await server.restart();
    await eventually(async () => (await connections.command.ping()) === 'PONG' || 'not connected again');
    for (const each of opened.splice(0)) each.onApplicationShutdown();
  });
  afterAll(() => server.close());

  const askFor = (name: string, owner = 'a', ttlMs = 10_000) => leases.acquire(name, { owner, ttlMs });
  const acquire = async (name: string, owner = 'a', ttlMs = 10_000) => {
    const lease = await askFor(name, owner, ttlMs);
    if (lease === null) throw new Error(`${name} is held`);
    return lease;
  };

  it('one of many that ask at once over many connections gets the lease, and its token is the one that counts', async () => {
    const askers = Array.from({ length: 5 }, () => new RedisLeases(connect()));
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          askers[i % 5]!.acquire(`race-${round}`, { owner: `asker-${i}`, ttlMs: 10_000 }),
        ),
      );
      const winners = answers.filter((lease) => lease !== null);
      expect(winners).toHaveLength(1);
      expect((await leases.list()).find((l) => l.name === `race-${round}`)).toMatchObject(winners[0]!);
    }
  });

  it('a lease that ran out is free for another, and its former holder can neither renew nor release it', async () => {
    const old = await acquire('sweep', 'a', 50);
    await eventually(async () => (await askFor('sweep', 'b')) !== null || 'still held');
    expect(await leases.renew(old, 10_000)).toBeNull();
    expect(await leases.release(old)).toBe(false);
    expect((await leases.list()).map((l) => l.owner)).toEqual(['b']);
  });

  it('a renewed lease outlives its first end and keeps its beginning', async () => {
    const lease = await acquire('sweep', 'a', 300);
    const renewed = await leases.renew(lease, 60_000);
    expect(renewed).toMatchObject({ sinceMs: lease.sinceMs, token: lease.token });
    expect(renewed!.untilMs).toBeGreaterThan(lease.untilMs + 50_000);
    await eventually(
      async () => ((await leases.list())[0]?.ageMs ?? 0) > 400 || 'not yet older than its first length',
    );
    expect(await askFor('sweep', 'b')).toBeNull();
  });

  it('a released lease is free at once and cannot be released twice', async () => {
    const lease = await acquire('sweep');
    expect(await leases.release(lease)).toBe(true);
    expect(await leases.release(lease)).toBe(false);
    expect(await leases.list()).toEqual([]);
    expect(await askFor('sweep', 'b')).not.toBeNull();
  });

  it('the list shows the oldest first with age and owner, and forgets what ran out', async () => {
    await acquire('first', 'a');
    await eventually(async () => (await leases.list())[0]!.ageMs > 20 || 'too young');
    await acquire('second', 'b');
    await acquire('brief', 'c', 30);
    await eventually(async () => (await leases.list()).length === 2 || 'the brief one is still listed');
    const [first, second] = await leases.list();
    expect([first!.name, second!.name]).toEqual(['first', 'second']);
    expect(first!.ageMs).toBeGreaterThan(20);
    expect(second!.owner).toBe('b');
    expect(await connections.command.zcard(keys.leases())).toBe(2);
  });

  it('an acquisition that is sent again because its answer was lost is the same lease', async () => {
    const script = new Script('src/locks/acquire-lease.lua');
    const send = () =>
      script.run(
        connections.command,
        [keys.lease('sweep'), keys.leases()],
        ['sweep', 'a', 'token-1', 10_000],
      ) as Promise<[number, number]>;
    const [since] = await send();
    const [sinceAgain] = await send();
    expect(sinceAgain).toBe(since);
    expect(await askFor('sweep', 'b')).toBeNull();
    const ttl = await connections.command.pttl(keys.lease('sweep'));
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(10_000);
  });

  it('a Redis that is away is an error, never a "held by another"', async () => {
    const lease = await acquire('sweep');
    await server.kill();
    const away = { code: 'REDIS_UNAVAILABLE' };
    await expect(askFor('other')).rejects.toMatchObject(away);
    await expect(leases.renew(lease, 1_000)).rejects.toMatchObject(away);
    await expect(leases.release(lease)).rejects.toMatchObject(away);
    await expect(leases.list()).rejects.toMatchObject(away);
  });

  describe('work under a lease', () => {
    const clock = new SystemClock();
    const keeper = (owner: string) => new LeaseKeeper(leases, clock, new Instance(owner));

    it('goes on for longer than the lease alone would last, with nobody else at it', async () => {
      const outcome = await keeper('a').withLease('work', 150, async (signal) => {
        await clock.sleep(600);
        return { lost: signal.aborted, intruder: await askFor('work', 'b') };
      });
      expect(outcome).toEqual({ ran: true, result: { lost: false, intruder: null } });
      expect(await leases.list()).toEqual([]);
    });

    it('of many instances, one is at it at a time', async () => {
      let now = 0;
      let most = 0;
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          keeper(`i-${i}`).withLease('work', 1_000, async () => {
            most = Math.max(most, (now += 1));
            await clock.sleep(50);
            now -= 1;
          }),
        ),
      );
      expect(most).toBe(1);
      expect(outcomes.filter((o) => o.ran).length).toBeGreaterThanOrEqual(1);
    });

    it('frees the lease when the work fails, and the failure is the caller’s', async () => {
      const failing = keeper('a').withLease('work', 1_000, () => Promise.reject(new Error('broken')));
      await expect(failing).rejects.toThrow('broken');
      expect(await leases.list()).toEqual([]);
    });

    it('is told when another took the lease', async () => {
      const work = keeper('a').withLease('work', 300, async (signal) => {
        await connections.command.del(keys.lease('work'));
        await acquire('work', 'b');
        await clock.sleep(10_000, signal);
      });
      await expect(work).rejects.toBeInstanceOf(LeaseLost);
      expect((await leases.list()).map((l) => l.owner)).toEqual(['b']);
    });

    it('is told when Redis stays away for as long as the lease lasts', async () => {
      const work = keeper('a').withLease('work', 300, async (signal) => {
        await server.kill();
        await clock.sleep(10_000, signal);
      });
      await expect(work).rejects.toBeInstanceOf(LeaseLost);
    });
  });
});
