import {
  type GraphqlAnswer,
  ADMIN_KEY,
  startStack,
  type TestInstance,
  type TestStack,
} from '../support/app.js';
import { ConsoleBrowser } from '../support/console.js';
import { eventually } from '../support/eventually.js';
import { createRoom, startIn } from '../support/operations.js';

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

describe('a life of a recording in the console', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let browser: ConsoleBrowser;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({ LOG_LEVEL: 'error' });
    instance = await stack.start();
    browser = await ConsoleBrowser.launch();
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });

  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await createRoom(instance, room, { audioOnly: false });
    stack.simulator.openRoom(room);
    await browser.newPage(instance.url);
  });
  afterEach(() => browser.context.close());

  const roomRow = (tally: string): string => `[data-room="${room}"][data-tally="${tally}"]`;
  const newestIn = async (roomId: string): Promise<string> => {
    const query = 'query ($id: ID!) { recordings(filter: { roomId: $id }, first: 1) { nodes { id } } }';
    type Answer = GraphqlAnswer<{ recordings: { nodes: { id: string }[] } }>;
    const { data }: Answer = await instance.graphql(query, { id: roomId });
    return data.recordings.nodes[0]?.id ?? '';
  };

  test('a key that is not known is refused in the server’s own words and kept nowhere', async () => {
    const { page } = browser;
    await page.goto(instance.url);
    await page.fill('input[name=key]', 'tl_a-key-that-nobody-has-made');
    await page.press('input[name=key]', 'Enter');
    const refusal = await page.waitForSelector('.trouble');
    expect(await refusal.textContent()).toMatch(/API key.*\(UNAUTHENTICATED\)/);
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
    expect(await page.evaluate('document.activeElement.name')).toBe('key');
  });

  test('a key is remembered for this tab alone unless it is to be remembered', async () => {
    const { page } = browser;
    await page.goto(instance.url);
    await page.fill('input[name=key]', ADMIN_KEY);
    await page.press('input[name=key]', 'Enter');
    await page.waitForSelector('.connection.live');
    expect(await page.evaluate('localStorage.length')).toBe(0);
    await page.reload();
    await page.waitForSelector('.connection.live');
    await page.getByRole('button', { name: /^Signed in as/ }).click();
    await page.click('text=Sign out');
    await page.fill('input[name=key]', ADMIN_KEY);
    await page.check('input[name=remember]');
    await page.press('input[name=key]', 'Enter');
    await page.waitForSelector('.connection.live');
    const another = await browser.context.newPage();
    await another.goto(instance.url);
    await another.waitForSelector('.connection.live');
  });

  test('a key that comes in the address opens the page and is gone from the address and the history', async () => {
    const { page } = browser;
    await browser.open(instance.url, 'rooms?q=x');
    expect(page.url()).toBe(`${instance.url}/rooms?q=x`);
    await page.goto(`${instance.url}/health/live`);
    await page.goBack();
    expect(page.url()).toBe(`${instance.url}/rooms?q=x`);
  });

  test('a recording is started, runs, is stopped and complete without a reload, plays and seeks, and is deleted', async () => {
    const { page } = browser;
    await browser.open(instance.url, 'rooms');
    await page.click(`[data-room="${room}"] .options`);
    await page.fill('dialog textarea', 'course: physics');
    await page.click('dialog button[type=submit]');
    await page.waitForSelector(roomRow('ACTIVE'));
    await eventually(async () => {
      const title = await page.title();
      return title.startsWith('● 1 recording') || `the tab says ${title}`;
    });
    await page.click(`[data-room="${room}"] .stop`);
    await page.waitForSelector(roomRow('OFF'));
    const id = await newestIn(room);
    await page.getByRole('link', { name: 'Recordings', exact: true }).click();
    await page.waitForSelector(`[data-recording="${id}"][data-status=COMPLETE]`);
    await page.click(`[data-recording="${id}"] a[aria-label^=Play]`);
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
    await eventually(() => page.url() === `${instance.url}/${id}?t=5` || `the address is ${page.url()}`);
    expect(await page.textContent('.why')).toContain('Somebody stopped it');
    expect(await page.locator('.step').count()).toBeGreaterThanOrEqual(4);
    expect(await page.locator('.notice').count()).toBe(0);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.mp4$/);

    await page.getByRole('button', { name: 'More actions' }).click();
    await page.click('text=Delete…');
    await page.click('dialog button.danger');
    await page.waitForSelector('.recordings');
    await page.waitForSelector(`[data-recording="${id}"]`, { state: 'detached' });
    expect(await browser.sameDocument()).toBe('yes');
    expect(browser.trouble).toEqual([]);
  });

  test('a refusal is shown in the form, and the form stays to try again', async () => {
    const { page } = browser;
    await browser.open(instance.url, 'rooms');
    await page.click(`[data-room="${room}"] .options`);
    stack.simulator.closeRoom(room);
    await page.click('dialog button[type=submit]');
    const refusal = await page.waitForSelector('dialog .error-text');
    expect(await refusal.textContent()).toContain(room);
    expect(await refusal.getAttribute('data-code')).toBe('ROOM_NOT_OPEN');
    stack.simulator.openRoom(room);
    await page.click('dialog button[type=submit]');
    await page.waitForSelector(roomRow('ACTIVE'));
    await page.click(`[data-room="${room}"] .stop`);
    await page.waitForSelector(roomRow('OFF'));
  });

  test('a room that nobody has made is listed as open and recorded by its own name with one press', async () => {
    const { page } = browser;
    room = `Réunion ${made} / α`;
    stack.simulator.openRoom(room);
    await browser.open(instance.url, 'rooms');
    await page.getByRole('button', { name: `Record ${room}` }).click();
    await page.waitForSelector(`[data-tally=ACTIVE] >> text=${room}`);
    await page
      .getByRole('button', { name: `Stop recording ${room}` })
      .first()
      .click();
    await page.waitForSelector(`[data-tally=OFF] >> text=${room}`);
  });

  test('by keyboard alone: started, stopped, opened; the focus is never lost', async () => {
    const { page } = browser;
    const isLost = (): Promise<unknown> => page.evaluate('document.activeElement === document.body');
    await browser.open(instance.url, 'rooms');
    await page.getByRole('button', { name: `Record ${room}`, exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector(roomRow('ACTIVE'));
    expect(await isLost()).toBe(false);
    await page.locator(`[data-room="${room}"] .stop`).focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector(roomRow('OFF'));
    expect(await isLost()).toBe(false);
    await page.getByRole('link', { name: 'Recordings', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('input[name=q]');
    await page.keyboard.press('/');
    expect(await page.evaluate('document.activeElement.name')).toBe('q');
    await page.locator('.rows .room a').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.recording-page');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    const tabTo = async (name: string): Promise<void> => {
      for (let n = 0; n < 60; n += 1) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate<string>(
          'document.activeElement.ariaLabel ?? document.activeElement.innerText',
        );
        if (at === name) return;
      }
      throw new Error(`${name} can not be reached by the tab key`);
    };
    await page.waitForSelector('video');
    await tabTo('More actions');
    await page.keyboard.press('Enter');
    await tabTo('Delete…');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    await tabTo('Delete it');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.recordings');
    expect(await isLost()).toBe(false);
  });

  test('a recording that ended badly says why and what to do', async () => {
    const { page } = browser;
    stack.simulator.setFault({ name: 'start-refused-400', room });
    const { recordingId: id } = await startIn(instance, room);
    await browser.open(instance.url, '?status=failed');
    await page.waitForSelector(`.ended-badly >> text=${room}`);
    await page.click(`[data-recording="${id}"] .room a`);
    expect(await page.textContent('.why')).toMatch(/LiveKit refused the start.*What to do/s);
    expect(page.url()).toBe(`${instance.url}/${id}`);
  });
});
