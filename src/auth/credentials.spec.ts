import { SignJWT, UnsecuredJWT } from 'jose';
import type { Actor } from '../kernel/actor.js';
import { isTallyError } from '../kernel/errors.js';
import { aConfig } from '../../test/support/a-config.js';
import { MemoryKeptStore } from '../../test/support/memory-kept-store.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { type ApiKeyDoc, handlesOf } from './api-key.js';
import type { ApiKeyUses } from './api-key-uses.js';
import { KnownApiKeys } from './api-keys.js';
import { hashApiKey, isWellFormedApiKey, newApiKey, prefixOf } from './api-key-format.js';
import { authenticateBasicOrBearer } from './basic.js';
import { BearerCredentials } from './credentials.js';
import type { RedisConnections } from '../redis/redis.connections.js';
import { RateLimits } from './rate-limits.js';
import type { SignInFailures } from './sign-in-failures.js';
import { LiveKitTokens } from './livekit-token.js';

const NOW = Date.UTC(2026, 10, 22, 10, 15, 30);
const SECRET = 'a-secret-of-the-livekit-key-pair';

const uses = { note: () => Promise.resolve(), read: () => Promise.resolve([]) } as unknown as ApiKeyUses;

const NO_REDIS = { command: {} } as unknown as RedisConnections;

const credentialsWith = (
  adminKey = 'tl_0123456789abcdef',
  store = new MemoryKeptStore(),
  env: Record<string, string> = {},
): BearerCredentials => {
  const config = aConfig({ TALLYLIGHT_ADMIN_KEY: adminKey, LIVEKIT_API_SECRET: SECRET, ...env });
  const clock = new VirtualClock(NOW);
  const keys = new KnownApiKeys(config, store, uses, clock);
  const failures = { tell: () => undefined } as unknown as SignInFailures;
  const limits = new RateLimits(config, NO_REDIS, clock);
  return new BearerCredentials(keys, new LiveKitTokens(config, clock), failures, limits);
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
        actor: { name: 'key:admin', callerId: 'key:admin', role: 'ADMIN', rooms: null, mayDelete: true },
        expiresAt: null,
        mayEnd: false,
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
    [`Bearer${' '.repeat(8_000)}`, 'not of the form'],
    [`Bearer${' '.repeat(200_000)}x`, 'longer than 8 KiB'],
    [`Bearer ${'a.'.repeat(100_000)}`, 'longer than 8 KiB'],
    [`Basic ${'Q'.repeat(100_000)}`, 'longer than 8 KiB'],
    ['Basic dGw6dGw=', 'not of the form'],
    ['Bearer tl_0123456789abcdeF', 'this API key is mistyped or not whole'],
    ['Bearer tl_', 'this API key is mistyped or not whole'],
    [`Bearer ${newApiKey()}`, 'this API key is not known'],
    ['Bearer something-else-entirely', 'neither a known API key nor'],
    ['Bearer a.b.c', 'was not signed with'],
  ])('%s is refused with a sentence that helps', async (authorization, sentence) => {
    const told = await refusal(credentialsWith().authenticate(authorization));
    expect(told).toMatch(/^UNAUTHENTICATED /);
    expect(told).toContain(sentence);
  });
});

describe('an API key that was created', () => {
  const secret = newApiKey();
  const hash = hashApiKey(secret).toString('hex');
  const a = (given: Partial<ApiKeyDoc> = {}): ApiKeyDoc => ({
    id: 'key_1',
    name: 'ci',
    prefix: prefixOf(secret),
    role: 'RECORDER',
    roomIds: null,
    createdAt: NOW,
    createdBy: 'key:admin',
    expiresAt: null,
    revokedAt: null,
    secrets: [{ hash, until: null }],
    ...given,
  });
  const identify = async (key: ApiKeyDoc): Promise<string> => {
    const store = new MemoryKeptStore();
    const next = { doc: key, handles: [hash, ...handlesOf(key)] };
    await store.commit({ collection: 'keys', id: key.id, before: null, next });
    return refusal(credentialsWith(undefined, store).identify(`Bearer ${secret}`));
  };

  it('is well formed, and no character of it can be mistaken', () => {
    expect(secret).toMatch(/^tl_[0-9A-Za-z]{49}$/);
    for (let at = 3; at < secret.length; at += 1) {
      const other = secret[at] === 'a' ? 'b' : 'a';
      expect(isWellFormedApiKey(secret.slice(0, at) + other + secret.slice(at + 1))).toBe(false);
    }
  });

  it.each<[Partial<ApiKeyDoc>, string]>([
    [{}, '"name":"key:ci","callerId":"key:key_1","role":"RECORDER","rooms":null,"mayDelete":false'],
    [{ role: 'ADMIN' }, '"mayDelete":true'],
    [{ expiresAt: NOW + 1 }, `"expiresAt":${NOW + 1}`],
    [{ expiresAt: NOW }, 'has expired'],
    [{ revokedAt: NOW - 1 }, 'was revoked'],
    [{ secrets: [{ hash, until: NOW + 5 }] }, `"expiresAt":${NOW + 5}`],
    [{ secrets: [{ hash, until: NOW + 5 }], expiresAt: NOW + 3 }, `"expiresAt":${NOW + 3}`],
    [{ secrets: [{ hash, until: NOW }] }, 'was rotated'],
    [{ name: 'a\u202eb\n' + 'x'.repeat(200) }, `"name":"key:ab${'x'.repeat(122)}"`],
  ])('as %j is told %s', async (given, told) => {
    expect(await identify(a(given))).toContain(told);
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
      name: 'livekit:alice',
      callerId: 'identity:alice',
      role,
      rooms: null,
      mayDelete,
    });
  });

  it.each([
    ['team-a', ['team-a']],
    ['', []],
    ['team/standup', ['team/standup']],
    ['no\nroom', []],
  ])('with the room "%s" sees only %j', async (room, rooms) => {
    await expect(admitted({ video: { roomAdmin: true, room } })).resolves.toMatchObject({ rooms });
  });

  it('without an identity is not taken for the ADMIN key nor for another identity', async () => {
    const actor = await admitted({ video: { roomAdmin: true } });
    expect(actor).toMatchObject({ name: 'livekit:devkey', callerId: 'livekit-key:devkey null' });
    const ofOneRoom = await admitted({ video: { roomAdmin: true, room: 'a' } });
    expect(ofOneRoom.callerId).not.toBe(actor.callerId);
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

describe('a LiveKit access token of a further key pair', () => {
  const other = 'another-secret-of-a-livekit-key-pair';
  const config = aConfig({
    LIVEKIT_API_SECRET: SECRET,
    LIVEKIT_API_KEYS: `olderkey: ${other}, third: ${'x'.repeat(32)}`,
  });
  const tokens = new LiveKitTokens(config, new VirtualClock(NOW));

  it.each<[string, TokenParts, string]>([
    ['is accepted', { iss: 'olderkey', secret: other }, 'allowed'],
    ['is accepted as before with the first pair', {}, 'allowed'],
    ["is refused with the other's secret", { iss: 'olderkey' }, 'was not signed with'],
    ["is refused with the other's key", { secret: other }, 'was not signed with'],
    ['is refused with a key that is none of them', { iss: 'fourth', secret: other }, 'was not signed with'],
  ])('%s', async (_, parts, told) => {
    const made = await token({ video: { roomJoin: true }, sub: 'alice', ...parts });
    expect(await refusal(tokens.identify(made))).toContain(told);
  });
});

describe('an ADMIN page', () => {
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const enter = (authorization: string | undefined): Promise<Actor> =>
    authenticateBasicOrBearer(
      credentialsWith(),
      { headers: { authorization }, ip: '127.0.0.1' },
      'look at the queues',
    );

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
      'FORBIDDEN livekit:alice may not look at the queues: that needs the role ADMIN',
    );
  });
});

describe('limits', () => {
  const KEY = 'tl_0123456789abcdef';
  const limited = (): BearerCredentials => credentialsWith(KEY, new MemoryKeptStore(), { RATE_LIMIT: 'on' });

  async function until(refused: RegExp, ask: () => Promise<unknown>): Promise<number> {
    for (let asked = 0; asked < 5_000; asked += 1) if (refused.test(await refusal(ask()))) return asked;
    return Infinity;
  }

  it('a wrong credential counts more than none, and whoever is known passes all the same', async () => {
    const credentials = limited();
    const good = (): Promise<unknown> => credentials.identify(`Bearer ${KEY}`, '10.0.0.1');
    await good();
    expect(
      await until(/^RATE_LIMITED too many requests/, () => credentials.identify('Bearer tl_x', '10.0.0.1')),
    ).toBe(200);
    expect(await refusal(good())).toMatch(/^allowed/);
    expect(await refusal(credentials.identify(undefined, '10.0.0.1'))).toMatch(/^RATE_LIMITED/);
    expect(await until(/^RATE_LIMITED/, () => credentials.identify(undefined, '10.0.0.2'))).toBe(1_000);
  });

  it('one caller may ask so often and no more, wherever it asks from', async () => {
    const credentials = limited();
    let address = 0;
    const ask = (): Promise<unknown> => credentials.identify(`Bearer ${KEY}`, `10.0.0.${(address += 1) % 9}`);
    expect(await until(/^RATE_LIMITED/, ask)).toBe(2_000);
    await expect(ask()).rejects.toMatchObject({ subject: { retryAfter: expect.any(Number) } });
  });

  it('are none where they are switched off, and for what is no request', async () => {
    const [off, on] = [credentialsWith(KEY), limited()];
    const names = new Set<string>();
    for (let asked = 0; asked < 3_000; asked += 1) {
      names.add((await off.identify(`Bearer ${KEY}`, '10.0.0.1')).actor.name);
      names.add((await on.identify(`Bearer ${KEY}`)).actor.name);
    }
    expect([...names]).toEqual(['key:admin']);
  });
});
