import { type Client, createClient } from 'graphql-ws';
import { AccessToken } from 'livekit-server-sdk';
import { WebSocket } from 'ws';
import { BOUNDS } from '../../src/kernel/bounds.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { aConfig } from '../support/a-config.js';
import { eventually } from '../support/eventually.js';
import { type ToyApp, startToyApp } from '../support/toy-app.js';
import { VirtualClock } from '../support/virtual-clock.js';

const config = aConfig();
const KEY = `Bearer ${config.adminKey}`;
const FOREVER = { id: 'forever', type: 'subscribe', payload: { query: 'subscription { forever }' } };

interface Message {
  type: string;
  id?: string;
  payload?: unknown;
}

/** A client that keeps to no protocol but the test's. */
class RawClient {
  readonly messages: Message[] = [];
  closed: { code: number; reason: string } | null = null;
  private readonly socket: WebSocket;

  constructor(url: string, protocol = 'graphql-transport-ws') {
    this.socket = new WebSocket(url.replace('http', 'ws'), protocol);
    this.socket.on('message', (data) => this.messages.push(JSON.parse(String(data)) as Message));
    this.socket.on('close', (code, reason) => (this.closed = { code, reason: String(reason) }));
    this.socket.on('error', () => undefined);
  }

  /** Sends all of it in one go, as soon as the socket is open. */
  send(...messages: object[]): void {
    const write = (): void => messages.forEach((message) => this.socket.send(JSON.stringify(message)));
    if (this.socket.readyState === WebSocket.OPEN) write();
    else this.socket.once('open', write);
  }

  /** Keeps to the protocol for once: waits until it is let in. */
  async enter(authorization: string): Promise<void> {
    this.send(init(authorization));
    await eventually(() => this.got('connection_ack') !== undefined || 'not let in');
  }

  /** Subscribes to what never ends, and sees its first event. */
  async stay(authorization: string): Promise<void> {
    await this.enter(authorization);
    this.send(FOREVER);
    await eventually(() => this.got('next', 'forever') !== undefined || 'nothing came');
  }

  /** From now on what comes stays in the network. */
  stopReading(): void {
    this.socket.pause();
  }

  get isBroken(): boolean {
    return this.socket.readyState !== WebSocket.OPEN;
  }

  leave(): void {
    this.socket.terminate();
  }

  got(type: string, id?: string): Message | undefined {
    return this.messages.find((message) => message.type === type && message.id === id);
  }
}

const pause = (ms: number): Promise<void> => new SystemClock().sleep(ms);
let ids = 0;
const newId = (): string => `n${(ids += 1)}`;

const init = (authorization?: unknown) => ({ type: 'connection_init', payload: { authorization } });

describe('the GraphQL door over WebSocket', () => {
  let app: ToyApp;
  let client: Client;

  beforeAll(async () => {
    app = await startToyApp(config, new SystemClock());
    client = createClient({
      url: app.url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: KEY },
    });
  });
  afterAll(async () => {
    await client.dispose();
    await app.stop();
  });

  async function all(query: string, variables?: Record<string, unknown>): Promise<unknown[]> {
    const results: unknown[] = [];
    try {
      for await (const result of client.iterate({ query, variables })) results.push(result);
    } catch (errors) {
      results.push({ refused: errors });
    }
    return results;
  }

  const closeOf = async (raw: RawClient): Promise<{ code: number; reason: string } | null> => {
    await eventually(() => raw.closed !== null || 'the socket is still open');
    return raw.closed;
  };

  it('a key opens it for queries, mutations and subscriptions', async () => {
    expect(await all('{ me { name role } }')).toEqual([
      { data: { me: { name: 'key:admin', role: 'ADMIN' } } },
    ]);
    expect(await all('mutation { play(name: "by-socket") }')).toEqual([{ data: { play: 'by-socket' } }]);
    expect(await all('subscription { ticks(until: 3) }')).toEqual(
      [1, 2, 3].map((ticks) => ({ data: { ticks } })),
    );
  });

  it('the credential may be called Authorization', async () => {
    const raw = new RawClient(app.url);
    raw.send({ type: 'connection_init', payload: { Authorization: KEY } });
    await eventually(() => raw.got('connection_ack') !== undefined || 'not acknowledged');
    raw.leave();
  });

  it.each([undefined, '', 'Bearer tl_of-somebody-else', 'Bearer a.b.c', 5, { key: KEY }])(
    'the credential %j closes it with 4401 and says why',
    async (authorization) => {
      const raw = new RawClient(app.url);
      raw.send(init(authorization));
      expect(await closeOf(raw)).toEqual({ code: 4401, reason: expect.stringMatching(/\w+ \w+/) });
      expect(raw.messages).toEqual([]);
    },
  );

  it.each([undefined, 'Bearer tl_of-somebody-else'])(
    'what was sent behind the credential %j is not executed',
    async (authorization) => {
      const raw = new RawClient(app.url);
      const query = 'mutation { play(name: "unseen") }';
      raw.send(init(authorization), { id: '1', type: 'subscribe', payload: { query } });
      expect(await closeOf(raw)).toMatchObject({ code: 4401 });
      expect(raw.messages).toEqual([]);
      expect(app.world.played).not.toContain('unseen');
    },
  );

  it('an operation before the credential closes it with 4401', async () => {
    const raw = new RawClient(app.url);
    raw.send(FOREVER);
    expect(await closeOf(raw)).toMatchObject({ code: 4401 });
  });

  it('a second credential on one connection closes it', async () => {
    const raw = new RawClient(app.url);
    raw.send(init(KEY), init(KEY));
    expect(await closeOf(raw)).toMatchObject({ code: 4429 });
  });

  it('the old subprotocol is not spoken', async () => {
    expect(await closeOf(new RawClient(app.url, 'graphql-ws'))).toMatchObject({ code: 1006 });
  });

  it('another path is answered, and not left open', async () => {
    const status = await new Promise<number | undefined>((resolve) => {
      const elsewhere = new WebSocket(`${app.url.replace('http', 'ws')}-elsewhere`, 'graphql-transport-ws');
      elsewhere.on('unexpected-response', (_request, response) => {
        elsewhere.terminate();
        resolve(response.statusCode);
      });
      elsewhere.on('error', () => undefined);
    });
    expect(status).toBe(404);
  });

  it('a message without end closes it', async () => {
    const raw = new RawClient(app.url);
    raw.send(init(KEY), { id: '1', type: 'subscribe', payload: { query: `#${'x'.repeat(1024 * 1024)}` } });
    expect(await closeOf(raw)).toMatchObject({ code: 1009 });
  });

  it('nothing more than a credential is taken before it was accepted', async () => {
    const raw = new RawClient(app.url);
    raw.send({ type: 'ping', payload: { text: 'x'.repeat(20_000) } });
    expect(await closeOf(raw)).not.toBeNull();
    expect(raw.messages).toEqual([]);
  });

  it('nobody is answered before it is let in, and nothing that came with a ping is sent back', async () => {
    const raw = new RawClient(app.url);
    raw.send({ type: 'ping', payload: { text: 'echo' } });
    await raw.enter(KEY);
    raw.send({ type: 'ping', payload: { text: 'echo' } });
    await eventually(() => raw.got('pong') !== undefined || 'no pong');
    expect(raw.messages.map(({ type, payload }) => [type, payload])).toEqual([
      ['connection_ack', undefined],
      ['pong', undefined],
    ]);
    raw.leave();
  });

  it('who shows no credential in time is sent away', async () => {
    const raw = new RawClient(app.url);
    await eventually(() => raw.closed !== null || 'the socket is still open', { withinMs: 12_000 });
    expect(raw.closed).toMatchObject({ code: 4408 });
  });

  it('an operation with an endless id closes it', async () => {
    const raw = new RawClient(app.url);
    await raw.enter(KEY);
    raw.send({ ...FOREVER, id: 'x'.repeat(129) });
    expect(await closeOf(raw)).toMatchObject({ code: 4400 });
  });

  it.each(['next', 'error', 'connection_ack'])(
    'a message of the type %s, which only a server sends, closes it as what it is',
    async (type) => {
      const raw = new RawClient(app.url);
      await raw.enter(KEY);
      raw.send({ type, id: '1', payload: type === 'error' ? [] : {} });
      expect(await closeOf(raw)).toMatchObject({ code: 4400 });
    },
  );

  it('so many strangers of one address may wait at once, and no more', async () => {
    const strangers = Array.from({ length: BOUNDS.uninvitedPerAddress + 5 }, () => new RawClient(app.url));
    await eventually(() => strangers.filter(({ closed }) => closed).length === 5 || 'none was refused');
    strangers.forEach((raw) => raw.leave());
    await eventually(async () => {
      const raw = new RawClient(app.url);
      raw.send(init(KEY));
      await pause(50);
      const isIn = raw.got('connection_ack') !== undefined;
      raw.leave();
      return isIn || 'nobody is let in any more';
    });
  });

  it('a client that reads nothing is cut off, and its answers do not pile up', async () => {
    const raw = new RawClient(app.url);
    await raw.enter(KEY);
    raw.stopReading();
    const query = `{ echo(labels: ${`{a: ${JSON.stringify('x'.repeat(7_000))}}`}) { labels } }`;
    const send = (): void => {
      for (let i = 0; i < 50; i += 1) raw.send({ id: newId(), type: 'subscribe', payload: { query } });
    };
    await eventually(async () => {
      send();
      await pause(20);
      return raw.isBroken || 'it is still served';
    });
  });

  it('a client that goes away ends its subscriptions', async () => {
    const raw = new RawClient(app.url);
    await raw.stay(KEY);
    expect(app.world.listeners).toBe(1);
    raw.leave();
    await eventually(() => app.world.listeners === 0 || 'somebody still listens');
  });

  it('one connection holds so many operations and no more', async () => {
    const raw = new RawClient(app.url);
    const operations = Array.from({ length: 101 }, (_, i) => ({ ...FOREVER, id: `s${i}` }));
    await raw.enter(KEY);
    raw.send(...operations);
    await eventually(() => raw.messages.some((m) => m.type === 'error') || 'none was refused');
    expect(raw.messages.filter((m) => m.type === 'error')).toEqual([
      {
        id: 's100',
        type: 'error',
        payload: [expect.objectContaining({ extensions: { code: 'RATE_LIMITED' } })],
      },
    ]);
    raw.leave();
    await eventually(() => app.world.listeners === 0 || 'somebody still listens');
  });

  const extensions = (code: string, more: object = {}) =>
    expect.objectContaining({ extensions: { code, ...more } });

  it.each([
    ['text that is no GraphQL', 'subscription {', undefined, {}],
    ['an unknown field', 'subscription { nothing }', undefined, {}],
    ['a missing argument', 'subscription { ticks }', undefined, { field: 'until' }],
    ['no such operation', 'query A { me { name } } query B { me { name } }', undefined, {}],
    ['too many brackets', '{ me '.repeat(900), undefined, {}],
    ['too many tokens', `{ ${'me { name } '.repeat(2_000)} }`, undefined, {}],
    [
      'too much at once',
      'query($n: Int) { toys(first: $n) { nodes { toys(first: $n) { nodes { toys(first: $n) { nodes { id } } } } } } }',
      { n: 100 },
      {},
    ],
  ])('%s is refused before it is executed', async (_, query, variables, more) => {
    expect(await all(query, variables)).toEqual([{ refused: [extensions('BAD_USER_INPUT', more)] }]);
  });

  it('a variable of the wrong type is bad input of its field', async () => {
    expect(await all('subscription($n: Int!) { ticks(until: $n) }', { n: 'x' })).toEqual([
      { errors: [extensions('BAD_USER_INPUT', { field: 'until' })] },
    ]);
  });

  it.each([
    ['refused', 'ROOM_NOT_OPEN', { roomId: 'a' }],
    ['lost', 'REDIS_UNAVAILABLE', {}],
    ['out of the blue', 'INTERNAL', {}],
  ])(
    'a subscription that is %s has the code %s, when it begins and when it breaks',
    async (how, code, more) => {
      const before = app.lines.length;
      const atOnce = await all('subscription($how: String!) { refused(how: $how) }', { how });
      const later = await all('subscription($how: String!) { ticks(until: 1, thenBreak: $how) }', { how });
      expect(atOnce).toEqual([expect.objectContaining({ errors: [extensions(code, more)] })]);
      expect(later).toEqual([{ data: { ticks: 1 } }, { refused: [extensions(code, more)] }]);
      expect(JSON.stringify([atOnce, later])).not.toMatch(/secret|srv|blue/);
      const faults = app.lines.slice(before).filter((line) => line.level === 'error');
      expect(faults).toHaveLength(how === 'refused' ? 0 : 2);
    },
  );
});

describe('a LiveKit token on a WebSocket', () => {
  const tokenFor = async (seconds: number): Promise<string> => {
    const { apiKey, apiSecret } = config.livekit;
    const token = new AccessToken(apiKey, apiSecret, { identity: 'alice', ttl: seconds });
    token.addGrant({ roomJoin: true });
    return `Bearer ${await token.toJwt()}`;
  };

  it('closes the connection with 4401 when it expires, and ends what ran on it', async () => {
    const clock = new VirtualClock(new SystemClock().now());
    const app = await startToyApp(config, clock);
    const raw = new RawClient(app.url);
    await raw.stay(await tokenFor(600));

    await clock.advance(590_000);
    expect(app.world.listeners).toBe(1);
    await clock.advance(20_000);

    await eventually(() => raw.closed !== null || 'the socket is still open');
    expect(raw.closed).toEqual({ code: 4401, reason: expect.stringContaining('expired') });
    await eventually(() => app.world.listeners === 0 || 'somebody still listens');
    await app.stop();
  });

  it('that is valid for longer than a timer can be keeps its connection, and nothing waits for it afterwards', async () => {
    const clock = new VirtualClock(new SystemClock().now());
    const app = await startToyApp(config, clock);
    const raw = new RawClient(app.url);
    await raw.stay(await tokenFor(60 * 86_400));
    await clock.advance(59 * 86_400_000);
    expect(raw.closed).toBeNull();
    raw.leave();
    await eventually(() => clock.sleepers === 0 || 'the token is still waited for');
    await app.stop();
  });

  it('a server that stops says so to who is connected', async () => {
    const app = await startToyApp(config, new SystemClock());
    const raw = new RawClient(app.url);
    await raw.stay(KEY);
    await app.stop();
    await eventually(() => raw.closed !== null || 'the socket is still open');
    expect(raw.closed).toMatchObject({ code: 1001 });
    expect(app.world.listeners).toBe(0);
  });
});
