import type { Browser, BrowserContext, Page } from 'playwright-core';
import { keys } from '../../src/redis/keys.js';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { findChromium, launchChromium, watchEvents, watchForTrouble } from '../support/browser.js';
import { type CuttableProxy, startCuttableProxy } from '../support/cuttable-proxy.js';
import { eventually } from '../support/eventually.js';
import { createRoom, readRecording, startIn, STOP } from '../support/operations.js';

const chromium = findChromium();
const withBrowser = chromium === null ? describe.skip : describe; // there is no Chromium on this machine

interface PlayerState {
  readonly currentTime: number;
  readonly readyState: number;
  readonly seeking: boolean;
}
const playerState = ({ currentTime, readyState, seeking }: PlayerState): PlayerState => ({
  currentTime,
  readyState,
  seeking,
});

withBrowser('the console in a browser', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let other: TestInstance;
  let proxy: CuttableProxy;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let trouble: readonly string[];
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({ LOG_LEVEL: 'error' });
    instance = await stack.start();
    other = await stack.start();
    proxy = await startCuttableProxy(instance.url);
    browser = await launchChromium(chromium ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await proxy?.close();
    await stack?.close();
  });

  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await createRoom(instance, room, { audioOnly: false });
    stack.simulator.openRoom(room);
    proxy.join(instance.url);
    context = await browser.newContext();
    context.setDefaultTimeout(10_000);
    page = await context.newPage();
    trouble = watchForTrouble(page, proxy.url);
  });
  afterEach(() => context.close());

  const open = async (): Promise<void> => {
    await page.goto(`${proxy.url}/#key=${ADMIN_KEY}`);
    await page.waitForSelector('.connection.live');
    // Gone with the document: what still finds it has seen no reload.
    await page.evaluate('document.body.dataset.sameDocument = "yes"');
  };
  const sameDocument = (): Promise<unknown> => page.evaluate('document.body.dataset.sameDocument');
  const roomCard = (tally: string): string => `[data-room="${room}"][data-tally="${tally}"]`;
  const row = (id: string, status: string): string => `[data-recording="${id}"][data-status="${status}"]`;
  const stop = async (at: TestInstance, id: string): Promise<void> => {
    const { code } = await at.graphql(STOP, { id });
    if (code !== null) throw new Error(`stop: ${code}`);
  };
  const become = (id: string, status: string): Promise<void> =>
    eventually(async () => {
      const { status: now } = await readRecording(other, id);
      return now === status || `the recording is ${now}, not ${status}`;
    });

  test('a key that is not known is refused in the server’s own words and kept nowhere', async () => {
    await page.goto(proxy.url);
    await page.fill('input[name=key]', 'tl_a-key-that-nobody-has-made');
    await page.press('input[name=key]', 'Enter');
    const refusal = await page.waitForSelector('.trouble');
    expect(await refusal.textContent()).toMatch(/API key.*\(UNAUTHENTICATED\)/);
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
  });

  test('a key is remembered for this tab alone unless it is to be remembered', async () => {
    await page.goto(proxy.url);
    await page.fill('input[name=key]', ADMIN_KEY);
    await page.press('input[name=key]', 'Enter');
    await page.waitForSelector('.connection.live');
    expect(await page.evaluate('localStorage.length')).toBe(0);
    await page.reload();
    await page.waitForSelector('.connection.live');
    await page.click('text=Sign out');
    await page.fill('input[name=key]', ADMIN_KEY);
    await page.check('input[name=remember]');
    await page.press('input[name=key]', 'Enter');
    await page.waitForSelector('.connection.live');
    const another = await context.newPage();
    await another.goto(proxy.url);
    await another.waitForSelector('.connection.live');
  });

  test('a key that comes in the address opens the page and is gone from the address and the history', async () => {
    await open();
    expect(page.url()).toBe(`${proxy.url}/`);
    await page.goto(`${proxy.url}/health/live`);
    await page.goBack();
    expect(page.url()).toBe(`${proxy.url}/`);
  });

  test('a recording is started, runs, is stopped and is complete without a reload, then it plays and seeks', async () => {
    await open();
    await page.click(`[data-room="${room}"] button.record`);
    await page.fill('dialog textarea', 'course: physics');
    await page.click('dialog button[type=submit]');
    await page.waitForSelector(roomCard('ACTIVE'));
    expect(await page.textContent(`[data-room="${room}"] .tally`)).toContain('REC');
    await eventually(async () => {
      const title = await page.title();
      return title.startsWith('● 1 recording') || `the tab says ${title}`;
    });
    await page.click(`[data-room="${room}"] button`);
    await page.waitForSelector(roomCard('OFF'));
    const done = page.locator('[data-status=COMPLETE]').filter({ hasText: 'course: physics' });
    await done.waitFor();
    expect(await sameDocument()).toBe('yes');

    await done.getByRole('button', { name: /^Play/ }).click();
    const video = page.locator('video');
    await eventually(async () => {
      const { currentTime } = await video.evaluate(playerState);
      return currentTime > 0.2 || `the player stands at ${currentTime} s`;
    });
    await video.evaluate((player: { currentTime: number; pause(): void }) => {
      player.pause();
      player.currentTime = 5;
    });
    await eventually(async () => {
      const state = await video.evaluate(playerState);
      const found = !state.seeking && state.readyState >= 2 && state.currentTime === 5;
      return found || `the player did not find the fifth second: ${JSON.stringify(state)}`;
    });
    await page.keyboard.press('Escape');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      done.getByRole('button', { name: /^Download/ }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.mp4$/);

    await done.getByRole('button', { name: /^Delete/ }).click();
    await page.click('dialog button.danger');
    await done.waitFor({ state: 'detached' });
    expect(trouble).toEqual([]);
  });

  test('a refusal is shown in the form, with its code, and the form stays to try again', async () => {
    stack.simulator.closeRoom(room);
    await open();
    await page.click(`[data-room="${room}"] button.record`);
    await page.click('dialog button[type=submit]');
    const refusal = await page.waitForSelector('dialog .error-text');
    expect(await refusal.textContent()).toMatch(new RegExp(`${room}.*ROOM_NOT_OPEN`));
    stack.simulator.openRoom(room);
    await page.click('dialog button[type=submit]');
    await page.waitForSelector(roomCard('ACTIVE'));
    await page.click(`[data-room="${room}"] button`);
    await page.waitForSelector(roomCard('OFF'));
  });

  test('what happened while the connection was lost arrives from another instance, each event once', async () => {
    const events = watchEvents(page);
    await open();
    const { recording } = await startIn(other, room);
    const id = recording?.id ?? '';
    await page.waitForSelector(row(id, 'ACTIVE'));

    proxy.cut();
    await page.waitForSelector('.connection.reconnecting');
    expect(await page.textContent('.connection')).toBe('reconnecting…');
    await stop(other, id);
    await become(id, 'COMPLETE');
    proxy.join(other.url);

    await page.waitForSelector(row(id, 'COMPLETE'));
    await page.waitForSelector('.connection.live');
    const { version } = await readRecording(other, id);
    const versions = events.filter((event) => event.recordingId === id).map((event) => event.version);
    expect(versions).toEqual(Array.from({ length: version }, (_, index) => index + 1));
    expect(await sameDocument()).toBe('yes');
  });

  test('where the log no longer reaches back to what was seen last, the list is read again and goes on', async () => {
    await open();
    const { recording } = await startIn(other, room);
    const id = recording?.id ?? '';
    await page.waitForSelector(row(id, 'ACTIVE'));

    proxy.cut();
    await page.waitForSelector('.connection.reconnecting');
    await stop(other, id);
    await become(id, 'COMPLETE');
    const [newest] = await stack.redisClient.xrevrange(keys.events(), '+', '-', 'COUNT', 1);
    await stack.redisClient.set(keys.eventsFloor(), newest?.[0] ?? '');
    await stack.redisClient.xtrim(keys.events(), 'MAXLEN', 0);
    proxy.join(other.url);

    await page.waitForSelector(row(id, 'COMPLETE'));
    await page.waitForSelector('.connection.live');
    const next = await startIn(other, room);
    await page.waitForSelector(row(next.recording?.id ?? '', 'ACTIVE'));
    expect(await sameDocument()).toBe('yes');
    await stop(other, next.recording?.id ?? '');
  });
});
