import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { API_KEY, API_SECRET } from '../support/app.js';
import { bent, anyText } from './values.js';
import type { Facts } from './world.js';

export interface FuzzedWebhook {
  readonly body: string;
  readonly signature: 'right' | 'bearer' | 'none' | 'other-body' | 'other-key' | 'expired' | 'bent';
}

const NUMBER_TEXTS = [
  '0',
  '-1',
  '1',
  '1767225600',
  '9223372036854775807',
  '1e99',
  '99999999999999999999',
  '1.5',
  '',
];

/** Signed as LiveKit does, with whatever in it. */
export function anyWebhook(facts: Facts): fc.Arbitrary<FuzzedWebhook> {
  const body = fc.oneof(
    { weight: 8, arbitrary: anyEvent(facts).map((event) => JSON.stringify(event)) },
    { weight: 2, arbitrary: bent(anyEvent(facts).map((event) => JSON.stringify(event))) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: anyText(facts) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        '{}',
        '[]',
        'null',
        `${'['.repeat(100_000)}`,
        `{"event":"${'x'.repeat(900_000)}"}`,
        `{"event":"room_started","room":${'{"room":'.repeat(5_000)}`,
      ),
    },
  );
  const signature = fc.oneof(
    { weight: 12, arbitrary: fc.constant('right' as const) },
    fc.constantFrom<FuzzedWebhook['signature']>(
      'bearer',
      'none',
      'other-body',
      'other-key',
      'expired',
      'bent',
    ),
  );
  return fc.record({ body, signature });
}

function anyEvent(facts: Facts): fc.Arbitrary<unknown> {
  const text = anyText(facts);
  const number = fc.oneof(
    {
      weight: 30,
      arbitrary: fc.constantFrom<string | number>(0, 1, '1767225600', '1767225600000000000', 7_000),
    },
    { weight: 1, arbitrary: fc.oneof(fc.constantFrom<string | number>(...NUMBER_TEXTS), fc.integer(), text) },
  );
  const status = fc.constantFrom<string | number>(
    'EGRESS_ACTIVE',
    'EGRESS_ENDING',
    'EGRESS_COMPLETE',
    'EGRESS_FAILED',
    'EGRESS_ABORTED',
    'EGRESS_LIMIT_REACHED',
    'NONE',
    3,
    99,
    -1,
  );
  const file = fc.record(
    { filename: text, location: text, size: number, duration: number, startedAt: number, endedAt: number },
    { requiredKeys: [] },
  );
  const some = { requiredKeys: [] };
  const egressInfo = fc.record(
    {
      egressId: fc.oneof(fc.constant('EG_fuzz'), text),
      roomId: text,
      roomName: text,
      status,
      startedAt: number,
      endedAt: number,
      updatedAt: number,
      error: text,
      errorCode: number,
      details: text,
      fileResults: fc.array(file, { maxLength: 2 }),
      file,
      roomComposite: fc.record(
        { roomName: text, fileOutputs: fc.array(fc.record({ filepath: text }), { maxLength: 2 }) },
        some,
      ),
      retryCount: number,
    },
    some,
  );
  const room = fc.record(
    { sid: text, name: text, numParticipants: number, creationTime: number, metadata: text },
    some,
  );
  const participant = fc.record(
    {
      identity: text,
      kind: fc.constantFrom<string | number>('EGRESS', 'STANDARD', 'AGENT', 'X', 77),
      state: text,
    },
    some,
  );
  const event = fc.oneof(
    {
      weight: 9,
      arbitrary: fc.constantFrom(
        'egress_started',
        'egress_updated',
        'egress_ended',
        'room_started',
        'room_finished',
        'participant_joined',
        'participant_left',
        'track_published',
        'agent_job_started',
      ),
    },
    text,
  );
  return fc.record(
    { event, id: text, createdAt: number, room, participant, egressInfo, unknown: fc.jsonValue() },
    { requiredKeys: ['event'] },
  );
}

export async function signatureOf({ body, signature }: FuzzedWebhook): Promise<string | null> {
  if (signature === 'none') return null;
  const secret = signature === 'other-key' ? 'another-secret-that-is-long-enough' : API_SECRET;
  const signed = signature === 'other-body' ? `${body} ` : body;
  const sha256 = createHash('sha256').update(Buffer.from(signed)).digest('base64');
  const jwt = await new SignJWT({ sha256 })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(API_KEY)
    .setExpirationTime(signature === 'expired' ? '-1h' : '5m')
    .sign(new TextEncoder().encode(secret));
  if (signature === 'bearer') return `Bearer ${jwt}`;
  return signature === 'bent' ? `${jwt.slice(0, 40)}~${jwt.slice(41)}` : jwt;
}
