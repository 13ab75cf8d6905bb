import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { ProcessUnderTest } from '../fuzz/process-under-test.js';
import { ADMIN_KEY, startStack, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';
import { S3Server } from '../support/s3-server.js';

const MIB = 1024 * 1024;
const MEDIA_BYTES = 300_000_000;
const DOWNLOADS = 100;
/** What the systems on both ways may hold of one download: no more than some MiB each, however long it is. */
const HELD_BYTES = 24_000_000;
const SOCKETS = 1_000;
const AT_ONCE = 50;
const LARGE = `{ rooms(first: 100) { nodes { ${Array.from({ length: 90 }, (_, i) => `n${i}: name`).join(' ')} } } }`;

describe('clients that never read', () => {
  let s3: S3Server;
  let stack: TestStack;
  let server: ProcessUnderTest;
  const leaving: (() => void)[] = [];

  beforeAll(async () => {
    s3 = await S3Server.start('meetings');
    stack = await startStack(s3.env());
    server = await ProcessUnderTest.start(stack.env);
  });
  afterEach(() => leaving.splice(0).forEach((leave) => leave()));
  afterAll(async () => {
    await server.stop();
    await stack.close();
    await s3.stop();
  });

  const ask = async <T>(query: string): Promise<T> => {
    const answer = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ query }),
    });
    return ((await answer.json()) as { data: T }).data;
  };
  const rssBytes = async (): Promise<number> => (await server.readLoop())?.rssBytes ?? Infinity;

  const askAndNeverRead = async (): Promise<void> => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    socket.on('error', () => undefined);
    leaving.push(() => socket.terminate());
    await once(socket, 'open');
    const payload = { authorization: `Bearer ${ADMIN_KEY}` };
    socket.send(JSON.stringify({ type: 'connection_init', payload }));
    await once(socket, 'message');
    socket.pause();
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: LARGE } }));
  };

  it('of downloads take from the bucket what fits on the way, and no more', async () => {
    const instance = await stack.start();
    await openRoom(stack, instance, 'watched');
    const { id } = await started(instance, 'watched');
    await instance.graphql(STOP, { id });
    await becomes(instance, id, { status: 'COMPLETE' });
    const [key = ''] = [...s3.objects.keys()].filter((one) => one.includes(id) && !one.endsWith('.json'));
    const zeros = Buffer.alloc(65_536);
    let takenBytes = 0;
    s3.plant(key, {
      sizeBytes: MEDIA_BYTES,
      *read(first, last) {
        for (let at = first; at <= last; at += zeros.length) {
          takenBytes += zeros.length;
          yield zeros.subarray(0, last + 1 - at);
        }
      },
    });
    const before = await rssBytes();
    const head = `GET /recordings/${id}/media HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${ADMIN_KEY}\r\n\r\n`;
    for (let i = 0; i < DOWNLOADS; i += 1) {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.pause();
      socket.write(head);
      leaving.push(() => socket.destroy());
    }
    await eventually(() => s3.openBodies === DOWNLOADS || `${s3.openBodies} are open`);
    let seen = -1;
    await eventually(
      () => {
        const isStill = seen === takenBytes;
        seen = takenBytes;
        return isStill || 'bytes are still taken from the bucket';
      },
      { everyMs: 1_000 },
    );
    expect(takenBytes).toBeLessThan(DOWNLOADS * HELD_BYTES);
    expect((await rssBytes()) - before).toBeLessThan(400 * MIB);
    expect(await ask('{ viewer { name } }')).toEqual({ viewer: { name: expect.any(String) } });
    leaving.splice(0).forEach((leave) => leave());
    await eventually(() => s3.openBodies === 0 || `${s3.openBodies} are open`);
  }, 120_000);

  it('of WebSockets, a thousand that ask for two MiB each, are held or cut off, and others are answered', async () => {
    const name = 'x'.repeat(256);
    for (let i = 0; i < 100; i += 1)
      await ask(`mutation { createRoom(input: { id: "large-${i}", name: "${name}" }) { id } }`);
    const each = JSON.stringify(await ask(LARGE)).length;
    expect(each).toBeGreaterThan(2 * MIB);
    const before = await rssBytes();
    for (let i = 0; i < SOCKETS; i += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => askAndNeverRead()));
    }
    expect(await ask('{ viewer { name } }')).toEqual({ viewer: { name: expect.any(String) } });
    // All of them would take more than two GiB.
    expect((await rssBytes()) - before).toBeLessThan(1024 * MIB);
    expect(server.hasEnded).toBe(false);
  }, 180_000);
});
