import { request as httpRequest } from 'node:http';
import { AccessToken } from 'livekit-server-sdk';
import { SystemClock } from '../../src/kernel/clock.js';
import { aConfig } from '../support/a-config.js';
import { type ToyApp, startToyApp } from '../support/toy-app.js';

const config = aConfig();
const KEY = `Bearer ${config.adminKey}`;

interface Answer {
  status: number;
  headers: Headers;
  body: {
    data?: Record<string, unknown> | null;
    errors?: { message: string; path?: string[]; extensions: Record<string, unknown> }[];
    error?: { code: string; message: string };
  };
}

describe('the GraphQL door over HTTP', () => {
  let app: ToyApp;

  beforeAll(async () => {
    app = await startToyApp(config, new SystemClock());
  });
  afterAll(() => app.stop());

  const answerOf = async (response: Response): Promise<Answer> => ({
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer['body'],
  });
  const post = async (body: string, headers: Record<string, string> = {}): Promise<Answer> =>
    answerOf(
      await fetch(app.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: KEY, ...headers },
        body,
      }),
    );
  const ask = (query: string, variables?: object): Promise<Answer> =>
    post(JSON.stringify({ query, variables }));
  const get = async (
    query: string,
    headers: Record<string, string> = { authorization: KEY },
  ): Promise<Answer> => answerOf(await fetch(`${app.url}?query=${encodeURIComponent(query)}`, { headers }));

  it('a key opens it, and resolvers know who calls', async () => {
    const { status, body } = await ask('{ me { name role } }');
    expect([status, body]).toEqual([200, { data: { me: { name: 'key:admin', role: 'ADMIN' } } }]);
  });

  it('a LiveKit token, as the SDK signs it, opens it', async () => {
    const token = new AccessToken(config.livekit.apiKey, config.livekit.apiSecret, { identity: 'alice' });
    token.addGrant({ roomJoin: true, room: 'a' });
    const { body } = await post(JSON.stringify({ query: '{ me { name role } }' }), {
      authorization: `Bearer ${await token.toJwt()}`,
    });
    expect(body).toEqual({ data: { me: { name: 'livekit:alice', role: 'VIEWER' } } });
  });

  it.each(['', 'Bearer', 'Bearer tl_of-somebody-else', 'Basic YTpi', 'Bearer a.b.c'])(
    'the credential "%s" is answered 401 at the door, and nothing is executed',
    async (authorization) => {
      const query = 'mutation { play(name: "unseen") }';
      const { status, headers, body } = await post(JSON.stringify({ query }), { authorization });
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toBe('Bearer');
      expect(body.error).toEqual({ code: 'UNAUTHENTICATED', message: expect.stringMatching(/\w+/) });
      expect(body.errors).toEqual([
        { message: body.error?.message, extensions: { code: 'UNAUTHENTICATED' } },
      ]);
      expect(body).not.toHaveProperty('data');
      expect(app.world.played).not.toContain('unseen');
    },
  );

  it('introspection takes a credential too', async () => {
    const query = '{ __schema { queryType { name } } }';
    expect(await get(query, {})).toMatchObject({ status: 401 });
    expect(await get(query)).toMatchObject({
      status: 200,
      body: { data: { __schema: { queryType: { name: 'Query' } } } },
    });
  });

  it('without a credential no body is waited for', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const unfinished = httpRequest(app.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 1_000 },
      });
      unfinished.on('response', (response) => {
        unfinished.destroy();
        resolve(response.statusCode);
      });
      unfinished.on('error', reject);
      unfinished.write('{"query":');
    });
    expect(status).toBe(401);
  });

  it('a query may come by GET, a mutation may not', async () => {
    expect(await get('{ me { name } }')).toMatchObject({
      status: 200,
      body: { data: { me: { name: 'key:admin' } } },
    });
    const { status, headers, body } = await get('mutation { play(name: "by-get") }');
    expect([status, headers.get('allow')]).toEqual([405, 'POST']);
    expect(body.errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT' });
    expect(app.world.played).not.toContain('by-get');
  });

  it("a page is not shown by a server that is not a developer's", async () => {
    const response = await fetch(app.url, { headers: { accept: 'text/html', authorization: KEY } });
    expect(response.status).toBe(406);
    expect(response.headers.get('content-type')).not.toMatch(/html/);
  });

  it.each<[string, string, Record<string, string>, number]>([
    ['no JSON', '{"query"', {}, 400],
    ['an empty object', '{}', {}, 400],
    ['a query that is no text', '{"query": 5}', {}, 400],
    ['an array, as a batch would be,', '[{"query": "{ me { name } }"}]', {}, 400],
    ['of another type', '<query/>', { 'content-type': 'application/xml' }, 415],
    ['without end', JSON.stringify({ query: `{ me { name } } #${'x'.repeat(1024 * 1024)}` }), {}, 413],
    ['of too many tokens', JSON.stringify({ query: `{ ${'me { name } '.repeat(2_000)} }` }), {}, 400],
    ['of too many brackets', JSON.stringify({ query: '{ me '.repeat(900) }), {}, 400],
    [
      'of too many aliases',
      JSON.stringify({
        query: `{ ${Array.from({ length: 101 }, (_, i) => `a${i}: me { name }`).join(' ')} }`,
      }),
      {},
      400,
    ],
    [
      'that asks for everything',
      JSON.stringify({
        query:
          '{ toys(first: 100) { nodes { toys(first: 100) { nodes { toys(first: 100) { nodes { id } } } } } } }',
      }),
      {},
      400,
    ],
  ])('a body that is %s is bad input', async (_, body, headers, status) => {
    const answer = await post(body, headers);
    expect(answer.status).toBe(status);
    expect(answer.body.errors?.map((error) => error.extensions['code'])).toEqual(['BAD_USER_INPUT']);
    expect(answer.body.errors?.[0]?.message).toMatch(/\w+ \w+/);
  });

  it('the same operation is counted with its variables each time', async () => {
    const query =
      'query($n: Int) { toys(first: $n) { nodes { toys(first: $n) { nodes { toys(first: $n) { nodes { id } } } } } } }';
    expect(await ask(query, { n: 100 })).toMatchObject({ status: 400 });
    expect((await ask(query, { n: 2 })).body.errors?.[0]?.extensions['code']).toBe('INTERNAL');
    expect(await ask(query, { n: 100 })).toMatchObject({ status: 400 });
  });

  it('scalars go in and come out', async () => {
    const query =
      'query($at: DateTime, $size: SafeInt, $labels: JSONObject) { echo(at: $at, size: $size, labels: $labels) { at atMs size labels } }';
    const { body } = await ask(query, {
      at: '2026-11-22T11:15:30.5+01:00',
      size: 9007199254740991,
      labels: { team: ['red'] },
    });
    expect(body).toEqual({
      data: {
        echo: {
          at: '2026-11-22T10:15:30.500Z',
          atMs: 1795342530500,
          size: 9007199254740991,
          labels: { team: ['red'] },
        },
      },
    });
  });

  it.each<[string, object, string]>([
    ['query($at: DateTime) { echo(at: $at) { at } }', { at: 'soon' }, 'at'],
    ['query($n: SafeInt) { echo(size: $n) { size } }', { n: -1 }, 'size'],
    ['query($labels: JSONObject) { echo(labels: $labels) { labels } }', { labels: ['a'] }, 'labels'],
    [
      'query($i: ToyInput) { echo(input: $i) { at } }',
      { i: { id: 'a', inner: { id: 'b', labels: 5 } } },
      'input.inner.labels',
    ],
    ['{ echo(input: {id: "a", labels: {a: b}}) { at } }', {}, 'input.labels.a'],
  ])('%s with %j is bad input of the field %s', async (query, variables, field) => {
    const { status, body } = await ask(query, variables);
    expect(status).toBe(400);
    expect(body.errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', field });
  });

  it('the schema says what its scalars are', async () => {
    const { body } = await ask('{ __type(name: "SafeInt") { description } }');
    expect(body.data?.['__type']).toEqual({ description: expect.stringContaining('0 to 2^53-1') });
  });

  it('a refusal of ours is an error beside the data, 200, with its code and what it is about', async () => {
    const { status, body } = await ask('{ me { name } broken(how: "refused") }');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      data: { me: { name: 'key:admin' }, broken: null },
      errors: [
        {
          message: 'room "a" is not open',
          path: ['broken'],
          extensions: { code: 'ROOM_NOT_OPEN', roomId: 'a' },
        },
      ],
    });
    expect(JSON.stringify(body)).not.toMatch(/secret/);
  });

  it.each(['{ broken(how: "out of the blue") }', '{ badlyShown }', '{ unknownKind }'])(
    'a fault of ours (%s) is INTERNAL for the client, and one line with its cause in the log',
    async (query) => {
      const before = app.lines.length;
      const { status, body } = await ask(query);
      expect(status).toBe(200);
      expect(body.errors?.[0]?.extensions).toEqual({ code: 'INTERNAL' });
      expect(JSON.stringify(body)).not.toMatch(/srv|secret|blue|TRAIN|instant/);
      const lines = app.lines.slice(before);
      expect(lines).toEqual([
        { level: 'error', event: expect.objectContaining({ code: 'INTERNAL', err: expect.any(Error) }) },
      ]);
    },
  );
});

describe('a server that stops', () => {
  it('answers GraphQL until requests under way have had their time', async () => {
    const app = await startToyApp(config, new SystemClock());
    let status: number | null = null;
    app.world.atLastCall = async () => {
      const url = `${app.url}?query=${encodeURIComponent('{ me { name } }')}`;
      status = (await fetch(url, { headers: { authorization: KEY } })).status;
    };
    await app.stop();
    expect(status).toBe(200);
    await expect(fetch(app.url)).rejects.toThrow('fetch failed');
  });
});
