import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { ConsoleBrowser } from '../support/console.js';
import { eventually } from '../support/eventually.js';
import { plantRecordings } from '../support/planted-recordings.js';

/** `CONSOLE_ROWS=100000` is for a person who waits; what is read is what is scrolled through. */
const ROWS = Number(process.env.CONSOLE_ROWS ?? 5_000);
const SCROLLED = Math.min(ROWS, Number(process.env.CONSOLE_SCROLLED ?? 5_000));
const ROW_PX = 40;
const LONGEST_TASK_MS = 50;
const MOST_HEAP_BYTES = 60_000_000;

describe(`the console over ${ROWS} recordings`, () => {
  let stack: TestStack;
  let instance: TestInstance;
  let browser: ConsoleBrowser;
  let planted: readonly StoredRecording[];

  beforeAll(async () => {
    stack = await startStack({ LOG_LEVEL: 'error' });
    instance = await stack.start();
    planted = await plantRecordings(stack.redis.url, ROWS, () => undefined, meeting);
    browser = await ConsoleBrowser.launch();
  }, 1_800_000);
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });
  beforeEach(() => browser.newPage(instance.url));
  afterEach(() => browser.context.close());

  test('scrolls through thousands without a long task, a large document or a large heap', async () => {
    const { page } = browser;
    await browser.open(instance.url);
    await page.waitForSelector('.rows [role=row]');
    await page.mouse.move(640, 500);
    await browser.startTracing();
    for (let read = 0; read < SCROLLED;) {
      await page.mouse.wheel(0, 12 * ROW_PX);
      await page.waitForTimeout(16);
      read = await page.evaluate<number>('Math.round(document.querySelector(".rows").clientHeight / 40)');
    }
    const tasks = await browser.stopTracing();
    expect(tasks.length).toBeGreaterThan(100);
    expect(Math.max(...tasks)).toBeLessThan(LONGEST_TASK_MS);
    expect(await page.locator('.rows [role=row]').count()).toBeLessThan(60);
    expect(await browser.heapBytes()).toBeLessThan(MOST_HEAP_BYTES);
    // What is in sight is right, wherever it is.
    const index = await page.locator('.rows [role=row]').nth(20).getAttribute('aria-rowindex');
    const id = await page.locator('.rows [role=row]').nth(20).getAttribute('data-recording');
    expect(id).toBe(planted.toReversed()[Number(index) - 2]?.id);
  }, 600_000);

  test.each([
    ['an egress id', ({ egressId }: StoredRecording) => egressId ?? ''],
    ['the beginning of an egress id', ({ egressId }: StoredRecording) => egressId?.slice(0, -1) ?? ''],
    ['a label', ({ labels }: StoredRecording) => String(labels.case)],
    ['its own id', ({ id }: StoredRecording) => id],
  ])('finds one of them by %s', async (_what, textOf) => {
    const { page } = browser;
    const wanted = planted[Math.floor(ROWS / 3)]!;
    await browser.open(instance.url);
    await page.waitForSelector('.rows [role=row]');
    await page.keyboard.press('/');
    await page.keyboard.type(textOf(wanted));
    await page.waitForSelector(`.rows [data-recording="${wanted.id}"]`);
    await eventually(async () => {
      const rows = await page.locator('.rows [role=row]').count();
      return rows <= 10 || `${rows} rows are shown`;
    });
  });
});

function meeting(n: number): Partial<StoredRecording> {
  return {
    roomName: `Meeting ${n % 97}`,
    egressId: `EG_${String(n).padStart(12, '0')}`,
    labels: { case: `case-${n}x`, team: `team-${n % 7}` },
    durationMs: 60_000 + n,
    endReason: 'STOP_REQUESTED',
  };
}
