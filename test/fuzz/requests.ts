import fc from 'fast-check';
import type { HttpRequest } from './exchange.js';
import { anyText, bent } from './values.js';
import type { Facts } from './world.js';

type Header = readonly [string, string];

/** Credentials as they are, bent, or anything. */
export function anyCredential(facts: Facts): fc.Arbitrary<string> {
  const real = fc.constantFrom(...Object.values(facts.credentials));
  return fc.oneof(
    { weight: 8, arbitrary: real },
    { weight: 1, arbitrary: bent(real) },
    {
      weight: 1,
      arbitrary: fc.oneof(
        inHeader(anyText(facts)).map((text) => `Bearer ${text}`),
        fc.constantFrom(
          '',
          'Bearer',
          'Basic Og==',
          `Bearer ${' '.repeat(7_000)}`,
          `Basic ${'A'.repeat(5_000)}`,
        ),
        fc.constantFrom('Bearer a.b.c', 'Bearer eyJhbGciOiJub25lIn0.e30.', `Bearer ${'.'.repeat(8_000)}`),
      ),
    },
  );
}

/** Line ends would begin the next header, which is for the paths to try. */
function inHeader(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return text.map((one) => one.replace(/[\r\n\0]/g, ' ').slice(0, 9_000));
}

const RANGES = [
  ...[
    'bytes=0-0',
    'bytes=0-',
    'bytes=-1',
    'bytes=-0',
    'bytes=5-2',
    'bytes=0-1,3-4',
    'bytes=99999999999999999999-',
  ],
  ...[
    'bytes=-99999999999999999999',
    'bytes=a-b',
    'bytes',
    'bytes=',
    'items=0-1',
    'bytes=0-9007199254740993',
    'bytes= 1-2',
  ],
  `bytes=${'0-0,'.repeat(2_000)}0-0`,
];

function anyRange(bytes: number): fc.Arbitrary<string> {
  const at = fc.oneof(fc.nat(bytes), fc.constantFrom(bytes - 1, bytes, bytes + 1));
  return fc.oneof(
    fc.tuple(at, at).map(([first, last]) => `bytes=${first}-${last}`),
    at.map((first) => `bytes=${first}-`),
    at.map((length) => `bytes=-${length}`),
    fc.constantFrom(...RANGES),
  );
}

function anyHeaders(facts: Facts): fc.Arbitrary<Header[]> {
  const text = inHeader(anyText(facts));
  const etag = fc.oneof(
    text.map((one) => `"${one}"`),
    text,
    fc.constantFrom('*', 'W/"a"', '"a", "b"', '"'.repeat(3_000)),
  );
  const date = fc.oneof(
    fc.date({ noInvalidDate: true }).map((one) => one.toUTCString()),
    text,
    fc.constantFrom('0', 'Thu, 01 Jan 1970 00:00:00 GMT'),
  );
  const named = (name: string, value: fc.Arbitrary<string>): fc.Arbitrary<Header> =>
    value.map((one) => [name, one] as const);
  const one = fc.oneof(
    { weight: 4, arbitrary: named('Range', anyRange(facts.mediaBytes)) },
    named('If-Range', fc.oneof(etag, date)),
    named('If-None-Match', etag),
    named('If-Match', etag),
    named('If-Modified-Since', date),
    named('If-Unmodified-Since', date),
    named('Accept', fc.oneof(fc.constantFrom('text/html', '*/*', ','.repeat(4_000)), text)),
    named('Accept-Encoding', fc.oneof(fc.constantFrom('gzip', 'identity;q=0', '*;q=0'), text)),
    named(
      'Content-Type',
      fc.oneof(
        fc.constantFrom('application/json', 'application/webhook+json', 'text/plain', 'multipart/form-data'),
        text,
      ),
    ),
    named('X-Forwarded-For', text),
    named('X-Forwarded-Host', text),
    named('Host', text),
    named('Origin', text),
    named('Cookie', text),
    named('Expect', fc.constantFrom('100-continue', 'x')),
    named('Upgrade', fc.constantFrom('websocket', 'h2c')),
    named('Transfer-Encoding', fc.constantFrom('chunked', 'gzip', 'chunked, chunked')),
    named('Content-Length', fc.constantFrom('0', '5', '-1', '99999999999', 'a', '1, 2')),
    named('Sec-Fetch-Site', fc.constantFrom('cross-site', 'same-origin', 'x')),
    fc.tuple(
      text.map((name) => name.slice(0, 200)),
      text,
    ),
  );
  return fc.array(one, { maxLength: 5 });
}

const PLACES = [
  ...['/', '/graphql', '/health/live', '/health/ready', '/metrics', '/favicon.svg', '/livekit/webhook'],
  ...[
    '/recordings/archive',
    '/admin/queues',
    '/admin/queues/',
    '/admin/queues/api/queues',
    '/assets/x.js',
    '/s/x',
    '/s/x/media',
  ],
  ...[
    '/admin/queues/api/queues/timers/none',
    '/admin/queues/api/queues/none',
    '/admin/queues/api/queues?page=-1&jobsPerPage=1e9',
  ],
];

/** Any path, with anything in its places, and the answers to any conditions. */
export function anyRequest(facts: Facts): fc.Arbitrary<HttpRequest> {
  const part = fc.oneof(
    anyText(facts).map((text) => encoded(text)),
    anyText(facts).map((text) => text.replace(/[ \r\n\0]/g, '+').slice(0, 3_000)),
  );
  const ids = fc.array(part, { maxLength: 110 }).map((all) => `/recordings/archive?ids=${all.join(',')}`);
  const path = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...facts.mediaPaths) },
    {
      weight: 3,
      arbitrary: bent(fc.constantFrom(...facts.mediaPaths)).map((one) => one.replace(/[ \r\n\0]/g, '')),
    },
    { weight: 2, arbitrary: fc.constantFrom(...PLACES) },
    {
      weight: 2,
      arbitrary: part.chain((id) =>
        fc.constantFrom(
          `/recordings/${id}/media`,
          `/recordings/${id}/live.m3u8`,
          `/recordings/a/segments/${id}`,
          `/recordings/a/media?token=${id}`,
          `/s/${id}`,
          `/s/${id}/media`,
          `/assets/${id}`,
          `/admin/queues/api/queues/${id}`,
          `/admin/queues/static/${id}`,
          `/graphql?query=${id}`,
          `/${id}`,
        ),
      ),
    },
    { weight: 1, arbitrary: ids },
    { weight: 1, arbitrary: part.map((one) => one) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...PLACES), part)
        .map(([place, query]) => `${place}?${query}=${query}&ids[]=1&ids=2&token=a&token=b`),
    },
  );
  return fc.record({
    method: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('GET', 'HEAD') },
      fc.constantFrom('POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'get', 'PROPFIND', 'X'),
    ),
    path,
    headers: withCredential(anyHeaders(facts), facts),
  });
}

const HALVES = /\p{Cs}/gu;

function encoded(text: string): string {
  return encodeURIComponent(text.replace(HALVES, '?')).slice(0, 12_000);
}

function withCredential(headers: fc.Arbitrary<Header[]>, facts: Facts): fc.Arbitrary<Header[]> {
  return fc
    .tuple(headers, fc.option(anyCredential(facts), { freq: 6 }))
    .map(([all, credential]) =>
      credential === null ? all : [...all, ['Authorization', credential] as const],
    );
}

/** A body for GraphQL's path that is no operation, of any type. */
export function anyGraphqlBody(facts: Facts): fc.Arbitrary<HttpRequest> {
  const body = fc.oneof(
    anyText(facts),
    fc.json({ maxDepth: 4 }),
    fc.constantFrom(
      'null',
      '[]',
      '[{"query":"{viewer{name}}"}]',
      '{"query":5}',
      '{"query":"{viewer{name}}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}',
    ),
    fc.constantFrom(
      `${'['.repeat(50_000)}`,
      `{"query":"{viewer{name}}","variables":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`,
      `{"query":"${'x'.repeat(270_000)}"}`,
    ),
    fc.constantFrom(
      '{"query":"{viewer{name}}","query":"{a}"}',
      '{"__proto__":{"query":"{viewer{name}}"}}',
      '\ufeff{}',
      '{"query":"{viewer{name}}"}garbage',
    ),
  );
  const type = fc.oneof(
    { weight: 6, arbitrary: fc.constant('application/json') },
    inHeader(anyText(facts)),
    fc.constantFrom('application/json; charset=utf-16', 'text/plain', 'application/x-www-form-urlencoded'),
  );
  return fc.record({
    method: fc.constant('POST'),
    path: fc.constant('/graphql'),
    headers: fc
      .tuple(type, anyCredential(facts))
      .map(([one, credential]) => [['Content-Type', one] as const, ['Authorization', credential] as const]),
    body,
  });
}
