import { Redis } from 'ioredis';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

describe('the private Redis of the tests', () => {
  let server: RedisServer;
  afterEach(() => server.close());

  it.each([
    { appendonly: true, after: 'kept' },
    { appendonly: false, after: null },
  ])('with appendonly $appendonly holds $after after it was killed', async ({ appendonly, after }) => {
    server = await startRedisServer({ appendonly });
    const redis = new Redis(server.url);
    redis.on('error', () => undefined);
    await redis.set('key', 'kept');

    await server.kill();
    await server.restart();

    expect(await redis.get('key')).toBe(after);
    redis.disconnect();
  });
});
