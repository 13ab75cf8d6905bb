import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { redisFailure } from '../../src/redis/redis-failure.js';
import { RedisCondition } from '../../src/redis/redis-condition.js';
import { keys } from '../../src/redis/keys.js';
import { RedisEventLog } from '../../src/recordings/events/redis-event-log.js';
import { AgreedClock, SystemClock } from '../../src/kernel/clock.js';
import { AgreedTime } from '../../src/redis/agreed-time.js';
import { aConfig } from '../support/a-config.js';
import { startCuttableProxy } from '../support/cuttable-proxy.js';
import { eventually } from '../support/eventually.js';
import { startSentinel } from '../support/redis-sentinel.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

describe('Redis as it really is', () => {
  let server: RedisServer;
  let admin: Redis;
  const connected: RedisConnections[] = [];

  const connect = (url: string): RedisConnections => {
    const connections = new RedisConnections(aConfig({ REDIS_URL: url }));
    connected.push(connections);
    return connections;
  };
  const refusalOf = async (work: Promise<unknown>): Promise<unknown> => work.then(() => null, redisFailure);

  beforeEach(async () => {
    server = await startRedisServer();
    admin = new Redis(server.url);
    admin.on('error', () => undefined);
  });
  afterEach(async () => {
    for (const connections of connected.splice(0)) connections.onApplicationShutdown();
    admin.disconnect();
    await server.close();
  });

  it('says that it is full, of a command, a transaction and a script', async () => {
    const { command } = connect(server.url);
    await admin.config('SET', 'maxmemory', '1mb');
    const full = { code: 'REDIS_UNAVAILABLE', message: expect.stringContaining('maxmemory') };
    expect(await refusalOf(command.set('a', 'b'))).toMatchObject(full);
    expect(await refusalOf(command.multi().set('a', 'b').exec())).toMatchObject(full);
    expect(await refusalOf(command.eval("return redis.call('SET', KEYS[1], 'b')", 1, 'a'))).toMatchObject(
      full,
    );
    expect(await command.get('a')).toBeNull();
  });

  it('says that it has too few replicas', async () => {
    const { command } = connect(server.url);
    await admin.config('SET', 'min-replicas-to-write', '1');
    const few = { code: 'REDIS_UNAVAILABLE', message: expect.stringContaining('too few replicas') };
    expect(await refusalOf(command.set('a', 'b'))).toMatchObject(few);
    expect(await refusalOf(command.multi().set('a', 'b').exec())).toMatchObject(few);
    expect(await command.get('a')).toBeNull();
  });

  it('says that a script keeps it busy, and answers when that is over', async () => {
    const { command } = connect(server.url);
    await command.set('a', 'b');
    await admin.config('SET', 'busy-reply-threshold', '10');
    const endless = new Redis(server.url);
    const killed = endless.eval('while true do end', 0).catch((error: Error) => error.message);
    const busy = {
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining('script that takes too long'),
    };
    await eventually(async () => (await refusalOf(command.get('a'))) !== null || 'it is not busy yet');
    expect(await refusalOf(command.get('a'))).toMatchObject(busy);
    await admin.script('KILL');
    expect(await killed).toMatch(/killed/i);
    endless.disconnect();
    expect(await command.get('a')).toBe('b');
  });

  it('a bug in a script is no outage', async () => {
    const { command } = connect(server.url);
    const bug = await refusalOf(command.eval('nothing = 1', 0));
    expect(bug).toBeInstanceOf(Error);
    expect(bug).not.toHaveProperty('code', 'REDIS_UNAVAILABLE');
  });

  it('a user limited to other keys is told so', async () => {
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~other:*', '+@all');
    const { command } = connect(server.url.replace('//', '//app:pw@'));
    const limited = { code: 'REDIS_UNAVAILABLE', message: expect.stringContaining('user') };
    expect(await refusalOf(command.get(keys.epoch()))).toMatchObject(limited);
    expect(await refusalOf(command.multi().get(keys.epoch()).exec())).toMatchObject(limited);
  });

  it('works for a user who may not ask for INFO', async () => {
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '&*', '+@all', '-info');
    const { command } = connect(server.url.replace('//', '//app:pw@'));
    expect(await command.set('a', 'b')).toBe('OK');
    expect(await command.info()).toContain('redis_version');
  });

  it('a master that is demoted in place is left for the new one', async () => {
    const other = await startRedisServer();
    const proxy = await startCuttableProxy(server.url);
    const { command } = connect(proxy.url.replace('http', 'redis'));
    try {
      expect(await command.set('a', '1')).toBe('OK');
      await admin.replicaof('127.0.0.1', String(other.port));
      proxy.join(other.url);
      await eventually(
        async () =>
          (await command.set('a', '2').catch((error: Error) => error.message)) === 'OK' || 'not left',
      );
    } finally {
      command.disconnect();
      await proxy.close();
      await other.close();
    }
  });

  it('is found by Sentinels that ask for a password of their own', async () => {
    const sentinel = await startSentinel(server, 'of-the-sentinels');
    try {
      const { command } = connect(
        `redis://127.0.0.1:${sentinel.port}/?sentinel=main&sentinelPassword=of-the-sentinels`,
      );
      expect(await command.set('a', 'b')).toBe('OK');
      expect(await admin.get('a')).toBe('b');
    } finally {
      for (const connections of connected) connections.onApplicationShutdown();
      await sentinel.close();
    }
  });

  it('gives the time to a host whose clock is off, which is told once', async () => {
    const told: unknown[] = [];
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation((line) => void told.push(line));
    const real = Date.now.bind(Date);
    const local = jest.spyOn(Date, 'now').mockImplementation(() => real() + 90_000);
    const clock = new AgreedClock();
    const time = new AgreedTime(connect(server.url), clock);
    try {
      await time.onModuleInit();
      await time.onModuleInit();
      const [seconds] = await admin.time();
      expect(Math.abs(clock.now() - Number(seconds) * 1_000)).toBeLessThan(60_000);
      expect(told).toEqual([
        expect.objectContaining({
          event: 'clock_skew',
          message: expect.stringMatching(/^the clock of this host is (89|90)\d{3} ms ahead of that of Redis/),
        }),
      ]);
    } finally {
      local.mockRestore();
      warn.mockRestore();
    }
  });

  describe('how Redis itself is', () => {
    const lookAt = async (url: string): Promise<RedisCondition> => {
      const condition = new RedisCondition(connect(url));
      await condition.look();
      return condition;
    };

    it('is told where all is well', async () => {
      const condition = await lookAt(server.url);
      expect(condition.problems).toEqual({ redis_memory: null, redis_settings: null });
      expect(condition.words).toMatch(/^takes writes; master; \d+\.\d MiB used; noeviction$/);
    });

    it('is told before it is full, and with what it would evict', async () => {
      await admin.set('a', Buffer.alloc(2 ** 24 - 64, 'x'));
      await admin.config('SET', 'maxmemory-policy', 'volatile-lru');
      let problems: RedisCondition['problems'] = {};
      // Of what Redis uses some is what it has just read, and given back a moment later.
      await eventually(async () => {
        const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
        await admin.config('SET', 'maxmemory', String(Math.round(used / 0.95)));
        ({ problems } = await lookAt(server.url));
        const told = String(problems.redis_memory);
        return /^Redis is 9\d % full .*of \d+\.\d MiB\): raise maxmemory/.test(told) || told;
      });
      expect(problems.redis_settings).toMatch(/volatile-lru\): set it to noeviction/);
    });

    it('is done without where the user may not ask for it, and that is told', async () => {
      await admin.call(
        'ACL',
        'SETUSER',
        'app',
        'on',
        '>pw',
        '~*',
        '&*',
        '+@all',
        '-info',
        '-config',
        '-client',
      );
      const condition = await lookAt(server.url.replace('//', '//app:pw@'));
      expect(condition.problems).toEqual({});
      expect(condition.words).toContain('+info');
    });
  });

  it('names the command that a user may not run', async () => {
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '&*', '+@all', '-zadd');
    const { command } = connect(server.url.replace('//', '//app:pw@'));
    const limited = (what: RegExp) => ({ code: 'REDIS_UNAVAILABLE', message: expect.stringMatching(what) });
    expect(await refusalOf(command.zadd('a', 1, 'b'))).toMatchObject(limited(/user may not run ZADD\./));
    // Some versions of Redis name no command of a script.
    const inScript = command.eval("return redis.call('ZADD', KEYS[1], 1, 'b')", 1, 'a');
    expect(await refusalOf(inScript)).toMatchObject(limited(/user may not run (ZADD|a command)/));
  });

  describe('the event log', () => {
    const addEvents = async (count: number): Promise<void> => {
      const pipeline = admin.pipeline();
      for (let i = 0; i < count; i++) {
        pipeline.xadd(keys.events(), '*', 'event', JSON.stringify({ type: 'REQUESTED', at: i }));
      }
      await pipeline.exec();
    };
    const open = (): RedisEventLog =>
      new RedisEventLog(connect(server.url), aConfig({ REDIS_URL: server.url }), new SystemClock());
    const nextAfter = async (log: RedisEventLog): Promise<unknown> => {
      const over = new AbortController();
      const events = log.follow(await log.end(), over.signal)[Symbol.asyncIterator]();
      const told: unknown[] = [];
      void events.next().then(({ value }) => told.push(value));
      await admin.xadd(keys.events(), '*', 'event', JSON.stringify({ type: 'REQUESTED', at: -1 }));
      log.wake();
      await eventually(() => told.length > 0 || 'it waits for another wake-up');
      over.abort();
      return told[0];
    };

    beforeEach(() => admin.set(keys.epoch(), 'epoch'));

    it('that was emptied can be followed from its end', async () => {
      await addEvents(3);
      await admin.xtrim(keys.events(), 'MAXLEN', 0);
      const last = (await admin.call('XINFO', 'STREAM', keys.events())) as unknown[];
      const id = last[last.indexOf('last-generated-id') + 1] as string;
      await admin.set(keys.eventsFloor(), id);
      const log = open();
      expect(await log.end()).toEqual({ epoch: 'epoch', id });
      await expect(log.check(await log.end())).resolves.toBeUndefined();
      expect(await nextAfter(log)).toMatchObject({ at: -1 });
    });

    it.each([600, 6_000])('gives the next event at once after %d that nobody read', async (unread) => {
      const log = open();
      expect(await nextAfter(log)).toMatchObject({ at: -1 });
      await addEvents(unread);
      expect(await nextAfter(log)).toMatchObject({ at: -1 });
    });
  });
});
