import { connect } from 'node:net';
import { request } from 'node:http';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';

describe('whoever asks for what can not be', () => {
  let stack: TestStack;
  let instance: TestInstance;
  beforeAll(async () => {
    stack = await startStack();
    instance = await stack.start();
  });
  afterAll(() => stack.close());

  const refusal = { error: { code: 'BAD_USER_INPUT', message: expect.any(String) as string } };

  /** As it is: fetch would correct such a path. */
  const get = (path: string): Promise<{ status: number | undefined; body: unknown }> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${ADMIN_KEY}` };
      const { hostname, port } = new URL(instance.url);
      request({ hostname, port, path, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (piece: string) => (text += piece));
        answer.on('end', () => resolve({ status: answer.statusCode, body: JSON.parse(text) as unknown }));
      })
        .on('error', reject)
        .end();
    });

  const speak = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let heard = '';
      const { hostname, port } = new URL(instance.url);
      const socket = connect(Number(port), hostname, () => socket.write(text));
      socket
        .setEncoding('utf8')
        .on('data', (piece: string) => (heard += piece))
        .on('error', reject)
        .on('close', () => resolve(heard));
    });

  it('is told that a recording with an endless id is not there', async () => {
    const { status, body } = await get(`/recordings/${'x'.repeat(7_000)}/media`);
    expect([status, body]).toEqual([
      404,
      { error: expect.objectContaining({ code: 'RECORDING_NOT_FOUND' }) as object },
    ]);
  });

  it('is told in the one shape that a path is no URL', async () => {
    expect(await get('/recordings/%zz/media')).toEqual({ status: 400, body: refusal });
  });

  it.each([
    ['a request that is none', 'FOO / HTTP/1.1\r\n\r\n', 400],
    ['headers too large', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('is answered in the one shape to %s', async (_what, text, status) => {
    const heard = await speak(text);
    expect(heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(heard.split('\r\n\r\n')[1] ?? '')).toEqual(refusal);
  });

  it.each(['', 'a b', '[', 'a:x'])('is told that %j is no host', async (host) => {
    const heard = await speak(
      `GET /graphql?query={me{name}} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nAuthorization: Bearer ${ADMIN_KEY}\r\n\r\n`,
    );
    expect(heard).toMatch(/^HTTP\/1\.1 400 .*"code":"BAD_USER_INPUT"/s);
  });

  it('is answered once, also where its body turns out to be none after the answer', async () => {
    const head = ['POST /nothing HTTP/1.1', 'Host: a', 'Connection: close', 'Transfer-Encoding: gzip'];
    const heard = await speak(`${head.join('\r\n')}\r\n\r\n`);
    expect(heard.match(/HTTP\/1\.1 \d+ /g)).toHaveLength(1);
  });

  it('is told so also where a large body is still coming and the connection closes with the answer', async () => {
    const body = ' '.repeat(8_000_000);
    const head = ['Host: a', 'Connection: close', 'Content-Type: application/json'].join('\r\n');
    for (const [request, status, code] of [
      ['POST /graphql', 401, 'UNAUTHENTICATED'],
      ['POST /nothing', 413, 'BAD_USER_INPUT'],
    ] as const) {
      const sent = `${request} HTTP/1.1\r\n${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      for (const heard of await Promise.all(Array.from({ length: 3 }, () => speak(sent))))
        expect(heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*"code":"${code}"`, 's'));
    }
  });

  it('is told in the words of every other path also by the board of the queues, whose body never comes', async () => {
    const head = ['Host: a', 'Connection: close', 'Transfer-Encoding: chunked'].join('\r\n');
    const heard = await speak(
      `GET /admin/queues/api/queues/timers/none HTTP/1.1\r\n${head}\r\nAuthorization: Bearer ${ADMIN_KEY}\r\n\r\n`,
    );
    expect(heard).toMatch(/^HTTP\/1\.1 404 .*"code":"NOT_FOUND"/s);
  });

  it('is told where subscriptions are to be had, not that something broke here', async () => {
    const { status, code, errors } = await instance.graphql('subscription { recordingEvents { cursor } }');
    expect([status, code]).toEqual([400, 'BAD_USER_INPUT']);
    expect(errors[0]?.message).toContain('WebSocket');
  });

  describe('with hundreds of faults at once', () => {
    const wrong = Array.from({ length: 500 }, () => 'recording_requested');
    const inText = `{ recordings(filter: { statuses: [${wrong.join(', ')}] }) { totalCount } }`;
    const inVariables = 'query ($filter: RecordingFilter) { recordings(filter: $filter) { totalCount } }';
    const variables = { filter: { statuses: wrong } };
    const told = (errors: readonly unknown[]): void => {
      expect(errors.length).toBeGreaterThan(1);
      expect(JSON.stringify(errors).length).toBeLessThan(8 * 1024);
    };

    it('is told some of them, over HTTP', async () => {
      told((await instance.graphql(inText)).errors);
      told((await instance.graphql(inVariables, variables)).errors);
    });

    it('is told some of them, over a WebSocket', async () => {
      for (const query of [inText, inVariables]) {
        const heard = new Promise<readonly unknown[]>((resolve) => {
          instance.subscriber().subscribe(
            { query, variables },
            {
              next: ({ errors }) => resolve(errors ?? []),
              error: (errors) => resolve(errors as readonly unknown[]),
              complete: () => undefined,
            },
          );
        });
        told(await heard);
      }
    });
  });

  it('may look for a label of any name', async () => {
    const filter = JSON.parse(
      '{"labels":{"__proto__":{"admin":true},"constructor":{"prototype":1}}}',
    ) as object;
    const query = 'query ($filter: RecordingFilter) { recordings(filter: $filter) { totalCount } }';
    const { errors, data } = await instance.graphql(query, { filter });
    expect(errors).toEqual([]);
    expect(data).toEqual({ recordings: { totalCount: 0 } });
  });
});
