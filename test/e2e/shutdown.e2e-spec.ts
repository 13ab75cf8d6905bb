import { request } from 'node:http';
import { WebSocket } from 'ws';
import { ADMIN_KEY, startStack, type TestStack } from '../support/app.js';
import { type ChildInstance, startChild } from '../support/child-instance.js';
import { eventually } from '../support/eventually.js';
import { STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';
import { S3Server } from '../support/s3-server.js';

const KEY = `Bearer ${ADMIN_KEY}`;
/** A process may take ten seconds; the machine of a test has others to run. */
const LIMIT_MS = 12_000;

describe('a process that is asked to end', () => {
  let stack: TestStack;
  let child: ChildInstance;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterEach(() => child.kill());
  afterAll(() => stack.close());

  const within = async <T>(promise: Promise<T>): Promise<T | 'still there'> =>
    Promise.race([
      promise,
      new Promise<'still there'>((resolve) => setTimeout(resolve, LIMIT_MS, 'still there').unref()),
    ]);

  /** A socket that is let in. */
  async function follow(url: string): Promise<{ closed: Promise<number> }> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    let isIn = false;
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: KEY } })),
    );
    socket.on('message', () => (isIn = true));
    await eventually(() => isIn || 'not let in');
    return { closed };
  }

  it('says that it is not ready, lets a request end, closes WebSockets with 1001, and ends', async () => {
    child = await startChild(stack.env);
    const socket = await follow(child.url);
    const slow = beginPost(child.url, '{ viewer { name } }');
    await eventually(async () => (await slow.isOpen()) || 'not connected');
    child.signal('SIGTERM');
    await eventually(async () => {
      const answer = await fetch(`${child.url}/health/ready`);
      return (answer.status === 503 && (await answer.text()).includes('shutting down')) || 'still ready';
    });
    expect((await fetch(`${child.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${child.url}/graphql`, { method: 'POST' })).status).toBe(503);
    expect(await slow.finish()).toBe(200);
    expect(await socket.closed).toBe(1001);
    expect(await within(child.ended)).toBe(0);
  });

  it('lets a download from a bucket have its seconds', async () => {
    const s3 = await S3Server.start('meetings');
    const inBucket = await startStack(s3.env());
    try {
      const instance = await inBucket.start();
      await openRoom(inBucket, instance, 'watched');
      const { id } = await started(instance, 'watched');
      await instance.graphql(STOP, { id });
      await becomes(instance, id, { status: 'COMPLETE' });
      child = await startChild(inBucket.env);
      let release = (): void => undefined;
      const until = new Promise<void>((resolve) => (release = resolve));
      s3.faults.push({ kind: 'late-rest', operation: 'GetObject', until });
      const answer = await fetch(`${child.url}/recordings/${id}/media`, { headers: { authorization: KEY } });
      child.signal('SIGTERM');
      await eventually(
        async () => (await fetch(`${child.url}/health/ready`)).status === 503 || 'still ready',
      );
      release();
      const bytes = await answer.arrayBuffer();
      expect(bytes.byteLength).toBe(Number(answer.headers.get('content-length')));
      expect(await within(child.ended)).toBe(0);
    } finally {
      await inBucket.close();
      await s3.stop();
    }
  });

  it('ends in time while Redis hangs', async () => {
    child = await startChild(stack.env);
    const pid = Number(/process_id:(\d+)/.exec(await stack.redisClient.info('server'))?.[1]);
    process.kill(pid, 'SIGSTOP');
    try {
      child.signal('SIGTERM');
      expect(await within(child.ended)).not.toBe('still there');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('ends at once when it is asked again', async () => {
    child = await startChild(stack.env);
    const slow = beginPost(child.url, '{ viewer { name } }');
    await eventually(async () => (await slow.isOpen()) || 'not connected');
    child.signal('SIGTERM');
    await eventually(async () => (await fetch(`${child.url}/health/ready`)).status === 503 || 'still ready');
    child.signal('SIGTERM');
    expect(await within(child.ended)).toBe(130);
    await slow.finish().catch(() => undefined);
  });

  /** A request whose body is not yet whole. */
  function beginPost(url: string, query: string) {
    const body = JSON.stringify({ query });
    const headers = { authorization: KEY, 'content-type': 'application/json', 'content-length': body.length };
    const outgoing = request(`${url}/graphql`, { method: 'POST', headers });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      outgoing.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      outgoing.on('error', reject);
    });
    answered.catch(() => undefined);
    outgoing.write(body.slice(0, 5));
    return {
      isOpen: async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return outgoing.socket !== null && !outgoing.socket.connecting;
      },
      finish: () => {
        outgoing.end(body.slice(5));
        return answered;
      },
    };
  }
});
