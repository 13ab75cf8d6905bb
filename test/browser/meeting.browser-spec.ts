import { readFile } from 'node:fs/promises';
import { REAL_TIMINGS, scaledTimings } from '../../src/livekit/simulator/timings.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { ConsoleBrowser } from '../support/console.js';
import { eventually } from '../support/eventually.js';
import { readRecording, STOP } from '../support/operations.js';
import { QUICK_CHECKS } from '../support/quick-recorders.js';
import { becomes, openRoom, started } from '../support/recording-life.js';
import { readZip } from '../support/zip-reader.js';

// Quick, but for the segments, which a player plays as long as they are.
const TIMINGS = { ...scaledTimings(0.1, REAL_TIMINGS), scale: 0.3 };

interface Playing {
  readonly currentTime: number;
  readonly paused: boolean;
  readonly part: string | null;
  /** The player is the one that was there before. */
  readonly same: boolean;
}

const PLAYING = `(() => {
  const { currentTime, paused, dataset } = document.querySelector('video');
  const part = document.querySelector('.meeting [aria-current]')?.dataset.part ?? null;
  return { currentTime, paused, part, same: dataset.same === 'yes' };
})()`;

describe('a meeting of two parts in the console', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let browser: ConsoleBrowser;
  let first = '';
  let second = '';

  beforeAll(async () => {
    stack = await startStack({ ...QUICK_CHECKS, LOG_LEVEL: 'error' }, TIMINGS);
    instance = await stack.start();
    browser = await ConsoleBrowser.launch();
    await openRoom(stack, instance, 'meeting', { crashProof: true, audioOnly: false });
    first = (await started(instance, 'meeting')).id;
    await eventually(async () => {
      const { startedAt } = await readRecording(instance, first);
      return Date.now() - Date.parse(startedAt ?? '') > 4_000 || 'it is too short to be played';
    });
    stack.simulator.killWorker();
    stack.simulator.addWorker();
    await becomes(instance, first, { status: 'COMPLETE', endReason: 'RECORDER_LOST' });
    await eventually(async () => {
      const read = await instance.graphql<{
        recording: { continuedBy: { id: string; status: string } | null };
      }>('query($id: ID!) { recording(id: $id) { continuedBy { id status } } }', { id: first });
      second = read.data.recording.continuedBy?.id ?? '';
      return read.data.recording.continuedBy?.status === 'ACTIVE' || 'nothing goes on from it';
    });
    await instance.graphql(STOP, { id: second });
    await becomes(instance, second, { status: 'COMPLETE' });
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });

  const until = (is: (now: Playing) => boolean): Promise<void> =>
    eventually(
      async () => {
        const now = await browser.page.evaluate<Playing>(PLAYING);
        return is(now) || JSON.stringify(now);
      },
      { withinMs: 40_000, everyMs: 100 },
    );

  test('plays through the gap between them in one player, and the gap is shown', async () => {
    const page = await browser.newPage(instance.url);
    await browser.open(instance.url, first);
    await page.waitForSelector('.meeting [data-part="2"]');
    expect(await page.textContent('.meeting .gap')).toMatch(/^\d.* missing: the egress worker died$/);
    expect(await page.textContent('.meeting p')).toMatch(/^Recorded in 2 parts: .* missing\.$/);
    expect(await browser.axe()).toEqual([]);
    await page.evaluate(
      `{ const v = document.querySelector('video'); v.dataset.same = 'yes'; v.muted = true; v.play(); }`,
    );
    await until(({ part, currentTime }) => part === '1' && currentTime > 0.3);
    await until(({ part, currentTime, paused }) => part === '2' && currentTime > 0.3 && !paused);
    expect(await page.evaluate<Playing>(PLAYING)).toMatchObject({ same: true });
    // The address is that of the part whose page this is, and tells nothing of where another one stands.
    expect(page.url()).toContain(first);
    await page.getByRole('button', { name: /^Play Part 1/ }).click();
    await until(({ part, currentTime, paused }) => part === '1' && currentTime > 0.1 && !paused);
    expect(await browser.axe()).toEqual([]);
    expect(browser.trouble).toEqual([]);
  });

  test('fits into 360 pixels, in the dark', async () => {
    const page = await browser.newPage(instance.url, {
      ...{ colorScheme: 'dark', viewport: { width: 360, height: 740 } },
    });
    await browser.open(instance.url, first);
    await page.waitForSelector('.meeting [data-part="2"]');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    expect(await browser.axe()).toEqual([]);
  });

  test('is downloaded as one, and deleted as one after it was said what goes', async () => {
    const page = await browser.newPage(instance.url);
    await browser.open(instance.url, second);
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download all parts' }).click(),
    ]);
    const zip = readZip(await readFile(await saved.path()));
    expect(zip.map(({ name }) => name)).toEqual([
      `meeting/part-01_${first}.mp4`,
      `meeting/part-02_${second}.mp4`,
    ]);
    await page.getByRole('button', { name: 'Delete all parts…' }).click();
    await page.waitForSelector('dialog [data-dry-run="2"]');
    expect(await browser.axe()).toEqual([]);
    expect((await readRecording(instance, first)).status).toBe('COMPLETE');
    await page.getByRole('button', { name: 'Delete them' }).click();
    // Its page is left when it is gone.
    await page.waitForSelector('[data-deletion=COMPLETED]');
    for (const id of [first, second]) {
      const { code } = await instance.graphql('query($id: ID!) { recording(id: $id) { id } }', { id });
      expect(code).toBe('RECORDING_NOT_FOUND');
    }
    expect(browser.trouble).toEqual([]);
  });
});
