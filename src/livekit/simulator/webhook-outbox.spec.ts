import { createHash, createHmac } from 'node:crypto';
import { SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';

describe('webhooks', () => {
  let play: SimulatedLiveKit;
  beforeEach(() => {
    play = new SimulatedLiveKit();
  });

  /** Answers with the given statuses in turn, then with 200; a null is no answer at all. */
  function receive(...statuses: (number | null)[]): {
    attempts: { id: string; atMs: number; auth: string }[];
  } {
    const attempts: { id: string; atMs: number; auth: string }[] = [];
    const since = play.clock.now();
    play.engine.setReceiver(async ({ event, authorization }) => {
      attempts.push({ id: event.id, atMs: play.clock.now() - since, auth: authorization });
      const status = statuses.shift();
      if (status === null) throw new Error('ECONNREFUSED');
      return { status: status ?? 200 };
    });
    return { attempts };
  }

  it('are signed over their exact bytes for five minutes, without the word Bearer', async () => {
    play.engine.openRoom('talk', { publishers: [] });
    await play.clock.advance(10);
    const [{ body, authorization } = { body: Buffer.alloc(0), authorization: '' }] = play.delivered;
    const [header, claims, signature] = authorization.split('.');
    const expected = createHmac('sha256', 'devsecret-devsecret-devsecret-32x').update(`${header}.${claims}`);
    expect(signature).toBe(expected.digest('base64url'));
    const said = JSON.parse(Buffer.from(claims ?? '', 'base64url').toString());
    expect(said.sha256).toBe(createHash('sha256').update(body).digest('base64'));
    expect([said.iss, said.exp - said.iat]).toEqual(['devkey', 300]);
    expect(JSON.parse(body.toString())).toMatchObject({ event: 'room_started', room: { name: 'talk' } });
  });

  it('leave out what is zero, also the status of an egress that starts', async () => {
    await play.recording('talk');
    const bodies = play.delivered.map(({ body }) => JSON.parse(body.toString()));
    const started = bodies.find(({ event }) => event === 'egress_started');
    expect(started.egressInfo).not.toHaveProperty('status');
    expect(started.egressInfo).not.toHaveProperty('endedAt');
    expect(started.egressInfo.fileResults).toEqual([{ filename: '/recordings/talk.mp4' }]);
  });

  it('are tried five times over fifteen seconds, unchanged, then lost for good', async () => {
    const { attempts } = receive(500, 503, null, 429, 500);
    play.engine.openRoom('talk', { publishers: [] });
    await play.clock.advance(60_000);
    expect(attempts.map(({ atMs }) => Math.round(atMs / 1_000))).toEqual([0, 1, 3, 7, 15]);
    expect(new Set(attempts.map(({ id, auth }) => `${id} ${auth}`)).size).toBe(1);
  });

  it.each([400, 401, 404, 501])('count as delivered when they are answered %i', async (status) => {
    const { attempts } = receive(status);
    play.engine.openRoom('talk', { publishers: [] });
    await play.clock.advance(60_000);
    expect(attempts).toHaveLength(1);
  });

  it('of one room come in order even when the first is refused at first', async () => {
    const { attempts } = receive(500);
    play.engine.openRoom('talk', { publishers: ['ann'] });
    await play.clock.advance(5_000);
    const order = [...new Set(attempts.map(({ id }) => id))];
    expect(order).toHaveLength(4);
    expect(attempts[1]?.id).toBe(attempts[0]?.id);
  });

  it('of an egress do not wait for those of its room', async () => {
    play.engine.openRoom('talk');
    await play.clock.advance(1_000);
    const seen: string[] = [];
    play.engine.setReceiver(({ event }) => {
      if (event.event === 'participant_joined') return new Promise(() => undefined);
      seen.push(event.event);
      return Promise.resolve({ status: 200 });
    });
    await play.started('talk');
    await play.clock.advance(10_000);
    expect(seen).toEqual(['egress_started', 'egress_updated']);
  });

  it('that wait for more than thirty seconds behind others are dropped', async () => {
    const seen: string[] = [];
    play.engine.setReceiver(async ({ event }) => {
      seen.push(event.event);
      if (seen.length === 1) await play.clock.sleep(31_000);
      return { status: 200 };
    });
    play.engine.openRoom('talk', { publishers: ['ann'] });
    await play.clock.advance(40_000);
    play.engine.leave('talk', 'ann');
    await play.clock.advance(1_000);
    expect(seen.slice(0, 2)).toEqual(['room_started', 'track_unpublished']);
  });

  it('beyond two hundred of one key are dropped', async () => {
    let release: () => void = () => undefined;
    let delivered = 0;
    play.engine.setReceiver(async () => {
      delivered += 1;
      if (delivered === 1) await new Promise<void>((resolve) => (release = resolve));
      return { status: 200 };
    });
    play.engine.openRoom('talk', { publishers: [] });
    for (let guest = 0; guest < 300; guest += 1) play.engine.join('talk', `guest-${guest}`);
    await play.clock.advance(1);
    release();
    await play.clock.advance(1_000);
    expect(delivered).toBe(200);
  });

  it('that were waiting die with the server', async () => {
    const { attempts } = receive(500, 500, 500);
    play.engine.openRoom('talk', { publishers: [] });
    await play.clock.advance(100);
    play.engine.restartServer();
    await play.clock.advance(60_000);
    const names = new Set(attempts.map(({ id }) => id));
    expect([attempts.filter(({ id }) => id === attempts[0]?.id).length, names.size]).toEqual([1, 2]);
  });

  it.each([
    ['webhooks-lost', 0],
    ['webhooks-doubled', 2],
  ] as const)('%s: an event arrives %i times', async (name, times) => {
    play.engine.setFault({ name, room: 'talk' });
    play.engine.openRoom('talk', { publishers: [] });
    await play.clock.advance(1_000);
    expect(play.delivered).toHaveLength(times);
    expect(new Set(play.delivered.map(({ body }) => body.toString())).size).toBe(Math.min(times, 1));
  });

  it('webhooks-late: events arrive twenty seconds later, in their order', async () => {
    play.engine.setFault({ name: 'webhooks-late', room: 'talk' });
    play.engine.openRoom('talk', { publishers: ['ann'] });
    await play.clock.advance(19_000);
    expect(play.told).toEqual([]);
    await play.clock.advance(2_000);
    expect(play.told).toEqual(['room_started', 'participant_joined', 'track_published', 'track_published']);
  });

  it('webhooks-reordered: everything arrives, not in its order', async () => {
    play.engine.setFault({ name: 'webhooks-reordered', room: 'talk' });
    play.engine.openRoom('talk', { publishers: ['a', 'b', 'c'] });
    await play.clock.advance(5_000);
    expect(play.told).toHaveLength(10);
    expect(play.told[0]).not.toBe('room_started');
  });

  it('updated-skipped: the list is right, and only the beginning and the end are told', async () => {
    play.engine.setFault({ name: 'updated-skipped', room: 'talk' });
    const egressId = await play.recording('talk');
    await play.answer(play.livekit.stopEgress(egressId));
    await play.clock.advance(5_000);
    expect(play.toldOfEgresses()).toEqual(['egress_started STARTING', 'egress_ended COMPLETE']);
  });
});
