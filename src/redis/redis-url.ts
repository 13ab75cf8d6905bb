import type { RedisOptions } from 'ioredis';
import { parseUrl } from '../kernel/url.js';

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
  const sentinelUser = url.searchParams.get('sentinelUser');
  const sentinelPassword = url.searchParams.get('sentinelPassword');
  const sentinelTls = url.searchParams.get('sentinelTls');
  if (master === null) return { ...shared, ...at };
  const more = url.searchParams.getAll('at').map((text) => {
    const [host = '', port = '26379'] = text.split(':');
    return { host, port: Number(port) };
  });
  return {
    ...shared,
    name: master,
    sentinels: [at, ...more],
    ...(sentinelUser !== null && { sentinelUsername: sentinelUser }),
    ...(sentinelPassword !== null && { sentinelPassword }),
    ...(tls && { enableTLSForSentinelMode: true }),
    ...((sentinelTls === null ? tls : sentinelTls === 'true') && {
      sentinelTLS: {},
      enableTLSForSentinelMode: true,
    }),
  };
}

/** Null, or what is wrong with it, without a word of the password. */
export function redisUrlProblem(redisUrl: string): string | null {
  const url = parseUrl(redisUrl);
  if (url === null) return null;
  try {
    decodeURIComponent(`${url.username}${url.password}`);
  } catch {
    return 'has a user or password with a bare %: write %25 for it';
  }
  const cluster = url.searchParams.get('cluster');
  if (cluster !== null && cluster !== 'false') {
    return 'names a Redis Cluster, which is not supported: use one server, or Sentinel';
  }
  if (!/^\/?\d*$/.test(url.pathname))
    return 'must end in the number of a database, if in anything: redis://host:6379/0';
  return null;
}
