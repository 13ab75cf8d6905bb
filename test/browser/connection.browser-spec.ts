import { keys } from '../../src/redis/keys.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { watchEvents } from '../support/browser.js';
import { ConsoleBrowser } from '../support/console.js';
import { type CuttableProxy, startCuttableProxy } from '../support/cuttable-proxy.js';
import { eventually } from '../support/eventually.js';
import { createRoom, readRecording, startIn, STOP } from '../support/operations.js';

describe('the console and its connection', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let other: TestInstance;
  let proxy: CuttableProxy;
  let browser: ConsoleBrowser;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({ LOG_LEVEL: 'error' });
    instance = await stack.start();
    other = await stack.start();
    proxy = await startCuttableProxy(instance.url);
    browser = await ConsoleBrowser.launch();
  });
  afterAll(async () => {
    await browser?.close();
    await proxy?.close();
    await stack?.close();
  });

  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await createRoom(instance, room);
    stack.simulator.openRoom(room);
    proxy.join(instance.url);
    await browser.newPage(proxy.url);
  });
  afterEach(() => browser.context.close());

  const now = (id: string, status: string): string => `[data-now="${id}"][data-status="${status}"]`;
  const row = (id: string, status: string): string =>
    `.rows [data-recording="${id}"][data-status="${status}"]`;
  const start = async (): Promise<string> => (await startIn(other, room)).recording?.id ?? '';
  const stop = async (id: string): Promise<void> => {
    const { code } = await other.graphql(STOP, { id });
    if (code !== null) throw new Error(`stop: ${code}`);
    await eventually(async () => {
      const { status } = await readRecording(other, id);
      return status === 'COMPLETE' || `the recording is ${status}`;
    });
  };

  test('what happened while the connection was lost arrives from another instance, each event once', async () => {
    const { page } = browser;
    const events = watchEvents(page);
    await browser.open(proxy.url);
    const id = await start();
    await page.waitForSelector(row(id, 'ACTIVE'));

    proxy.cut();
    await page.waitForSelector('.connection.reconnecting');
    await stop(id);
    proxy.join(other.url);

    await page.waitForSelector(row(id, 'COMPLETE'));
    await page.waitForSelector('.connection.live');
    const { version } = await readRecording(other, id);
    const versions = events.filter((event) => event.recordingId === id).map((event) => event.version);
    expect(versions).toEqual(Array.from({ length: version }, (_, index) => index + 1));
    expect(await browser.sameDocument()).toBe('yes');
  });

  test('without a connection the light is unknown: hatched, its clock stopped, the title says so; back, it is right', async () => {
    const { page } = browser;
    await browser.open(proxy.url);
    const id = await start();
    await page.waitForSelector(now(id, 'ACTIVE'));
    const clock = (): Promise<string | null> => page.textContent(`[data-now="${id}"] .clock`);
    const before = await clock();
    await eventually(async () => (await clock()) !== before || 'the clock does not move');

    proxy.cut();
    await page.waitForSelector('.connection.reconnecting');
    await page.waitForSelector(`[data-now="${id}"] .status.unknown`);
    await eventually(async () => {
      const title = await page.title();
      return title === '? Tallylight' || `the tab says ${title}`;
    });
    expect(await page.textContent('.connection')).toMatch(/last known \d\d:\d\d:\d\d/);
    const stopped = await clock();
    await page.waitForTimeout(1_500);
    expect(await clock()).toBe(stopped);

    await stop(id);
    proxy.join(other.url);
    await page.waitForSelector(now(id, 'ACTIVE'), { state: 'detached' });
    await eventually(async () => {
      const title = await page.title();
      return title === 'Tallylight' || `the tab says ${title}`;
    });
  });

  test('a server that is there and can not answer is no reason to go on counting', async () => {
    const { page } = browser;
    await browser.open(proxy.url);
    const id = await start();
    await page.waitForSelector(now(id, 'ACTIVE'));
    const body = JSON.stringify({
      errors: [{ message: 'Redis is away', extensions: { code: 'REDIS_UNAVAILABLE' } }],
    });
    await page.route('**/graphql', (route) => route.fulfill({ contentType: 'application/json', body }));
    await page.waitForSelector(`[data-now="${id}"] .status.unknown`);
    expect(await page.title()).toBe('? Tallylight');
    await page.unroute('**/graphql');
    await page.waitForSelector(`[data-now="${id}"] .status:not(.unknown)`);
    await stop(id);
  });

  test('where the log no longer reaches back to what was seen last, what is so now is read again', async () => {
    const { page } = browser;
    await browser.open(proxy.url);
    const id = await start();
    await page.waitForSelector(now(id, 'ACTIVE'));

    proxy.cut();
    await page.waitForSelector('.connection.reconnecting');
    await stop(id);
    const [newest] = await stack.redisClient.xrevrange(keys.events(), '+', '-', 'COUNT', 1);
    await stack.redisClient.set(keys.eventsFloor(), newest?.[0] ?? '');
    await stack.redisClient.xtrim(keys.events(), 'MAXLEN', 0);
    proxy.join(other.url);

    await page.waitForSelector(`[data-now="${id}"]`, { state: 'detached' });
    await page.waitForSelector(row(id, 'COMPLETE'));
    await page.waitForSelector('.connection.live');
    const next = await start();
    await page.waitForSelector(now(next, 'ACTIVE'));
    expect(await browser.sameDocument()).toBe('yes');
    await stop(next);
  });

  test('a recorder that is lost and the recording that goes on lead to each other', async () => {
    const { page } = browser;
    await browser.open(proxy.url);
    const id = await start();
    await page.waitForSelector(now(id, 'ACTIVE'));
    const { egressId } = await readRecording(other, id);
    stack.simulator.endEgress(egressId ?? '', 'pipeline-failed');
    await page.waitForSelector(`[data-now]:not([data-now="${id}"])[data-status=ACTIVE]`);
    await page.click(`[data-now]:not([data-now="${id}"]) h2 a`);
    await page.click('text=Earlier part of this meeting');
    await page.waitForSelector(`.recording-page[data-recording="${id}"]`);
    expect(await page.textContent('.why')).toContain('recorded further in a new recording');
    await page.click('text=Later part of this meeting');
    await page.click('text=Stop recording');
    await page.waitForSelector('.recording-page[data-status=COMPLETE]');
  });

  test('a minute without a network: unknown all the time, and right within seconds once it is back', async () => {
    const { page, context } = browser;
    await page.clock.install();
    await browser.open(proxy.url);
    const id = await start();
    await page.waitForSelector(now(id, 'ACTIVE'));

    await context.setOffline(true);
    proxy.cut();
    for (let second = 0; second < 60; second += 5) {
      await page.clock.runFor(5_000);
      if (second >= 30) await page.waitForSelector(`[data-now="${id}"] .status.unknown`);
    }
    expect(await page.title()).toBe('? Tallylight');
    await stop(id);
    proxy.join(instance.url);
    await context.setOffline(false);
    await eventually(async () => {
      await page.clock.runFor(1_000);
      return (await page.locator('.connection.live').count()) === 1 || 'it has not connected again';
    });
    await eventually(async () => {
      await page.clock.runFor(1_000);
      return (await page.locator(row(id, 'COMPLETE')).count()) === 1 || 'what happened is not shown';
    });
    expect(await browser.sameDocument()).toBe('yes');
  });

  test('a server that is killed and started again is found again, without a reload', async () => {
    const { page } = browser;
    const doomed = await stack.start();
    proxy.join(doomed.url);
    await browser.open(proxy.url);
    const id = await start();
    await page.waitForSelector(now(id, 'ACTIVE'));
    await doomed.close();
    await page.waitForSelector('.connection.reconnecting');
    const again = await stack.start();
    proxy.join(again.url);
    await page.waitForSelector('.connection.live', { timeout: 30_000 });
    await page.waitForSelector(`[data-now="${id}"] .status:not(.unknown)`);
    await stop(id);
    await page.waitForSelector(row(id, 'COMPLETE'));
    expect(await browser.sameDocument()).toBe('yes');
  });
});
