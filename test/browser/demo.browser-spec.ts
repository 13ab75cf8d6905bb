import { Demo } from '../../src/embedded/demo.js';
import { openDemoDoor } from '../../src/embedded/demo-door.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { REAL_TIMINGS, scaledTimings } from '../../src/livekit/simulator/timings.js';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { ConsoleBrowser } from '../support/console.js';
import { eventually } from '../support/eventually.js';
import { createRoom, startIn, STOP } from '../support/operations.js';

const CREATE_KEY = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
const QUICK_CHECKS = { RECORDER_CHECK_EVERY: '300ms', RECORDER_LOST_AFTER: '900ms' };

describe('the demo page of the embedded stack', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let production: TestInstance;
  let browser: ConsoleBrowser;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    const env = { LOG_LEVEL: 'error', ...QUICK_CHECKS };
    stack = await startStack(env, scaledTimings(0.08, REAL_TIMINGS));
    const demo = new Demo({
      simulator: stack.simulator,
      emptyRedis: async () => void (await stack.redisClient.flushall()),
      clock: new SystemClock(),
    });
    instance = await stack.start({}, { embed: (app) => openDemoDoor(app, demo) });
    production = await stack.start();
    browser = await ConsoleBrowser.launch();
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });
  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await createRoom(instance, room);
    stack.simulator.openRoom(room);
    await browser.newPage(instance.url);
  });
  afterEach(() => browser.context.close());

  const press = (title: string): Promise<void> => browser.page.getByRole('button', { name: title }).click();
  const light = (name: string, tone: string): Promise<unknown> =>
    browser.page.waitForSelector(`[data-demo="${name}"][data-light="${tone}"]`, { timeout: 30_000 });
  const stopAll = async (): Promise<void> => {
    type Running = { recordings: { nodes: { id: string }[] } };
    const { data } = await instance.graphql<Running>(
      '{ recordings(filter: { statuses: [STARTING, ACTIVE] }) { nodes { id } } }',
    );
    for (const { id } of data.recordings.nodes) await instance.graphql(STOP, { id });
  };

  test('a worker that is killed is noticed, and both parts are linked, with the gap in the coverage', async () => {
    const { page } = browser;
    const { recording } = await startIn(instance, room);
    await browser.open(instance.url, 'demo');
    await press('Kill the worker');
    await light('kill-worker', 'warn');
    await light('kill-worker', 'good');
    const noticed = async (): Promise<string | undefined> =>
      /Noticed after [^:]+/.exec((await page.textContent('[data-demo="kill-worker"]')) ?? '')?.[0];
    const first = await noticed();
    // A rebuild changes the recording once more, but not when it was noticed.
    await press('Empty Redis');
    await light('empty-redis', 'good');
    await light('kill-worker', 'good');
    expect(await noticed()).toBe(first);
    expect(first).toBeDefined();
    await page.click('[data-demo="kill-worker"] >> text=goes on in a new recording');
    await page.waitForSelector('.recording-page[data-status=ACTIVE]');
    await page.click('text=Earlier part of this meeting');
    await page.waitForSelector(`.recording-page[data-recording="${recording?.id}"]`);
    await stopAll();
    await page.click('text=Later part of this meeting');
    await page.waitForSelector('.recording-page[data-status=COMPLETE]');
    await page.click('text=Earlier part of this meeting');
    await page.waitForSelector('.coverage .gap');
  });

  test('webhooks that are lost change nothing, and are delivered again', async () => {
    const { page } = browser;
    await browser.open(instance.url, 'demo');
    await press('Lose the webhooks');
    await light('lose-webhooks', 'warn');
    await startIn(instance, room);
    await light('lose-webhooks', 'good');
    await press('Deliver them again');
    await page.getByRole('button', { name: 'Lose them' }).waitFor();
    expect(stack.simulator.faults.list()).toEqual([]);
    await stopAll();
  });

  test('the next start fails, says so, and the one after it does not', async () => {
    const { page } = browser;
    await browser.open(instance.url, 'demo');
    await press('Fail the next start');
    await light('fail-next-start', 'warn');
    await startIn(instance, room);
    await light('fail-next-start', 'good');
    expect(await page.textContent('[data-demo="fail-next-start"]')).toContain('LiveKit refused the start');
    expect((await startIn(instance, room)).recording?.status).toBe('ACTIVE');
    await stopAll();
  });

  test('LiveKit is taken away and given back', async () => {
    await browser.open(instance.url, 'demo');
    await press('Take LiveKit away');
    await light('take-livekit-away', 'good');
    expect((await startIn(instance, room)).code).toBe('LIVEKIT_UNAVAILABLE');
    await press('Give it back');
    await light('take-livekit-away', 'good');
    await eventually(async () => {
      const { code } = await startIn(instance, room);
      return code === null || code;
    });
    await stopAll();
  });

  test('an emptied Redis is rebuilt from the bucket', async () => {
    const { page } = browser;
    const { recording } = await startIn(instance, room);
    await instance.graphql(STOP, { id: recording?.id });
    await browser.open(instance.url, 'demo');
    await press('Empty Redis');
    await light('empty-redis', 'warn');
    await light('empty-redis', 'good');
    await browser.open(instance.url, recording?.id);
    await page.waitForSelector(`.recording-page[data-recording="${recording?.id}"]`);
  });

  test('it is for an ADMIN alone, and not there in production', async () => {
    const { page } = browser;
    const { data } = await instance.graphql<{ createApiKey: { secret: string } }>(CREATE_KEY, {
      input: { name: 'recorder', role: 'RECORDER' },
    });
    const answers = async (url: string, key: string | null): Promise<number[]> =>
      Promise.all(
        [
          ['GET', 'lights'],
          ['POST', 'empty-redis'],
          ['POST', 'nothing-of-the-kind'],
        ].map(async ([method, path]) => {
          const headers = new Headers(key === null ? [] : [['authorization', `Bearer ${key}`]]);
          return (await fetch(`${url}/demo/${path}`, { method, headers })).status;
        }),
      );
    expect(await answers(instance.url, null)).toEqual([401, 401, 401]);
    expect(await answers(instance.url, data.createApiKey.secret)).toEqual([403, 403, 403]);
    expect(await answers(production.url, ADMIN_KEY)).toEqual([404, 404, 404]);
    expect((await answers(instance.url, ADMIN_KEY)).slice(0, 1)).toEqual([200]);
    await browser.open(production.url, 'demo');
    await page.waitForSelector('text=There is nothing here');
    expect(await page.getByRole('link', { name: 'Demo' }).count()).toBe(0);
    await browser.open(instance.url, '', data.createApiKey.secret);
    expect(await page.getByRole('link', { name: 'Demo' }).count()).toBe(0);
  });

  test('axe finds nothing on it', async () => {
    await browser.open(instance.url, 'demo');
    await browser.page.waitForSelector('[data-demo]');
    expect(await browser.axe()).toEqual([]);
    expect(browser.trouble).toEqual([]);
  });
});
