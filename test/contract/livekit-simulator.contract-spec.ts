import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../src/kernel/clock.js';
import { newToken } from '../../src/kernel/ids.js';
import { JwtWebhookVerifier } from '../../src/livekit/jwt-webhook.verifier.js';
import { RefusedWebhooks } from '../../src/livekit/refused-webhooks.js';
import { HttpLiveKit } from '../../src/livekit/livekit-http.js';
import { InProcessLiveKit } from '../../src/livekit/simulator/in-process.js';
import { type RunningSimulator, startSimulator } from '../../src/livekit/simulator/start-simulator.js';
import { scaledTimings } from '../../src/livekit/simulator/timings.js';
import { FileObjectStorage } from '../../src/storage/file-object-storage.js';
import { aConfig } from '../support/a-config.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';
import type { Patience, Rig } from './livekit-rig.js';
import { livekitBattery } from './livekit.suite.js';

const KEYS = { apiKey: 'devkey', apiSecret: 'devsecret-devsecret-devsecret-32x' };
const ROOM = 'lively';
const PATIENCE: Patience = {
  startMs: 10_000,
  activeMs: 10_000,
  endMs: 10_000,
  echoMs: 10_000,
  recordMs: 200,
};

/** Ten times as fast as a real one, but for the uploads: a second stop must find the egress ENDING on a busy machine too. */
const FAST = scaledTimings(0.1);
const TIMINGS = {
  ...FAST,
  audio: { ...FAST.audio, uploadMs: 400 },
  browser: { ...FAST.browser, uploadMs: 400 },
};

livekitBattery('the simulator on the wire', () => openSimulator('wire'));
livekitBattery('the simulator in the process', () => openSimulator('in-process'), {
  'bad credentials': 'nothing is signed inside the process',
});

async function openSimulator(door: 'wire' | 'in-process'): Promise<Rig> {
  const clock = new SystemClock();
  const folder = await mkdtemp(join(tmpdir(), 'tallylight-battery-'));
  const config = aConfig({ LIVEKIT_API_KEY: KEYS.apiKey, LIVEKIT_API_SECRET: KEYS.apiSecret });
  const webhooks = await WebhookReceiver.listen(
    new JwtWebhookVerifier(config, clock, new RefusedWebhooks(clock)),
  );
  const simulator = await startSimulator({
    ...KEYS,
    webhookUrl: webhooks.url,
    rooms: { [ROOM]: {} },
    timings: TIMINGS,
  });
  const onTheWire = (secret: string): HttpLiveKit =>
    new HttpLiveKit(
      aConfig({ LIVEKIT_URL: simulator.url, LIVEKIT_API_KEY: KEYS.apiKey, LIVEKIT_API_SECRET: secret }),
    );
  const secret = `not-the-secret-${newToken()}`;
  return {
    livekit: door === 'wire' ? onTheWire(KEYS.apiSecret) : new InProcessLiveKit(simulator.engine),
    stranger: door === 'wire' ? { livekit: onTheWire(secret), secret } : null,
    room: ROOM,
    silentRoom: () => Promise.resolve(openSilentRoom(simulator)),
    storage: new FileObjectStorage(folder, clock),
    patience: PATIENCE,
    events: () => webhooks.events,
    refusedWebhooks: () => webhooks.refusals,
    close: async () => {
      await simulator.close();
      await webhooks.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function openSilentRoom({ engine }: RunningSimulator): string {
  const name = `silent-${newToken()}`;
  engine.openRoom(name, { publishers: [] });
  return name;
}
