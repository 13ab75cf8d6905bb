import { Writable } from 'node:stream';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { findChromium, launchChromium, watchForTrouble } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { DELETE, STOP } from '../support/operations.js';
import { becomes, livekitToken, openRoom, started } from '../support/recording-life.js';

const LINK = 'id views maxViews createdBy allowDownload expiresAt lastViewedAt revokedAt recording { id }';
const CREATE = `mutation($input: CreateShareLinkInput!) { createShareLink(input: $input) { url shareLink { ${LINK} } } }`;
const REVOKE = `mutation($id: ID!) { revokeShareLink(id: $id) { ${LINK} } }`;
const LINKS = `query($id: ID!) { recording(id: $id) { shareLinks { ${LINK} } } }`;

interface LinkSeen {
  readonly id: string;
  readonly views: number;
  readonly revokedAt: string | null;
}
interface Made {
  readonly url: string;
  readonly shareLink: LinkSeen;
}

describe('share links', () => {
  let stack: TestStack;
  let one: TestInstance;
  let two: TestInstance;
  let id: string;

  beforeAll(async () => {
    stack = await startStack();
    one = await stack.start();
    two = await stack.start();
    await openRoom(stack, one, 'shared');
    id = (await started(one, 'shared')).id;
    await one.graphql(STOP, { id });
    await becomes(one, id, { status: 'COMPLETE' });
  });
  afterAll(() => stack.close());

  const make = async (input: object = {}, key?: string): Promise<Made & { path: string }> => {
    const answer = await one.graphql<{ createShareLink: Made } | null>(
      CREATE,
      { input: { recordingId: id, ...input } },
      key,
    );
    if (!answer.data) throw new Error(`${answer.code} ${answer.errors[0]?.message}`);
    const made = answer.data.createShareLink;
    return { ...made, path: new URL(made.url).pathname };
  };
  const open = (path: string, init?: RequestInit, at = two): Promise<Response> =>
    fetch(`${at.url}${path}`, init);
  const statusOf = async (path: string, init?: RequestInit): Promise<number> => {
    const answer = await open(path, init);
    await answer.arrayBuffer();
    return answer.status;
  };
  const linksOf = async (key?: string): Promise<LinkSeen[] | null> =>
    (await two.graphql<{ recording: { shareLinks: LinkSeen[] | null } }>(LINKS, { id }, key)).data.recording
      .shareLinks;

  it('open a page that plays one recording, without a script, and are counted by visits', async () => {
    const { path, shareLink } = await make();
    expect(path).toMatch(/^\/s\/[A-Za-z0-9_-]{22,}$/);
    const page = await open(path);
    const html = await page.text();
    expect(page.status).toBe(200);
    expect(html).toContain(`src="${path.slice(3)}/media"`);
    expect(html).not.toMatch(/<script/i);
    expect(page.headers.get('x-robots-tag')).toContain('noindex');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const range of ['bytes=0-9', 'bytes=10-19', 'bytes=-5']) {
      const part = await open(`${path}/media`, { headers: { range } });
      expect([part.status, part.headers.get('x-robots-tag')]).toEqual([206, 'noindex, nofollow']);
      await part.arrayBuffer();
    }
    expect(await statusOf(path, { method: 'HEAD' })).toBe(200);
    const [seen] = (await linksOf()) ?? [];
    expect(seen).toMatchObject({ id: shareLink.id, views: 1, createdBy: 'key:admin', recording: { id } });
  });

  const chromium = findChromium();
  const withBrowser = chromium === null ? describe.skip : describe; // there is no Chromium on this machine

  withBrowser('in a browser', () => {
    it('play, light and dark, on a phone of 320 px, with nothing refused or asked of others', async () => {
      const { path } = await make({ allowDownload: true });
      const browser = await launchChromium(chromium ?? '');
      try {
        for (const colorScheme of ['light', 'dark'] as const) {
          const page = await browser.newPage({ colorScheme, viewport: { width: 320, height: 640 } });
          const trouble = watchForTrouble(page, two.url);
          await page.goto(`${two.url}${path}`);
          await eventually(
            async () =>
              Number(await page.evaluate("document.querySelector('video, audio').readyState")) > 0 ||
              'it has no media yet',
          );
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
          const back = await page.evaluate('getComputedStyle(document.body).backgroundColor');
          expect(back).toBe(colorScheme === 'light' ? 'rgb(246, 247, 249)' : 'rgb(17, 19, 24)');
          expect(await page.locator('footer').textContent()).toContain('This link ends');
          expect(trouble).toEqual([]);
          await page.close();
        }
      } finally {
        await browser.close();
      }
    });
  });

  it('give the media away only where that was allowed', async () => {
    const kept = await make();
    const given = await make({ allowDownload: true });
    expect(await statusOf(`${kept.path}/media?download=1`)).toBe(403);
    const answer = await open(`${given.path}/media?download=1`);
    expect(answer.headers.get('content-disposition')).toContain('attachment');
    await answer.arrayBuffer();
  });

  it('end with their last view, exactly, however many come at once; the last visit plays on', async () => {
    const { path } = await make({ maxViews: 3 });
    const statuses = await Promise.all(Array.from({ length: 8 }, () => statusOf(path)));
    expect(statuses.toSorted()).toEqual([200, 200, 200, 410, 410, 410, 410, 410]);
    expect(await statusOf(`${path}/media`)).toBe(200);
  });

  it('are no way around the count: media without a visit is one', async () => {
    const { path, shareLink } = await make({ maxViews: 1 });
    expect(await statusOf(`${path}/media`, { headers: { range: 'bytes=0-1' } })).toBe(206);
    expect(await statusOf(path)).toBe(410);
    expect((await linksOf())?.find(({ id: one }) => one === shareLink.id)?.views).toBe(1);
  });

  it('end everywhere when they are revoked; an unknown one looks the same but for its status', async () => {
    const { path, shareLink } = await make();
    const revoked = await one.graphql<{ revokeShareLink: LinkSeen }>(REVOKE, { id: shareLink.id });
    expect(revoked.data.revokeShareLink.revokedAt).not.toBeNull();
    expect((await one.graphql(REVOKE, { id: shareLink.id })).data).toEqual(revoked.data);
    const [over, unknown] = [await open(path), await open(`/s/${'x'.repeat(43)}`)];
    expect([over.status, unknown.status]).toEqual([410, 404]);
    expect(await over.text()).toBe(await unknown.text());
    expect(await statusOf(`${path}/media`)).toBe(410);
    expect(await statusOf(`/s/${'x'.repeat(43)}/media`)).toBe(404);
    expect(await statusOf('/s/short')).toBe(404);
  });

  it('are made and revoked by who may share what it may read, and shown to nobody else', async () => {
    const { shareLink } = await make();
    const viewer = await livekitToken({ roomJoin: true, room: 'shared' });
    const recorder = await livekitToken({ roomRecord: true, room: 'shared' });
    const outsider = await livekitToken({ roomRecord: true, room: 'share' });
    const created = async (key: string): Promise<string | null> =>
      (await one.graphql(CREATE, { input: { recordingId: id } }, key)).code;
    expect([await created(viewer), await created(recorder), await created(outsider)]).toEqual([
      'FORBIDDEN',
      null,
      'RECORDING_NOT_FOUND',
    ]);
    const revoked = async (key: string): Promise<string | null> =>
      (await one.graphql(REVOKE, { id: shareLink.id }, key)).code;
    expect([await revoked(outsider), await revoked(viewer), await revoked(recorder)]).toEqual([
      'SHARE_LINK_NOT_FOUND',
      'FORBIDDEN',
      null,
    ]);
    expect(await linksOf(viewer)).toBeNull();
    expect((await linksOf(recorder))?.length).toBeGreaterThan(0);
    expect((await one.graphql(REVOKE, { id: 'nonsense' })).code).toBe('SHARE_LINK_NOT_FOUND');
  });

  it.each([
    [{ expiresInSeconds: 59 }, 'input.expiresInSeconds'],
    [{ expiresInSeconds: 31_536_001 }, 'input.expiresInSeconds'],
    [{ maxViews: 0 }, 'input.maxViews'],
  ])('are refused as %j', async (input, field) => {
    const { code, errors } = await one.graphql(CREATE, { input: { recordingId: id, ...input } });
    expect([code, errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', field]);
  });

  it('are guessed by nobody: links that never were count as wrong credentials', async () => {
    const limited = await stack.start({ RATE_LIMIT: 'on' });
    const { path } = await make();
    const made = (i: number): string => `/s/${String(i).padStart(43, 'x')}`;
    let last: Response | undefined;
    for (let i = 0; i < 40 && last?.status !== 429; i += 1) {
      const guesses = Array.from({ length: 10 }, (_, n) => open(made(i * 10 + n), {}, limited));
      for (const answer of await Promise.all(guesses)) if (last?.status !== 429) last = answer;
    }
    expect(last?.status).toBe(429);
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await last?.text()).toContain('Not available right now');
    expect((await open(path, {}, limited)).status).toBe(200);
    await limited.close();
  });

  it('stand in no log, and in Redis and the storage as hashes', async () => {
    const lines: string[] = [];
    const log = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString());
        done();
      },
    });
    const { createLogger } = await import('../../src/ops/logger.js');
    const { Instance } = await import('../../src/config/instance.js');
    const { aConfig } = await import('../support/a-config.js');
    const { path } = await make();
    createLogger(aConfig(), Instance.ofThisProcess(), log).warn({ message: 'request refused', path });
    expect(lines.join('')).toContain('request refused');
    expect(lines.join('')).not.toContain(path.slice(3));
    expect(JSON.stringify(await stack.redisClient.hgetall('{tl}:kept:links'))).not.toContain(path.slice(3));
  });

  it('come back from the storage alone, with what was counted and revoked; end with their recording', async () => {
    const [open_, over] = [await make({ maxViews: 2 }), await make()];
    await one.graphql(REVOKE, { id: over.shareLink.id });
    expect(await statusOf(open_.path)).toBe(200);
    await eventually(
      async () => (await stack.redisClient.zcard('{tl}:kept:unsaved')) === 0 || 'the views are not saved yet',
    );
    await stack.redisClient.flushall();
    await eventually(async () => (await statusOf(`${open_.path}/media`)) === 200 || 'not back');
    expect(await statusOf(over.path)).toBe(410);
    expect([await statusOf(open_.path), await statusOf(open_.path)]).toEqual([200, 410]);
    const { path } = await make();
    await one.graphql(DELETE, { id });
    expect(await statusOf(path)).toBe(410);
    expect(await statusOf(`${path}/media`)).toBe(410);
  });
});
