import { clusterNodes, connectionOptions, redisUrlProblem } from './redis-url.js';

describe('REDIS_URL', () => {
  it('names one server, with a user, any password and a database', () => {
    const url = 'rediss://app:p%25w%40rd@redis.example.org:6380/2';
    expect(redisUrlProblem(url)).toBeNull();
    expect(connectionOptions(url)).toEqual({
      ...{ host: 'redis.example.org', port: 6380, db: 2, username: 'app', password: 'p%w@rd', tls: {} },
    });
    expect(clusterNodes(url)).toBeNull();
  });

  it('names Sentinels with credentials of their own', () => {
    const url =
      'redis://:pw@a/?sentinel=main&at=b:5000&sentinelUser=s&sentinelPassword=x%2Fy&sentinelTls=true';
    expect(redisUrlProblem(url)).toBeNull();
    expect(connectionOptions(url)).toMatchObject({
      name: 'main',
      password: 'pw',
      sentinels: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 5_000 },
      ],
      sentinelUsername: 's',
      sentinelPassword: 'x/y',
      enableTLSForSentinelMode: true,
    });
  });

  it('names some nodes of a cluster', () => {
    const url = 'rediss://app:pw@[::1]/?cluster=true&at=b:7001&at=c';
    expect(redisUrlProblem(url)).toBeNull();
    expect(clusterNodes(url)).toEqual({
      nodes: [
        { host: '::1', port: 6_379 },
        { host: 'b', port: 7_001 },
        { host: 'c', port: 6_379 },
      ],
      tls: true,
    });
    expect(clusterNodes('redis://a/?cluster=false')).toBeNull();
  });

  it.each([
    ['redis://:a%b@host', /bare %/],
    ['redis://app:1#2@host', /write %3F for \? and %23 for #/],
    ['redis://app:1?2@host', /write %3F for \? and %23 for #/],
    ['redis://app:1/2@host', /number of a database/],
    ['redis://host/?sentinel=main&at=b:x', /no host:port/],
    ['redis://host/zero', /number of a database/],
    ['redis://host/?cluster=yes', /neither true nor false/],
    ['redis://host/1?cluster=true', /database 0 alone/],
    ['redis://host/?cluster=true&sentinel=main', /name one of them/],
  ])('%s has a fault that is told in one sentence', (url, problem) => {
    expect(redisUrlProblem(url)).toMatch(problem);
  });
});
