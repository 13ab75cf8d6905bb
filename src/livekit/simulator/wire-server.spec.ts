import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AccessToken } from 'livekit-server-sdk';
import { eventually } from '../../../test/support/eventually.js';
import { aConfig } from '../../../test/support/a-config.js';
import { HttpLiveKit } from '../livekit-http.js';
import { SystemClock } from '../../kernel/clock.js';
import { type RunningSimulator, startSimulator } from './start-simulator.js';
import { scaledTimings } from './timings.js';
import { signToken } from './webhook-outbox.js';

const KEYS = { apiKey: 'devkey', apiSecret: 'devsecret-devsecret-devsecret-32x' };

describe('the simulator on the wire', () => {
  let simulator: RunningSimulator;
  beforeAll(async () => {
    simulator = await startSimulator({
      ...KEYS,
      rooms: { talk: {} },
      timings: scaledTimings(0.02),
      writeMedia: () => Promise.resolve(),
    });
  });
  afterEach(() => simulator.engine.clearFaults());
  afterAll(() => simulator.close());

  interface Answer {
    readonly status: number;
    readonly type: string | null;
    readonly body: string;
  }

  async function post(path: string, body: unknown, authorization?: string): Promise<Answer> {
    const answer = await fetch(`${simulator.url}${path}`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: authorization === undefined ? {} : { authorization },
    });
    return {
      status: answer.status,
      type: answer.headers.get('content-type'),
      body: await answer.text(),
    };
  }

  async function bearer(grants: Record<string, unknown>, secret = KEYS.apiSecret): Promise<string> {
    const token = new AccessToken(KEYS.apiKey, secret);
    token.addGrant(grants);
    return `Bearer ${await token.toJwt()}`;
  }

  const list = (authorization?: string) => post('/twirp/livekit.Egress/ListEgress', {}, authorization);
  const twirp = async (method: string, body: unknown) =>
    post(
      `/twirp/livekit.${method}`,
      body,
      await bearer({ roomRecord: true, roomList: true, roomCreate: true }),
    );

  it('has the list of a busy day, at once or in pages', async () => {
    const engine = simulator.engine;
    engine.plantEndedEgresses(2_500);
    const livekit = new HttpLiveKit(
      aConfig({
        LIVEKIT_URL: simulator.url,
        LIVEKIT_API_KEY: KEYS.apiKey,
        LIVEKIT_API_SECRET: KEYS.apiSecret,
      }),
    );
    expect(await livekit.listEgresses()).toHaveLength(2_500);
    expect(await livekit.listEgresses({ active: true })).toEqual([]);
    engine.pageLists(1_000);
    const ids = (await livekit.listEgresses()).map(({ egressId }) => egressId);
    expect(new Set(ids).size).toBe(2_500);
    engine.pageLists(null);
    engine.loseEgresses();
  });

  it('says OK at its root', async () => {
    const answer = await fetch(simulator.url);
    expect([answer.status, await answer.text()]).toEqual([200, 'OK']);
  });

  it('refuses a header without the word Bearer, and an unknown key, in plain text', async () => {
    const malformed = await list('Basic abc');
    expect(malformed).toEqual({
      status: 401,
      type: 'text/plain; charset=utf-8',
      body: 'invalid authorization header. Must start with Bearer ',
    });
    const claims = { iss: 'nokey', exp: new SystemClock().now() / 1_000 + 60 };
    expect(await list(`Bearer ${signToken(claims, 'x')}`)).toMatchObject({
      status: 401,
      body: 'invalid API key: nokey',
    });
  });

  it('repeats a badly signed token in its refusal, as a real server does', async () => {
    const authorization = await bearer({ roomRecord: true }, 'another-secret-another-secret-32x');
    const answer = await list(authorization);
    expect([answer.status, answer.type]).toEqual([401, 'text/plain; charset=utf-8']);
    expect(answer.body).toContain(`invalid token: ${authorization.slice('Bearer '.length)}`);
  });

  it('takes a token a little beyond its end, not long after it and not without one', async () => {
    const now = Math.floor(new SystemClock().now() / 1_000);
    const claims = { iss: KEYS.apiKey, video: { roomRecord: true } };
    const withEnd = (exp: number) => list(`Bearer ${signToken({ ...claims, exp }, KEYS.apiSecret)}`);
    expect((await withEnd(now - 30)).status).toBe(200);
    expect((await withEnd(now - 120)).status).toBe(401);
    expect((await list(`Bearer ${signToken(claims, KEYS.apiSecret)}`)).status).toBe(401);
  });

  it('says "permissions denied" with 401 to whoever lacks the grant or brings no token', async () => {
    const denied = {
      status: 401,
      type: 'application/json',
      body: '{"code":"unauthenticated","msg":"permissions denied"}',
    };
    expect(await list()).toEqual(denied);
    expect(await list(await bearer({ roomList: true }))).toEqual(denied);
    const other = await bearer({ roomAdmin: true, room: 'another' });
    expect(await post('/twirp/livekit.RoomService/ListParticipants', { room: 'talk' }, other)).toEqual(
      denied,
    );
  });

  it('knows no other methods, and no other verb than POST', async () => {
    expect(JSON.parse((await twirp('Egress/Nope', {})).body)).toEqual({
      code: 'bad_route',
      msg: 'no handler for path "/twirp/livekit.Egress/Nope"',
      meta: { twirp_invalid_route: 'POST /twirp/livekit.Egress/Nope' },
    });
    const got = await fetch(`${simulator.url}/twirp/livekit.Egress/ListEgress`);
    expect([got.status, await got.json()]).toEqual([404, expect.objectContaining({ code: 'bad_route' })]);
  });

  it('understands both spellings and ignores what it does not know', async () => {
    const camel = await twirp('RoomService/CreateRoom', { name: 'both', emptyTimeout: 77, newThing: [1] });
    const snake = await twirp('RoomService/CreateRoom', { name: 'both', departure_timeout: 8 });
    expect(JSON.parse(snake.body)).toMatchObject({
      sid: JSON.parse(camel.body).sid,
      empty_timeout: 77,
      departure_timeout: 8,
      active_recording: false,
      version: null,
    });
    expect((await twirp('Egress/ListEgress', '{')).status).toBe(400);
  });

  it('cuts the connection, or never answers, where a fault says so', async () => {
    simulator.engine.setFault({ name: 'unreachable', room: '*', times: 1 });
    await expect(twirp('Egress/ListEgress', {})).rejects.toThrow('fetch failed');
    simulator.engine.setFault({ name: 'start-answer-lost', room: 'talk', times: 1 });
    const request = { room_name: 'talk', audio_only: true, file_outputs: [{ filepath: '/x.ogg' }] };
    await expect(twirp('Egress/StartRoomCompositeEgress', request)).rejects.toThrow('fetch failed');
    expect(simulator.engine.egresses('talk')).toHaveLength(1);
    simulator.engine.setFault({ name: 'silent', room: '*', times: 1 });
    const hanging = fetch(`${simulator.url}/twirp/livekit.Egress/ListEgress`, {
      method: 'POST',
      headers: { authorization: await bearer({ roomRecord: true }) },
      body: '{}',
      signal: AbortSignal.timeout(300),
    });
    await expect(hanging).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('posts webhooks with their own content type and a raw token, and says when a port is taken', async () => {
    const got: { type?: string; authorization?: string; body: string }[] = [];
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        got.push({
          type: request.headers['content-type'],
          authorization: request.headers.authorization,
          body,
        });
        response.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const { port } = receiver.address() as AddressInfo;
    const webhookUrl = `http://127.0.0.1:${port}/`;
    const other = await startSimulator({ ...KEYS, webhookUrl, rooms: { here: { publishers: [] } } });
    await eventually(() => got.length > 0 || 'no webhook came');
    expect(got[0]).toMatchObject({ type: 'application/webhook+json' });
    expect(got[0]?.authorization).toMatch(/^eyJ/);
    expect(JSON.parse(got[0]?.body ?? '')).toMatchObject({ event: 'room_started', room: { name: 'here' } });
    await expect(startSimulator({ ...KEYS, port: Number(new URL(other.url).port) })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await other.close();
    await new Promise((resolve) => receiver.close(resolve));
  });

  describe('its door for whoever directs it', () => {
    const direct = (action: string, input: unknown = {}) => post(`/simulator/${action}`, input);
    interface State {
      readonly rooms: readonly { readonly name: string; readonly participants: readonly unknown[] }[];
      readonly runningEgressIds: readonly string[];
      readonly workers: readonly unknown[];
      readonly faults: readonly unknown[];
    }
    const state = async (): Promise<State> =>
      JSON.parse(await (await fetch(`${simulator.url}/simulator/state`)).text());

    it('opens rooms, lets people come and go, and shows it all', async () => {
      expect((await direct('open-room', { room: 'stage', publishers: ['ann'] })).status).toBe(200);
      await direct('join', { room: 'stage', identity: 'bob' });
      await direct('publish', { room: 'stage', identity: 'bob' });
      await direct('leave', { room: 'stage', identity: 'ann' });
      const { rooms } = await state();
      const stage = rooms.find((room) => room.name === 'stage');
      expect(stage?.participants).toMatchObject([{ identity: 'bob', isPublisher: true }]);
      await direct('close-room', { room: 'stage' });
      expect((await state()).rooms.map((room) => room.name)).not.toContain('stage');
    });

    it('sets and clears faults', async () => {
      await direct('set-fault', { name: 'list-fails', room: '*', times: 3 });
      expect((await twirp('Egress/ListEgress', {})).status).toBe(500);
      expect((await state()).faults).toEqual([{ name: 'list-fails', room: '*', times: 2 }]);
      await direct('clear-faults');
      expect((await twirp('Egress/ListEgress', {})).status).toBe(200);
    });

    it('kills and adds workers, and ends egresses', async () => {
      const request = { room_name: 'talk', audio_only: true, file_outputs: [{ filepath: '/y.ogg' }] };
      const { egress_id } = JSON.parse((await twirp('Egress/StartRoomCompositeEgress', request)).body);
      expect((await state()).runningEgressIds).toContain(egress_id);
      await direct('end-egress', { egressId: egress_id, how: 'child-crash' });
      await direct('kill-worker');
      expect((await state()).workers).toEqual([]);
      expect(JSON.parse((await direct('add-worker', { capacity: 3 })).body)).toEqual({ id: 'worker-2' });
      expect((await state()).workers).toMatchObject([{ id: 'worker-2', capacity: 3, alive: true }]);
    });

    it('says what is wrong with an order, and what there is', async () => {
      expect(await direct('set-fault', { name: 'nonsense', room: '*' })).toMatchObject({
        status: 400,
        body: expect.stringContaining('start-refused-400'),
      });
      expect(await direct('dance')).toMatchObject({
        status: 400,
        body: expect.stringContaining('open-room'),
      });
      expect((await direct('leave', { room: 'nowhere', identity: 'x' })).status).toBe(400);
    });

    it('is closed to web pages', async () => {
      const answer = await fetch(`${simulator.url}/simulator/state`, {
        headers: { origin: 'http://evil.test' },
      });
      expect(answer.status).toBe(403);
    });
  });
});
