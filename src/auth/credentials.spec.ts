import { SignJWT, UnsecuredJWT } from 'jose';
import type { Actor } from '../kernel/actor.js';
import { isTallyError } from '../kernel/errors.js';
import { aConfig } from '../../test/support/a-config.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { ConfiguredApiKeys } from './api-keys.js';
import { authenticateBasicOrBearer } from './basic.js';
import { BearerCredentials } from './credentials.js';
import { LiveKitTokens } from './livekit-token.js';

const NOW = Date.UTC(2026, 10, 22, 10, 15, 30);
const SECRET = 'a-secret-of-the-livekit-key-pair';

const credentialsWith = (adminKey = 'tl_0123456789abcdef'): BearerCredentials => {
  const config = aConfig({ TALLYLIGHT_ADMIN_KEY: adminKey, LIVEKIT_API_SECRET: SECRET });
  return new BearerCredentials(
    new ConfiguredApiKeys(config),
    new LiveKitTokens(config, new VirtualClock(NOW)),
  );
};

interface TokenParts {
  video?: unknown;
  sub?: string;
  iss?: string;
  secret?: string;
  alg?: string;
  expInS?: number | null;
  nbfInS?: number;
}

function token({
  video,
  sub,
  iss = 'devkey',
  secret = SECRET,
  alg = 'HS256',
  expInS = 60,
  nbfInS,
}: TokenParts) {
  const jwt = new SignJWT(video === undefined ? {} : { video }).setProtectedHeader({ alg }).setIssuer(iss);
  if (sub !== undefined) jwt.setSubject(sub);
  if (expInS !== null) jwt.setExpirationTime(NOW / 1000 + expInS);
  if (nbfInS !== undefined) jwt.setNotBefore(NOW / 1000 + nbfInS);
  return jwt.sign(new TextEncoder().encode(secret));
}

async function refusal(of: Promise<unknown>): Promise<string> {
  try {
    return `allowed: ${JSON.stringify(await of)}`;
  } catch (error) {
    return isTallyError(error) ? `${error.code} ${error.message}` : `not a refusal: ${String(error)}`;
  }
}

const admitted = async (parts: TokenParts): Promise<Actor> =>
  credentialsWith().authenticate(`Bearer ${await token(parts)}`);

describe('an API key', () => {
  it.each(['tl_0123456789abcdef', 'without any prefix at all', 'looks.like.a-token'])(
    'the configured one (%s) is the first ADMIN, whatever it looks like',
    async (key) => {
      await expect(credentialsWith(key).identify(`Bearer ${key}`)).resolves.toEqual({
        actor: { name: 'admin', callerId: 'key:admin', role: 'ADMIN', rooms: null, mayDelete: true },
        expiresAt: null,
      });
    },
  );

  it('the scheme is read in any case', async () => {
    await expect(credentialsWith().authenticate('bearer tl_0123456789abcdef')).resolves.toMatchObject({
      role: 'ADMIN',
    });
  });

  it.each([
    [undefined, 'no credential came'],
    ['', 'no credential came'],
    ['tl_0123456789abcdef', 'not of the form'],
    ['Bearer', 'not of the form'],
    ['Basic dGw6dGw=', 'not of the form'],
    ['Bearer tl_0123456789abcdeF', 'this API key is not known'],
    ['Bearer tl_', 'this API key is not known'],
    ['Bearer something-else-entirely', 'neither a known API key nor'],
    ['Bearer a.b.c', 'was not signed with'],
  ])('%s is refused with a sentence that helps', async (authorization, sentence) => {
    const told = await refusal(credentialsWith().authenticate(authorization));
    expect(told).toMatch(/^UNAUTHENTICATED /);
    expect(told).toContain(sentence);
  });
});

describe('a LiveKit access token', () => {
  it.each([
    [{ roomRecord: true }, 'RECORDER', false],
    [{ roomAdmin: true }, 'RECORDER', true],
    [{ roomJoin: true }, 'VIEWER', false],
    [{ roomJoin: true, roomRecord: true }, 'RECORDER', false],
    [{ roomJoin: true, roomAdmin: true, roomRecord: true }, 'RECORDER', true],
    [{ roomJoin: true, roomRecord: false, roomAdmin: false }, 'VIEWER', false],
  ])('with the grants %j is a %s, may delete: %s', async (video, role, mayDelete) => {
    await expect(admitted({ video, sub: 'alice' })).resolves.toEqual({
      name: 'alice',
      callerId: 'identity:alice',
      role,
      rooms: null,
      mayDelete,
    });
  });

  it.each([
    ['team-a', ['team-a']],
    ['', []],
    ['no/room', []],
  ])('with the room "%s" sees only %j', async (room, rooms) => {
    await expect(admitted({ video: { roomAdmin: true, room } })).resolves.toMatchObject({ rooms });
  });

  it('without an identity is not taken for the ADMIN key nor for another identity', async () => {
    const actor = await admitted({ video: { roomAdmin: true } });
    expect(actor).toMatchObject({ name: 'livekit-token', callerId: 'livekit-key:devkey' });
  });

  it.each<[string, TokenParts, string]>([
    ['without a grant that counts', { video: { canPublish: true } }, 'needs one of video.roomJoin'],
    ['without any grant', {}, 'needs one of video.roomJoin'],
    ['whose grants are malformed', { video: { roomJoin: 'yes' } }, 'malformed'],
    ['of another key', { video: { roomJoin: true }, iss: 'otherkey' }, 'issued by another key'],
    [
      'signed with another secret',
      { video: { roomJoin: true }, secret: 'x'.repeat(32) },
      'was not signed with',
    ],
    ['signed by another algorithm', { video: { roomJoin: true }, alg: 'HS512' }, 'was not signed with'],
    ['without an end', { video: { roomJoin: true }, expInS: null }, 'never expires'],
    ['that ended an hour ago', { video: { roomJoin: true }, expInS: -3600 }, 'has expired'],
    ['that ends at this very instant', { video: { roomJoin: true }, expInS: 0 }, 'has expired'],
    ['that begins in a minute', { video: { roomJoin: true }, nbfInS: 60 }, 'not valid yet'],
  ])('%s is refused', async (_, parts, sentence) => {
    const told = await refusal(admitted(parts));
    expect(told).toMatch(/^UNAUTHENTICATED /);
    expect(told).toContain(sentence);
  });

  it('without a signature is refused', async () => {
    const unsigned = new UnsecuredJWT({ video: { roomAdmin: true } })
      .setIssuer('devkey')
      .setExpirationTime(NOW / 1000 + 60)
      .encode();
    expect(await refusal(credentialsWith().authenticate(`Bearer ${unsigned}`))).toMatch(/^UNAUTHENTICATED /);
  });

  it('that was signed by a clock some seconds ahead is valid, and tells when it ends', async () => {
    const bearer = `Bearer ${await token({ video: { roomJoin: true }, nbfInS: 5 })}`;
    await expect(credentialsWith().identify(bearer)).resolves.toMatchObject({ expiresAt: NOW + 60_000 });
  });
});

describe('an ADMIN page', () => {
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const enter = (authorization: string | undefined): Promise<Actor> =>
    authenticateBasicOrBearer(credentialsWith(), authorization, 'look at the queues');

  it.each([
    basic('', 'tl_0123456789abcdef'),
    basic('any one', 'tl_0123456789abcdef'),
    'Bearer tl_0123456789abcdef',
  ])('opens for %s', async (authorization) => {
    await expect(enter(authorization)).resolves.toMatchObject({ role: 'ADMIN' });
  });

  it.each([
    undefined,
    basic('tl_0123456789abcdef', ''),
    basic('x', 'tl_wrong'),
    'Basic',
    'Basic %%%',
    'Basic eA==',
  ])('asks for a key when %s comes', async (authorization) => {
    expect(await refusal(enter(authorization))).toMatch(/^UNAUTHENTICATED /);
  });

  it('is forbidden to a recorder', async () => {
    const bearer = `Bearer ${await token({ video: { roomAdmin: true }, sub: 'alice' })}`;
    expect(await refusal(enter(bearer))).toBe(
      'FORBIDDEN alice may not look at the queues: that needs the role ADMIN',
    );
  });
});
