import { RoomServiceClient } from 'livekit-server-sdk';
import type { Config } from '../../src/config/config.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { newToken } from '../../src/kernel/ids.js';
import { JwtWebhookVerifier } from '../../src/livekit/jwt-webhook.verifier.js';
import { RefusedWebhooks } from '../../src/livekit/refused-webhooks.js';
import { HttpLiveKit } from '../../src/livekit/livekit-http.js';
import { FileObjectStorage } from '../../src/storage/file-object-storage.js';
import type { ObjectStorage } from '../../src/storage/object-storage.port.js';
import { S3ObjectStorage } from '../../src/storage/s3-object-storage.js';
import { aConfig } from '../support/a-config.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';
import { cannotFrom, type Patience, type Rig } from './livekit-rig.js';
import { livekitBattery } from './livekit.suite.js';

const NEEDED = [
  'LIVEKIT_URL',
  'LIVEKIT_API_KEY',
  'LIVEKIT_API_SECRET',
  'LIVEKIT_TEST_ROOM',
  'LIVEKIT_WEBHOOK_PORT',
  'STORAGE_URL',
] as const;
const OPTIONAL = [
  'S3_ENDPOINT',
  'S3_REGION',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
  'S3_FORCE_PATH_STYLE',
  'EGRESS_S3_ENDPOINT',
  'LIVEKIT_START_TIMEOUT',
  'LIVEKIT_STOP_TIMEOUT',
  'LIVEKIT_TIMEOUT',
] as const;

/** A worker with few cores: a start may be held while its CPU is taken, a browser takes its time. */
const PATIENCE: Patience = {
  startMs: 60_000,
  activeMs: 45_000,
  endMs: 60_000,
  echoMs: 30_000,
  recordMs: 2_000,
};

const missing = NEEDED.filter((name) => !process.env[name]);

if (missing.length > 0) {
  describe('a real LiveKit server', () => {
    it('is named by the environment', () => {
      const fault = new Error(
        `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not set: name a running LiveKit (LIVEKIT_URL, LIVEKIT_API_KEY, ` +
          'LIVEKIT_API_SECRET), a room of it in which somebody publishes (LIVEKIT_TEST_ROOM), the port of this machine to which it posts ' +
          'its webhooks (LIVEKIT_WEBHOOK_PORT) and the bucket for its egress (STORAGE_URL=s3://bucket/prefix with the S3_ variables).',
      );
      fault.stack = fault.message;
      throw fault;
    });
  });
} else {
  const without = process.env.LIVEKIT_TEST_WITHOUT ?? '';
  livekitBattery('a real server', openRealLiveKit, cannotFrom(without, 'LIVEKIT_TEST_WITHOUT says so'));
}

async function openRealLiveKit(): Promise<Rig> {
  const names = [...NEEDED, ...OPTIONAL].filter((name) => process.env[name]);
  const env = Object.fromEntries(names.map((name) => [name, process.env[name] ?? '']));
  const config = aConfig(env);
  const secret = `not-the-secret-${newToken()}`;
  const clock = new SystemClock();
  const storage = storageOf(config, clock);
  await storage.check();
  const port = Number(env.LIVEKIT_WEBHOOK_PORT);
  const webhooks = await WebhookReceiver.listen(
    new JwtWebhookVerifier(config, clock, new RefusedWebhooks(clock)),
    {
      host: '0.0.0.0',
      port,
    },
  );
  const rooms = new RoomServiceClient(config.livekit.url, config.livekit.apiKey, config.livekit.apiSecret);
  const opened: string[] = [];
  return {
    livekit: new HttpLiveKit(config),
    stranger: { livekit: new HttpLiveKit(aConfig({ ...env, LIVEKIT_API_SECRET: secret })), secret },
    room: env.LIVEKIT_TEST_ROOM ?? '',
    storage,
    patience: PATIENCE,
    events: () => webhooks.events,
    refusedWebhooks: () => webhooks.refusals,
    silentRoom: async () => {
      const { name } = await rooms.createRoom({ name: `silent-${newToken()}`, emptyTimeout: 300 });
      opened.push(name);
      return name;
    },
    close: async () => {
      for (const name of opened) await rooms.deleteRoom(name);
      await webhooks.close();
    },
  };
}

function storageOf({ storage }: Config, clock: SystemClock): ObjectStorage {
  return storage.kind === 's3'
    ? new S3ObjectStorage(storage, clock)
    : new FileObjectStorage(storage.folder, clock);
}
