import { createHash } from 'node:crypto';
import { SignJWT } from 'jose';
import {
  ADMIN_KEY,
  API_KEY,
  API_SECRET,
  startStack,
  type TestInstance,
  type TestStack,
} from '../support/app.js';

interface Line {
  readonly level: string;
  readonly context?: string;
  readonly event?: string;
  readonly reason?: string;
  readonly msg: string;
}

const OTHER = { apiKey: 'olderkey', apiSecret: 'the-secret-of-the-older-key-pair' };

describe('what an instance says of its surroundings', () => {
  let stack: TestStack;
  let instance: TestInstance;
  const lines: Line[] = [];

  beforeAll(async () => {
    stack = await startStack({ LIVEKIT_API_KEYS: `${OTHER.apiKey}: ${OTHER.apiSecret}` });
    instance = await stack.start({}, { onLog: (line) => lines.push(JSON.parse(line) as Line) });
  });
  afterAll(() => stack.close());

  const body = JSON.stringify({ event: 'room_started', id: 'EV_1', createdAt: '1', room: { name: 'a' } });
  const post = async (
    { apiKey, apiSecret }: { apiKey: string; apiSecret: string },
    { signedInS = 0, sent = body }: { signedInS?: number; sent?: string } = {},
  ): Promise<number> => {
    const at = Math.floor(Date.now() / 1_000) + signedInS;
    const token = await new SignJWT({ sha256: createHash('sha256').update(body).digest('base64') })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(apiKey)
      .setNotBefore(at)
      .setIssuedAt(at)
      .setExpirationTime(at + 300)
      .sign(new TextEncoder().encode(apiSecret));
    const answer = await fetch(`${instance.url}/livekit/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/webhook+json', authorization: token },
      body: sent,
    });
    return answer.status;
  };
  const told = (reason: string): string[] =>
    lines.filter((line) => line.event === 'webhook_refused' && line.reason === reason).map(({ msg }) => msg);
  const mine = { apiKey: API_KEY, apiSecret: API_SECRET };

  it('at a first start on an empty folder warns of nothing that is lost', () => {
    // That the console is not built is no matter of this one.
    const warned = lines.filter(
      ({ level, context }) => ['warn', 'error'].includes(level) && context !== 'Console',
    );
    expect(warned).toEqual([]);
    expect(lines.length).toBeGreaterThan(0);
  });

  it('takes webhooks of each of its key pairs, and tells once a minute why it refuses others', async () => {
    expect([await post(mine), await post(OTHER)]).toEqual([200, 200]);
    for (let i = 0; i < 3; i += 1) {
      expect(await post({ ...mine, apiSecret: 'another-secret-of-nobody-at-all-here' })).toBe(401);
      expect(await post(mine, { sent: `${body} ` })).toBe(401);
    }
    expect(told('bad-signature')).toEqual([expect.stringContaining('check LIVEKIT_API_KEY')]);
    expect(told('other-body')).toEqual([expect.stringContaining('does a proxy change it?')]);
    const page = await fetch(`${instance.url}/metrics`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    expect(await page.text()).toMatch(
      /tallylight_livekit_webhooks_refused_total\{[^}]*reason="bad-signature"[^}]*\} 3/,
    );
  });

  it('tolerates a clock that is half a minute off, and says of one that is further off by how much', async () => {
    expect([await post(mine, { signedInS: 30 }), await post(mine, { signedInS: -320 })]).toEqual([200, 200]);
    expect(await post(mine, { signedInS: 300 })).toBe(401);
    expect(told('clock')).toEqual([expect.stringMatching(/(299|300) s ahead of our clock/)]);
  });
});
