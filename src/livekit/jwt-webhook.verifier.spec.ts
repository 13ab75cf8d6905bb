import { SignJWT } from 'jose';
import { createHash } from 'node:crypto';
import { aConfig } from '../../test/support/a-config.js';
import {
  GOLDEN_CASES,
  GOLDEN_KEYS,
  goldenCase,
  type GoldenWebhook,
} from '../../test/support/golden-payloads.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { JwtWebhookVerifier } from './jwt-webhook.verifier.js';
import { RefusedWebhooks } from './refused-webhooks.js';
import type { LiveKitEvent } from './livekit.types.js';

const DAY_MS = 86_400_000;
const every = GOLDEN_CASES.flatMap(({ case: name, webhooks }) =>
  webhooks.map((webhook, index) => {
    const { event } = JSON.parse(webhook.body) as { event: string };
    return { title: `${name} ${index + 1}, ${event}`, webhook, event };
  }),
);

/** When the webhook was signed: its own five minutes are over. */
function signedAtMs({ headers }: GoldenWebhook): number {
  const claims = Buffer.from(headers.Authorization?.split('.')[1] ?? '', 'base64url').toString('utf8');
  return (JSON.parse(claims) as { nbf: number }).nbf * 1_000;
}

function verifierAt(nowMs: number, keys = GOLDEN_KEYS): JwtWebhookVerifier {
  const config = aConfig({ LIVEKIT_API_KEY: keys.apiKey, LIVEKIT_API_SECRET: keys.apiSecret });
  return new JwtWebhookVerifier(
    config,
    new VirtualClock(nowMs),
    new RefusedWebhooks(new VirtualClock(nowMs)),
  );
}

function verifyAtItsTime(webhook: GoldenWebhook): Promise<LiveKitEvent> {
  return verifierAt(signedAtMs(webhook)).verify(Buffer.from(webhook.body), webhook.headers.Authorization);
}

async function sign(body: string, claims: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ sha256: createHash('sha256').update(body).digest('base64'), ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(GOLDEN_KEYS.apiKey)
    .setExpirationTime(2_000)
    .sign(new TextEncoder().encode(GOLDEN_KEYS.apiSecret));
}

const KIND: Record<string, LiveKitEvent['kind']> = {
  room_started: 'room-started',
  room_finished: 'room-finished',
  participant_joined: 'participant-joined',
  participant_left: 'participant-left',
  track_published: 'other',
  track_unpublished: 'other',
  egress_started: 'egress',
  egress_updated: 'egress',
  egress_ended: 'egress',
};

describe('a webhook that a real server signed', () => {
  it.each(every)('is believed at its time and keeps what it says through JSON: $title', async (one) => {
    const event = await verifyAtItsTime(one.webhook);
    const body = JSON.parse(one.webhook.body) as { id: string; createdAt: string };
    expect(event).toMatchObject({
      id: body.id,
      createdAtMs: Number(body.createdAt) * 1_000,
      kind: KIND[one.event],
    });
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
  });

  it('names the recorder as one when it joins and leaves', async () => {
    const [, , , , joined, , , left] = goldenCase('audio-complete').webhooks;
    for (const [webhook, kind] of [
      [joined, 'participant-joined'],
      [left, 'participant-left'],
    ] as const) {
      expect(await verifyAtItsTime(webhook!)).toMatchObject({
        kind,
        roomName: 'audio',
        identity: 'EG_kb9t2XUApQX2',
        participantKind: 'egress',
      });
    }
  });
});

describe('a webhook that is not LiveKit’s', () => {
  const [webhook] = goldenCase('audio-complete').webhooks;
  const body = Buffer.from(webhook!.body);
  const token = webhook!.headers.Authorization!;
  const at = signedAtMs(webhook!);

  it.each<[string, () => Promise<LiveKitEvent>]>([
    [
      'has another body than the signed one',
      () => verifierAt(at).verify(Buffer.concat([body, Buffer.from(' ')]), token),
    ],
    ['was signed a day ago', () => verifierAt(at + DAY_MS).verify(body, token)],
    [
      'was signed with another secret',
      () => verifierAt(at, { ...GOLDEN_KEYS, apiSecret: 'x'.repeat(32) }).verify(body, token),
    ],
    [
      'was signed by another key',
      () => verifierAt(at, { ...GOLDEN_KEYS, apiKey: 'other' }).verify(body, token),
    ],
    ['has no signature', () => verifierAt(at).verify(body, undefined)],
    [
      'has an access token instead of a signature',
      async () => verifierAt(1_000_000).verify(body, await sign('', { sha256: undefined })),
    ],
    ['carries a prefix before the token', () => verifierAt(at).verify(body, `Bearer ${token}`)],
  ])('is refused when it %s', async (_case, verify) => {
    await expect(verify()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it.each(['', 'no JSON', '[]', '{}', '{"event":7}'])(
    'is refused as no event when the body is %p',
    async (text) => {
      const refused = verifierAt(1_000_000).verify(Buffer.from(text), await sign(text));
      await expect(refused).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    },
  );
});

describe('an event of a newer server', () => {
  it('is taken as another kind of event, and without an id gets the same one each time', async () => {
    const text = '{"event":"agent_job_done","room":{"name":"r"},"createdAt":"1000","brandNew":{"a":1}}';
    const verify = async (): Promise<LiveKitEvent> =>
      verifierAt(1_000_000).verify(Buffer.from(text), await sign(text));
    const first = await verify();
    expect(first).toMatchObject({
      kind: 'other',
      name: 'agent_job_done',
      roomName: 'r',
      createdAtMs: 1_000_000,
    });
    expect(first.id).toMatch(/^sha256-[0-9a-f]{64}$/);
    expect(await verify()).toEqual(first);
  });
});
