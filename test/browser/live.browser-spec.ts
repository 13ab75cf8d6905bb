import { REAL_TIMINGS, scaledTimings } from '../../src/livekit/simulator/timings.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { ConsoleBrowser } from '../support/console.js';
import { eventually } from '../support/eventually.js';
import { STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';

// Quick, but for the segments: two seconds, as a player sees them.
const TIMINGS = { ...scaledTimings(0.1, REAL_TIMINGS), scale: 1 };

interface Playing {
  readonly currentTime: number;
  readonly ended: boolean;
  readonly readyState: number;
  readonly behind: number;
}

describe('a crash-proof recording in the console', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let browser: ConsoleBrowser;

  beforeAll(async () => {
    stack = await startStack(
      {
        LOG_LEVEL: 'error',
        RECORDER_CHECK_EVERY: '500ms',
        RECORDER_LOST_AFTER: '1500ms',
        SWEEP_LIVEKIT_RECONCILIATION_EVERY: '1s',
      },
      TIMINGS,
    );
    instance = await stack.start();
    browser = await ConsoleBrowser.launch();
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });

  const playing = `(() => {
    const video = document.querySelector('video');
    const { seekable, currentTime, ended, readyState } = video;
    return { currentTime, ended, readyState, behind: seekable.length ? seekable.end(0) - currentTime : Infinity };
  })()`;

  const until = (page: Awaited<ReturnType<ConsoleBrowser['newPage']>>, is: (now: Playing) => boolean) =>
    eventually(
      async () => {
        const now = await page.evaluate<Playing>(playing);
        return is(now) || JSON.stringify(now);
      },
      { withinMs: 40_000, everyMs: 200 },
    );

  test('plays while it is made, and its file to the end after its worker was killed', async () => {
    await openRoom(stack, instance, 'live', { crashProof: true, audioOnly: false });
    const { id } = await started(instance, 'live');
    const page = await browser.newPage(instance.url);
    await browser.open(instance.url, id);
    await page.waitForSelector('.player.live video');
    await until(page, (now) => now.currentTime > 3);
    const seen = await page.evaluate<Playing>(playing);
    // With the segment that is being recorded.
    expect(seen.behind + 2).toBeLessThan(10);
    expect(browser.trouble.filter((text) => !text.includes('404'))).toEqual([]);

    stack.simulator.killWorker();
    stack.simulator.addWorker();
    const over = await becomes(instance, id, { status: 'COMPLETE', endReason: 'RECORDER_LOST' });
    await page.waitForSelector('[data-status=COMPLETE] .player:not(.live) video');
    await until(page, (now) => now.readyState >= 2);
    await page.evaluate(
      `{ const v = document.querySelector('video'); v.muted = true; v.playbackRate = 8; v.play(); }`,
    );
    await until(page, (now) => now.ended);
    const { currentTime } = await page.evaluate<Playing>(playing);
    expect(currentTime).toBeCloseTo((over.durationMs ?? 0) / 1_000, 0);
    expect(await page.textContent('.why .quote')).toMatch(/put together from its segments/);

    // The meeting goes on in a second part, with the gap shown.
    await page.click('text=Later part of this meeting');
    await page.waitForSelector('.player.live video');
    const next = page
      .url()
      .split('/')
      .at(-1)!
      .replace(/[?#].*/, '');
    await instance.graphql(STOP, { id: next });
    await page.waitForSelector('[data-status=COMPLETE] .coverage .gap');
    expect(await page.textContent('.coverage')).toMatch(/missing/);
  });
});
