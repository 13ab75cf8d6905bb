import type { RedisOptions } from 'ioredis';
import { parseUrl } from '../kernel/url.js';

/** Some nodes of a Redis Cluster, of which the others are learnt. */
export interface ClusterNodes {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly tls: boolean;
}

/** Of `?cluster=true` at that address (more by `&at=host:port`); null: no cluster. */
export function clusterNodes(redisUrl: string): ClusterNodes | null {
  const url = new URL(redisUrl);
  if (url.searchParams.get('cluster') !== 'true') return null;
  return { nodes: addressesOf(url, 6379), tls: url.protocol === 'rediss:' };
}

/** `redis://user:password@host:port/db`, `rediss://…`, and `?sentinel=<master>` for Sentinel at that address (more by `&at=host:port`). */
export function connectionOptions(redisUrl: string): RedisOptions {
  const url = new URL(redisUrl);
  const master = url.searchParams.get('sentinel');
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
  if (master === null) return { ...shared, ...addressesOf(url, 6379)[0] };
  return {
    ...shared,
    name: master,
    sentinels: addressesOf(url, 26_379),
    ...(sentinelUser !== null && { sentinelUsername: sentinelUser }),
    ...(sentinelPassword !== null && { sentinelPassword }),
    ...(tls && { enableTLSForSentinelMode: true }),
    ...((sentinelTls === null ? tls : sentinelTls === 'true') && {
      sentinelTLS: {},
      enableTLSForSentinelMode: true,
    }),
  };
}

function addressesOf(url: URL, defaultPort: number): { host: string; port: number }[] {
  const first = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || defaultPort) };
  const more = url.searchParams.getAll('at').map((text) => {
    const [host = '', port = defaultPort] = text.split(':');
    return { host, port: Number(port) };
  });
  return [first, ...more];
}

const PARAMETERS = new Set([
  ...['sentinel', 'sentinelUser', 'sentinelPassword', 'sentinelTls', 'cluster', 'at'],
]);
const ADDRESS = /^[^:]+(?::\d{1,5})?$/;

/** Null, or what is wrong with it, without a word of the password. */
export function redisUrlProblem(redisUrl: string): string | null {
  const url = parseUrl(redisUrl);
  if (url === null) return null;
  try {
    decodeURIComponent(`${url.username}${url.password}`);
  } catch {
    return 'has a user or password with a bare %: write %25 for it';
  }
  if (url.hash !== '' || [...url.searchParams.keys()].some((name) => !PARAMETERS.has(name))) {
    return `has more than ${[...PARAMETERS].join(', ')} after its ? or #: in a password write %3F for ? and %23 for #`;
  }
  if (!url.searchParams.getAll('at').every((at) => ADDRESS.test(at)))
    return 'has an at= that is no host:port';
  const cluster = url.searchParams.get('cluster');
  if (cluster !== null && !['true', 'false'].includes(cluster)) return 'has cluster= neither true nor false';
  if (!/^\/?\d*$/.test(url.pathname))
    return 'must end in the number of a database, if in anything: redis://host:6379/0';
  if (cluster !== 'true') return null;
  if (url.searchParams.has('sentinel')) return 'names a cluster and Sentinels: name one of them';
  return Number(url.pathname.slice(1)) === 0
    ? null
    : 'names a database of a cluster, which has database 0 alone';
}
