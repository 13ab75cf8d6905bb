import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';

const APP = 'https://app.example.org';

describe('the edge', () => {
  let stack: TestStack;
  let instance: TestInstance;
  beforeAll(async () => {
    stack = await startStack({ CORS_ORIGINS: `${APP}, https://other.example.org`, QUEUES_UI: 'off' });
    instance = await stack.start();
  });
  afterAll(() => stack.close());

  const preflight = (origin: string, path = '/graphql', url = instance.url): Promise<Response> =>
    fetch(`${url}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });

  it('lets pages of the named origins call, and no others', async () => {
    for (const path of ['/graphql', '/recordings/rec_1/media']) {
      const allowed = await preflight(APP, path);
      expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, APP]);
      expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization');
      expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
      for (const origin of ['https://evil.example.org', `${APP}.evil.org`, 'null']) {
        expect((await preflight(origin, path)).headers.get('access-control-allow-origin')).toBeNull();
      }
    }
    const answer = await fetch(`${instance.url}/graphql?query=${encodeURIComponent('{ viewer { name } }')}`, {
      headers: { origin: APP, authorization: `Bearer ${ADMIN_KEY}` },
    });
    expect(answer.headers.get('access-control-allow-origin')).toBe(APP);
  });

  it('says that nothing is at a path, to a browser only where the path is a contract of its own', async () => {
    const get = (path: string, accept: string) => fetch(`${instance.url}${path}`, { headers: { accept } });
    for (const [path, accept] of [
      ['/no/such/path', 'application/json'],
      ['/no/such/path', '*/*'],
      ['/recordings/', 'text/html'],
      ['/assets/none.js', 'text/html'],
      ['/admin/queues', 'text/html'],
      ['/graphql/', 'text/html'],
      ['/health/none', 'text/html'],
    ] as const) {
      const answer = await get(path, accept);
      expect([path, answer.status, await answer.json()]).toEqual([
        path,
        404,
        { error: { code: 'NOT_FOUND', message: expect.any(String) } },
      ]);
    }
    const [page, elsewhere] = await Promise.all([get('/', 'text/html'), get('/rooms/daily', 'text/html')]);
    // It finds its parts from wherever it is shown.
    const shown = (await elsewhere.text()).replace('<base href="../" />', '\n    ');
    expect([elsewhere.status, shown.replaceAll(/\s+/g, ' ')]).toEqual([
      page.status,
      (await page.text()).replaceAll(/\s+/g, ' '),
    ]);
    const posted = await fetch(`${instance.url}/no/such/path`, { method: 'POST' });
    expect([posted.status, await posted.json()]).toMatchObject([404, { error: { code: 'NOT_FOUND' } }]);
  });

  it('takes GraphQL as JSON and nothing else', async () => {
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
    ]) {
      const answer = await fetch(`${instance.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': type },
        body: 'query={viewer{name}}',
      });
      expect([type, answer.status, await answer.json()]).toMatchObject([
        type,
        415,
        { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] },
      ]);
    }
  });

  it('never repeats an id that is longer than any', async () => {
    const long = 'x'.repeat(100_000);
    for (const query of [
      'room(id: $id) { id }',
      'recording(id: $id) { id }',
      'bulkDeletion(id: $id) { id }',
    ]) {
      const { errors } = await instance.graphql(`query($id: ID!) { ${query} }`, { id: long });
      expect(JSON.stringify(errors).length).toBeLessThan(1_000);
    }
    const aliases = Array.from({ length: 100 }, (_, i) => `a${i}: room(id: $id) { id }`).join(' ');
    const { errors } = await instance.graphql(`query($id: ID!) { ${aliases} }`, { id: long });
    expect(JSON.stringify(errors).length).toBeLessThan(50_000);
    expect((await fetch(`${instance.url}/recordings/${'x'.repeat(5_000)}/media`)).status).toBe(401);
  });

  it('refuses who tries keys, with the time to wait, and neither those who are known nor probes', async () => {
    const limited = await stack.start({ RATE_LIMIT: 'on' });
    const ask = (key: string) =>
      fetch(`${limited.url}/graphql?query=${encodeURIComponent('{ viewer { name } }')}`, {
        headers: { authorization: `Bearer ${key}` },
      });
    expect((await ask(ADMIN_KEY)).status).toBe(200);
    let refused: Response | null = null;
    for (let tried = 0; tried < 300 && refused === null; tried += 1) {
      const answer = await ask(`tl_wrong-${tried}`);
      if (answer.status === 429) refused = answer;
      else await answer.text();
    }
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused?.json()).toMatchObject({
      error: { code: 'RATE_LIMITED' },
      errors: [{ extensions: { code: 'RATE_LIMITED', retryAfter: expect.any(Number) } }],
    });
    const media = await fetch(`${limited.url}/recordings/rec_1/media?token=a.b`);
    expect([media.status, Number(media.headers.get('retry-after'))]).toEqual([429, expect.any(Number)]);
    expect((await ask(ADMIN_KEY)).status).toBe(200);
    expect((await fetch(`${limited.url}/health/ready`)).status).toBe(200);
  });
});
