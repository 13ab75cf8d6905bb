import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { demoMedia } from '../../src/embedded/demo-media/demo-media.js';
import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { ConsoleBrowser } from '../support/console.js';
import { eventually } from '../support/eventually.js';
import { createRoom, startIn, STOP } from '../support/operations.js';
import { plantRecordings } from '../support/planted-recordings.js';

const CREATE_KEY = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
const MANY = 60;
/** Where the pictures of the README are kept; written when CONSOLE_PICTURES=1. */
const PICTURES = join(__dirname, '../../docs/images');
const IS_FOR_PICTURES = process.env.CONSOLE_PICTURES === '1';
/** How long the recording of the pictures is. */
const SHOWN_MS = 8_000;
const VIEWS = [
  '',
  'rooms',
  'system',
  'system?view=sweeps',
  'system?view=queues',
  'system?view=keys',
  'system?view=webhooks',
  'system?view=audit',
] as const;

describe('the views of the console', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let browser: ConsoleBrowser;
  let ended = '';
  let failed = '';
  let viewerKey = '';

  beforeAll(async () => {
    stack = await startStack({ LOG_LEVEL: 'error' }, undefined, {
      recordMedia: demoMedia(() => ['ada', 'grace']),
    });
    instance = await stack.start();
    browser = await ConsoleBrowser.launch();
    for (const id of ['Daily stand-up', 'Town hall']) {
      await createRoom(instance, id, { audioOnly: false });
      stack.simulator.openRoom(id, { publishers: ['ada', 'grace', 'margaret'] });
    }
    for (let n = 0; n < MANY; n += 1) {
      await plantRecordings(stack.redis.url, 1, () => undefined, pastMeeting(n));
    }
    ended = (await startIn(instance, 'Daily stand-up', { labels: { team: 'platform' } })).recording?.id ?? '';
    if (IS_FOR_PICTURES) await setTimeout(SHOWN_MS);
    await instance.graphql(STOP, { id: ended });
    stack.simulator.setFault({ name: 'start-no-capacity', room: 'Town hall', times: 1 });
    failed = (await startIn(instance, 'Town hall')).recordingId ?? '';
    await startIn(instance, 'Town hall', { labels: { audience: 'everybody' } });
    const made = await instance.graphql<{ createApiKey: { secret: string } }>(CREATE_KEY, {
      input: { name: 'support', role: 'VIEWER' },
    });
    viewerKey = made.data.createApiKey.secret;
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });
  afterEach(() => browser.context.close());

  test.each(['light', 'dark'] as const)('axe finds nothing in any view, %s', async (colorScheme) => {
    const page = await browser.newPage(instance.url, { colorScheme });
    await page.goto(instance.url);
    await page.waitForSelector('input[name=key]');
    expect(await browser.axe()).toEqual([]);
    for (const view of [...VIEWS, ended, failed, 'rec_unknown', 'nowhere']) {
      await browser.open(instance.url, view);
      await page.waitForSelector('main h1');
      await page.waitForFunction('!document.querySelector("main")?.textContent.includes("Loading…")');
      expect([view, await browser.axe()]).toEqual([view, []]);
    }
    expect(browser.trouble).toEqual([]);
  });

  test('with forced colours axe finds nothing, and a status is told by more than its colour', async () => {
    const page = await browser.newPage(instance.url, { forcedColors: 'active' });
    for (const view of [...VIEWS, ended, failed]) {
      await browser.open(instance.url, view);
      await page.waitForSelector('main h1');
      await page.waitForFunction('!document.querySelector("main")?.textContent.includes("Loading…")');
      expect([view, await browser.axe()]).toEqual([view, []]);
    }
    await browser.open(instance.url);
    const status = page.locator('.rows [data-status=ACTIVE] .status').first();
    expect(
      await status.evaluate(
        (shown: object) => (globalThis as unknown as Style).getComputedStyle(shown).borderTopWidth,
      ),
    ).not.toBe('0px');
    expect(await status.innerText()).toContain('Recording');
  });

  test('every dialog holds against axe and closes on Escape with the focus where it was', async () => {
    const page = await browser.newPage(instance.url);
    const dialogs = [
      ['rooms', 'New room…'],
      ['rooms', 'Options for recording Daily stand-up'],
      ['system?view=keys', 'New key…'],
      ['system?view=webhooks', 'New endpoint…'],
    ] as const;
    for (const [view, name] of dialogs) {
      await browser.open(instance.url, view);
      const button = page.getByRole('button', { name });
      await button.click();
      await page.waitForSelector('dialog[open]');
      expect([name, await browser.axe()]).toEqual([name, []]);
      await page.keyboard.press('Escape');
      await page.waitForSelector('dialog', { state: 'detached' });
      expect(
        await button.evaluate(
          (one: object) => (globalThis as unknown as Style).document.activeElement === one,
        ),
      ).toBe(true);
    }
  });

  test('at 360 pixels nothing is cut off, and the first recording is on the first screen', async () => {
    const page = await browser.newPage(instance.url, { viewport: { width: 360, height: 740 } });
    for (const view of [...VIEWS, ended]) {
      await browser.open(instance.url, view);
      await page.waitForSelector('main h1');
      expect([view, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([view, 360]);
    }
    await browser.open(instance.url);
    const box = await page.locator('.rows [role=row]').first().boundingBox();
    expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThan(740);
  });

  test('the first view is under 60 kB, gzipped', async () => {
    const page = await browser.newPage(instance.url);
    await browser.open(instance.url);
    await page.waitForSelector('.rows [role=row]');
    const bytes = await page.evaluate<number>(
      'performance.getEntriesByType("resource").filter((r) => /assets/.test(r.name)).reduce((sum, r) => sum + r.encodedBodySize, 0)',
    );
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(60_000);
  });

  test('a VIEWER sees no button that it may not use', async () => {
    const page = await browser.newPage(instance.url);
    for (const view of ['', 'rooms', 'system', ended]) {
      await browser.open(instance.url, view, viewerKey);
      await page.waitForSelector('main h1');
      const names = await page
        .getByRole('button')
        .evaluateAll((buttons: { ariaLabel: string | null; innerText: string }[]) =>
          buttons.map(({ ariaLabel, innerText }) => ariaLabel ?? innerText),
        );
      expect(
        names.filter((name) => /record|stop|delete|settings|new room|create|revoke|run|select/i.test(name)),
      ).toEqual([]);
    }
    await browser.open(instance.url, '', viewerKey);
    await page.locator('.rows .menu button').first().click();
    expect(await page.locator('.menu-items').innerText()).not.toMatch(/Delete|Stop/);
    expect(await page.locator('.account').innerText()).toContain('support');
  });

  test('fifteen rows and more at 1280 by 800, a filter in the address, and only what is in sight in the document', async () => {
    const page = await browser.newPage(instance.url);
    await browser.open(instance.url);
    await page.waitForSelector('.rows [role=row]');
    const inSight = await page
      .locator('.rows [role=row]')
      .evaluateAll(
        (rows: { getBoundingClientRect(): { bottom: number } }[]) =>
          rows.filter((row) => row.getBoundingClientRect().bottom <= 800).length,
      );
    expect(inSight).toBeGreaterThanOrEqual(15);
    expect(await page.locator('.rows [role=row]').count()).toBeLessThan(40);
    await page.selectOption('select[aria-label=Status]', 'failed');
    await page.waitForSelector(`.rows [data-recording="${failed}"]`);
    expect(page.url()).toBe(`${instance.url}/?status=failed`);
    await page.goBack();
    await eventually(
      async () =>
        (await page.locator('.count').innerText()).includes(`${MANY + 3}`) || 'it is filtered still',
    );
    await page.getByRole('button', { name: 'Length' }).click();
    expect(page.url()).toBe(`${instance.url}/?sort=duration.desc`);
  });

  test('rows do not move under the pointer: what is new waits', async () => {
    const page = await browser.newPage(instance.url);
    await browser.open(instance.url);
    const first = page.locator('.rows [role=row]').first();
    await first.hover();
    const id = await first.getAttribute('data-recording');
    const { recording } = await startIn(instance, 'Daily stand-up');
    await page.waitForSelector('.fresh >> text=1 new');
    expect(await first.getAttribute('data-recording')).toBe(id);
    await page.click('.fresh');
    await page.waitForSelector(`.rows [data-recording="${recording?.id}"]`);
    await instance.graphql(STOP, { id: recording?.id });
  });

  test('many are deleted after a dry run, with progress that a reload finds again', async () => {
    const page = await browser.newPage(instance.url);
    await browser.open(instance.url, '?status=complete');
    const boxes = page.locator('.rows input[type=checkbox]');
    for (const n of [3, 4, 5]) await boxes.nth(n).check();
    await page.click('.selection >> text=Delete…');
    await page.waitForSelector('dialog [data-dry-run="3"]');
    await page.click('dialog button.danger');
    await page.waitForSelector('[data-deletion]');
    await page.reload();
    await page.waitForSelector('[data-deletion^=COMPLETED]');
    expect(await page.textContent('[data-deletion] [role=status]')).toContain('Deleted 3 of 3 recordings.');
  });

  const pictures = IS_FOR_PICTURES ? test : test.skip; // they are made when the console has changed its looks
  pictures('the pictures of the README', async () => {
    mkdirSync(PICTURES, { recursive: true });
    for (const { name, place, width, colorScheme } of SHOTS) {
      const page = await browser.newPage(instance.url, { viewport: { width, height: 800 }, colorScheme });
      await browser.open(instance.url, place.replace('ENDED', ended).replace('FAILED', failed));
      // A picture from the middle, without the browser's own sign that it loads.
      if (place === 'ENDED') await page.waitForSelector('video');
      if (place === 'ENDED') await page.evaluate('document.querySelector("video").currentTime = 5');
      await page.waitForTimeout(1_500);
      await page.screenshot({ path: join(PICTURES, `${name}.png`) });
      await browser.context.close();
    }
    await browser.newPage(instance.url);
  });
});

/** As much of a page's own as is asked there. */
interface Style {
  readonly document: { readonly activeElement: object };
  getComputedStyle(of: object): { readonly borderTopWidth: string };
}

/** Meetings of the last days, of all sorts. */
function pastMeeting(n: number): Partial<StoredRecording> {
  const { roomName, labels } = MEETINGS[n % MEETINGS.length] ?? MEETINGS[0];
  const { status, endReason } = ENDS[n % ENDS.length] ?? ENDS[0];
  const minutes = 18 + ((n * 37) % 73);
  const requestedAt = Date.now() - (n + 2) * 5_400_000;
  const isShort = status === 'ABORTED';
  return {
    roomName,
    labels,
    status,
    endReason,
    requestedAt,
    startedAt: requestedAt + 2_000,
    endedAt: requestedAt + minutes * 60_000,
    updatedAt: requestedAt + minutes * 60_000,
    durationMs: isShort ? null : minutes * 60_000 + n * 1_000,
    sizeBytes: isShort ? null : minutes * 21_400_000,
    hasMedia: !isShort,
  };
}
const MEETINGS = [
  { roomName: 'Physics 101', labels: { course: 'physics' } },
  { roomName: 'Weekly platform sync', labels: { team: 'platform' } },
  { roomName: 'Customer interview', labels: { customer: 'acme', round: '2' } },
  { roomName: 'Chemistry lab', labels: { course: 'chemistry' } },
  { roomName: 'Board meeting', labels: {} },
] as const;
const ENDS = [
  { status: 'COMPLETE', endReason: 'STOP_REQUESTED' },
  { status: 'COMPLETE', endReason: 'ROOM_ENDED' },
  { status: 'COMPLETE', endReason: 'STOP_REQUESTED' },
  { status: 'LIMIT_REACHED', endReason: 'LIMIT_REACHED' },
  { status: 'COMPLETE', endReason: 'ROOM_ENDED' },
  { status: 'COMPLETE', endReason: 'RECORDER_LOST' },
  { status: 'ABORTED', endReason: 'START_CANCELLED' },
] as const;

const SHOTS = [
  { name: 'recordings-light', place: '', width: 1280, colorScheme: 'light' },
  { name: 'recordings-dark', place: '', width: 1280, colorScheme: 'dark' },
  { name: 'recordings-360', place: '', width: 360, colorScheme: 'light' },
  { name: 'recording-light', place: 'ENDED', width: 1280, colorScheme: 'light' },
  { name: 'recording-dark', place: 'ENDED', width: 1280, colorScheme: 'dark' },
  { name: 'failed-light', place: 'FAILED', width: 1280, colorScheme: 'light' },
  { name: 'rooms-light', place: 'rooms', width: 1280, colorScheme: 'light' },
  { name: 'rooms-360', place: 'rooms', width: 360, colorScheme: 'light' },
  { name: 'system-dark', place: 'system', width: 1280, colorScheme: 'dark' },
] as const;
