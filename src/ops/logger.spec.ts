import { Writable } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import { readConfig } from '../config/config.schema.js';
import { Instance } from '../config/instance.js';
import { createLogger } from './logger.js';

const ENV = {
  TALLYLIGHT_ADMIN_KEY: 'the-first-admin-key',
  REDIS_URL: 'redis://:redis-password@localhost:6379',
  STORAGE_URL: 's3://bucket',
  S3_ACCESS_KEY_ID: 'id',
  S3_SECRET_ACCESS_KEY: 'the-s3-secret',
  LIVEKIT_URL: 'http://localhost:7880',
  LIVEKIT_API_KEY: 'devkey',
  LIVEKIT_API_SECRET: 'the-livekit-secret',
};

function logged(say: (logger: LoggerService) => void, env: Record<string, string> = {}): string[] {
  const lines: string[] = [];
  const to = new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) });
  const config = readConfig({ ...ENV, ...env }, { development: false, onTerminal: false });
  say(createLogger(config, new Instance('instance-1'), to));
  return lines;
}

describe('the log', () => {
  it('has one JSON line per event, with its fields', () => {
    const [line = '', more] = logged((log) =>
      log.log({ message: 'recording advanced', recordingId: 'rec_1' }, 'Recordings'),
    );
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      instance: 'instance-1',
      context: 'Recordings',
      recordingId: 'rec_1',
      msg: 'recording advanced',
    });
    expect([more, line.endsWith('\n')]).toEqual([undefined, true]);
  });

  it('keeps what is below its level, and what Nest tells of itself, to itself', () => {
    const say = (log: LoggerService): void => {
      log.debug?.('a detail', 'Rooms');
      log.log('Mapped {/health/live, GET} route', 'RouterExplorer');
    };
    expect(logged(say)).toEqual([]);
    expect(logged(say, { LOG_LEVEL: 'debug' })).toHaveLength(2);
  });

  it.each([
    ['the admin key', 'the-first-admin-key'],
    ['the password of Redis', 'redis-password'],
    ['the secret of the bucket', 'the-s3-secret'],
    ['the secret of LiveKit', 'the-livekit-secret'],
    ['a signed token', 'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJkZXZrZXkifQ.c2lnbmF0dXJl'],
    ['an API key', 'tl_0123456789abcdef'],
    ['a media token in an address', '/media?token=c2VjcmV0LXRva2Vu'],
    ['credentials in an address', 'http://user:pa55w0rd@host/'],
  ])('never shows %s, wherever it stands', (_, secret) => {
    const hidden = secret.replace('/media?token=', '').replace('http://user:', '').replace('@host/', '');
    const lines = logged((log) => {
      log.error({ message: `refused: ${secret}`, err: new Error(`it said ${secret}`) }, 'LiveKit');
      log.warn(`plain ${secret}`);
    });
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain(hidden);
    expect(lines.join('')).toContain('[hidden]');
  });

  it('has an end, whatever it is told, and is told quickly', () => {
    const long = 'http://a'.repeat(100_000);
    const deep: Record<string, unknown> = {};
    let at = deep;
    for (let level = 0; level < 10_000; level += 1) at = at.a = {};
    const broken = Object.assign(new Error(long), { response: { body: long } });
    const many = Array.from({ length: 10_000 }, () => long);
    const lines = logged(
      (log) => {
        log.debug?.({ message: long, long, deep, many, err: broken, [long]: 1 }, 'GraphQL');
        log.error(long, long, 'Nest');
        log.warn(`${'x '.repeat(1_000)}${'eyJhbGciOiJIUzI1NiJ9.'.repeat(40_000)}`);
      },
      { LOG_LEVEL: 'debug' },
    );
    expect(lines).toHaveLength(3);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(300_000);
    expect(lines.join('')).not.toContain('response');
  });

  it('shows no character that turns, hides or breaks a line', () => {
    const [line = ''] = logged((log) => log.log({ message: 'a\u202eb\u001b[31m\nc', name: 'd\u2066\r\ne' }), {
      LOG_FORMAT: 'pretty',
    });
    expect(line).toContain('a b [31m c');
    expect(line).toContain('d   e');
  });

  it('of a text that is cut never shows half of a secret', () => {
    const [line = ''] = logged((log) => log.log(`${'x'.repeat(2_036)} the-livekit-secret`));
    expect(line).not.toContain('the-');
  });

  it('can be made for a person to read', () => {
    const [line = ''] = logged(
      (log) => log.log({ message: 'recording advanced', to: 'ACTIVE' }, 'Recordings'),
      {
        LOG_FORMAT: 'pretty',
      },
    );
    expect(line).toContain('Recordings: recording advanced');
    expect(() => JSON.parse(line)).toThrow();
  });
});
