import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { KeptFolder } from '../../src/embedded/kept-folder.js';
import { beTheOnlyOne } from '../../src/embedded/only-one.js';
import { PrivateRedis } from '../../src/embedded/private-redis.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { StartFault } from '../../src/kernel/start-fault.js';
import { eventually } from '../support/eventually.js';
import '../support/quiet-logs.js';

const program = process.env.REDIS_SERVER ?? '/usr/bin/redis-server';
const password = 'a-password-of-the-folder';
const clock = new SystemClock();

describe('the embedded stack', () => {
  let folder = '';
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'tallylight-embedded-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  describe('its Redis', () => {
    const started: PrivateRedis[] = [];
    const clients: Redis[] = [];
    const start = async (with_ = program): Promise<PrivateRedis> => {
      const redis = await PrivateRedis.start({ program: with_, folder, password, clock });
      started.push(redis);
      return redis;
    };
    const client = (url: string): Redis => {
      const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
      redis.on('error', () => undefined);
      clients.push(redis);
      return redis;
    };
    afterEach(async () => {
      for (const one of clients.splice(0)) if (one.status !== 'end') one.disconnect();
      for (const one of started.splice(0)) await one.end();
    });

    it('has everything again on the next start', async () => {
      const first = await start();
      await client(first.url).set('key', 'kept');
      await first.end();
      const second = await start();
      expect(await client(second.url).get('key')).toBe('kept');
    });

    it('is for who knows the password alone', async () => {
      const { url } = await start();
      const stranger = client(url.replace(`:${password}@`, ''));
      await expect(stranger.ping()).rejects.toThrow(/NOAUTH/);
    });

    it('is started again, with what it had, when it is killed', async () => {
      const { url } = await start();
      const redis = client(url);
      await redis.set('key', 'kept');
      const pid = /process_id:(\d+)/.exec(await redis.info('server'))?.[1] ?? '';
      // Once a second it makes durable what was written.
      await eventually(async () => /aof_pending_bio_fsync:0/.test(await redis.info('persistence')));
      process.kill(Number(pid), 'SIGKILL');
      await eventually(async () => {
        const info = await redis.info('server');
        return (
          (!info.includes(`process_id:${pid}`) && (await redis.get('key')) === 'kept') || 'it is not back'
        );
      });
    });

    it('is never two: the server of a launcher that is gone is ended first', async () => {
      const { url, end } = await start().then((redis) => ({ url: redis.url, end: () => redis.end() }));
      await end();
      const leftover = spawn(program, ['redis.conf'], { cwd: folder, stdio: 'ignore' });
      const ended = once(leftover, 'exit');
      await client(url).set('key', 'kept');

      const next = await start();

      expect(await ended).toEqual([0, null]);
      expect(await client(next.url).get('key')).toBe('kept');
    });

    it('that does not come up ends the start with one sentence', async () => {
      const broken = join(folder, 'broken');
      await writeFile(broken, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
      await expect(start(broken)).rejects.toThrow(StartFault);
      await expect(start(broken)).rejects.toThrow(/redis\.log says why/);
    });
  });

  describe('its folder', () => {
    it('keeps a secret once made, for its owner alone', async () => {
      const kept = await KeptFolder.open(join(folder, 'kept'));
      let made = 0;
      const make = (): string => `secret-${(made += 1)}`;
      expect([await kept.keep('key', make), await kept.keep('key', make)]).toEqual(['secret-1', 'secret-1']);
      const { mode } = await stat(join(kept.path, 'key'));
      expect((mode & 0o777).toString(8)).toBe('600');
    });

    it('that can not be made ends the start with one sentence that names it', async () => {
      await writeFile(join(folder, 'in-the-way'), '');
      await expect(KeptFolder.open(join(folder, 'in-the-way'))).rejects.toThrow(
        /in-the-way can not be written \(EEXIST\)/,
      );
    });

    it('belongs to one stack at a time, however the last one ended', async () => {
      const giveUp = await beTheOnlyOne(folder);
      await expect(beTheOnlyOne(folder)).rejects.toThrow(/running in this folder already/);
      await giveUp();
      await writeFile(join(folder, 'running.sock'), 'left by a crash');
      await (
        await beTheOnlyOne(folder)
      )();
    });
  });
});
