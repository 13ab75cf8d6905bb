import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { ConsoleBrowser } from '../support/console.js';
import { eventually } from '../support/eventually.js';
import { plantRecordings } from '../support/planted-recordings.js';

/** `CONSOLE_ROWS=100000` is for a person who waits. How long the page's tasks are, `npm run bench -- console` says. */
const ROWS = Number(process.env.CONSOLE_ROWS ?? 5_000);
const STEP_ROWS = ROWS > 5_000 ? 40 : 12;
/** Rows in the document, whatever is read: those in sight of a window of 800 px, and some beside them. */
const MOST_ROWS = 60;
/** Elements of the whole page: a row has some thirty. */
const MOST_ELEMENTS = 3_000;
const MOST_HEAP_BYTES = 60_000_000;

/** The most that the document had in a frame. */
interface Size {
  readonly frames: number;
  readonly rows: number;
  readonly elements: number;
}
const WATCH_SIZE = `
  window.size = { frames: 0, rows: 0, elements: 0 };
  (function look() {
    size.frames += 1;
    size.rows = Math.max(size.rows, document.querySelectorAll('.rows [role=row]').length);
    size.elements = Math.max(size.elements, document.querySelectorAll('*').length);
    requestAnimationFrame(look);
  })();`;

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

  test('scrolls through thousands without a large document or a large heap', async () => {
    const { page } = browser;
    await browser.open(instance.url);
    await page.evaluate(WATCH_SIZE);
    await browser.scrollTo(ROWS, STEP_ROWS);
    const { frames, rows, elements } = await page.evaluate<Size>('window.size');
    expect(frames).toBeGreaterThan(50);
    // In no frame on the way, and not only at its end.
    expect(rows).toBeLessThan(MOST_ROWS);
    expect(elements).toBeLessThan(MOST_ELEMENTS);
    const heap = await browser.heapBytes();
    if (process.env.CONSOLE_ROWS)
      console.warn(`${frames} frames, at most ${rows} rows and ${elements} elements, heap ${heap} bytes`);
    expect(heap).toBeLessThan(MOST_HEAP_BYTES);
    // What is in sight is right, wherever it is.
    const index = await page.locator('.rows [role=row]').nth(20).getAttribute('aria-rowindex');
    const id = await page.locator('.rows [role=row]').nth(20).getAttribute('data-recording');
    expect(id).toBe(planted.toReversed()[Number(index) - 2]?.id);
  }, 1_800_000);

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
