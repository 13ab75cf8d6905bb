import type { RedisOptions } from 'ioredis';

/** `redis://user:password@host:port/db`, `rediss://…`, and `?sentinel=<master>` for Sentinel at that address (more by `&at=host:port`). */
export function connectionOptions(redisUrl: string): RedisOptions {
  const url = new URL(redisUrl);
  const master = url.searchParams.get('sentinel');
  const at = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (master === null ? 6379 : 26_379)),
  };
  const tls = url.protocol === 'rediss:' ? {} : undefined;
  const shared: RedisOptions = {
    db: Number(url.pathname.slice(1) || 0),
    ...(url.username && { username: decodeURIComponent(url.username) }),
    ...(url.password && { password: decodeURIComponent(url.password) }),
    ...(tls && { tls }),
  };
  if (master === null) return { ...shared, ...at };
  const more = url.searchParams.getAll('at').map((text) => {
    const [host = '', port = '26379'] = text.split(':');
    return { host, port: Number(port) };
  });
  return {
    ...shared,
    name: master,
    sentinels: [at, ...more],
    ...(tls && { enableTLSForSentinelMode: true }),
  };
}
