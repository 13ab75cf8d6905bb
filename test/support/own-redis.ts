import { RedisConnections } from '../../src/redis/redis.connections.js';
import { aConfig } from './a-config.js';
import { type RedisServer, startRedisServer } from './redis-server.js';

/** A Redis server for the tests of one describe block alone, with the product's connections to it: there once they run. */
export function ownRedis(): { readonly connections: RedisConnections } {
  let server: RedisServer;
  let connections: RedisConnections;
  beforeAll(async () => {
    server = await startRedisServer();
    connections = new RedisConnections(aConfig({ REDIS_URL: server.url }));
  });
  afterAll(async () => {
    connections?.onApplicationShutdown();
    await server?.close();
  });
  return {
    get connections() {
      return connections;
    },
  };
}
