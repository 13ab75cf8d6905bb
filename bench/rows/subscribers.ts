import { WebSocket } from 'ws';
import { eventually } from '../../test/support/eventually.js';
import { openPlanter } from '../../test/support/planted-recordings.js';
import type { Bench, Figures } from '../support/figures.js';
import { percentiles, rounded } from '../support/figures.js';
import { pause, times } from '../support/load.js';
import { Target } from '../support/target.js';

const EVENTS_PER_SECOND = 10;
/** Fewer than one caller may have. */
const PER_CALLER = 900;
const CREATE_KEY =
  'mutation ($name: String!) { createApiKey(input: { name: $name, role: VIEWER }) { secret } }';
const SUBSCRIBE =
  'subscription { recordingEvents { cursor type at previousStatus recording { id roomId status version labels } } }';
/** One message in so many is read, so that the reading is not what is measured. */
const READ_EVERY = 25;

export const subscribers: Bench = {
  name: 'subscribers',
  measures: '5,000 who hear of every event, 10 events a second, on one instance; one of them is stuck',
  run: async ({ quick }) => {
    const target = await Target.start();
    const sockets: WebSocket[] = [];
    try {
      return [await run(target, sockets, quick ? 100 : 5_000, quick ? 3 : 20)];
    } finally {
      for (const socket of sockets) socket.terminate();
      await target.close();
    }
  },
};

async function run(target: Target, sockets: WebSocket[], count: number, seconds: number): Promise<Figures> {
  const keys: string[] = [];
  for (let i = 0; i * PER_CALLER < count; i += 1) {
    const { createApiKey } = await target.graphql<{ createApiKey: { secret: string } }>(CREATE_KEY, {
      name: `bench ${i}`,
    });
    keys.push(createApiKey.secret);
  }
  const lags: number[] = [];
  let received = 0;
  const hear = (data: Buffer): void => {
    received += 1;
    if (received % READ_EVERY !== 0) return;
    const at = /"at":"([^"]+)"/.exec(data.toString('latin1'))?.[1];
    if (at !== undefined) lags.push(Date.now() - Date.parse(at));
  };
  await times(count, 32, async (i) => {
    sockets.push(await subscribed(target, keys[Math.floor(i / PER_CALLER)]!, hear));
  });
  // It reads nothing any more.
  sockets[0]?.pause();
  const planter = openPlanter(target.redis.url);
  await planter.plant();
  await pause(2_000);
  const cpuBefore = target.usage().cpuMs;
  received = 0;
  lags.length = 0;
  const events = EVENTS_PER_SECOND * seconds;
  const begun = Date.now();
  for (let i = 0; i < events; i += 1) {
    await pause(Math.max(0, begun + (i * 1_000) / EVENTS_PER_SECOND - Date.now()));
    await planter.plant();
  }
  const expected = (count - 1) * events;
  await eventually(() => received >= expected || `${received} of ${expected} messages came`, {
    withinMs: 120_000,
  });
  const took = (Date.now() - begun) / 1_000;
  planter.close();
  const usage = target.usage();
  return {
    what: `${count} subscribers, ${EVENTS_PER_SECOND} events a second`,
    conditions: { subscribers: count, events, stuck: 1 },
    latencyMs: percentiles(lags),
    perSecond: rounded(received / took, 0),
    cpuMsEach: rounded((usage.cpuMs - cpuBefore) / received, 4),
    peakRssMiB: rounded(usage.peakRssMiB, 0),
  };
}

function subscribed(target: Target, key: string, hear: (data: Buffer) => void): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${target.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      perMessageDeflate: false,
    });
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`a subscriber was sent away with ${code}`)));
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } })),
    );
    socket.on('message', (data: Buffer) => {
      if (data.includes('"type":"next"')) return hear(data);
      if (data.includes('connection_ack')) {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: SUBSCRIBE } }));
        resolve(socket);
      } else if (data.includes('"type":"ping"')) socket.send('{"type":"pong"}');
      else if (data.includes('"type":"error"')) reject(new Error(data.toString()));
    });
  });
}
