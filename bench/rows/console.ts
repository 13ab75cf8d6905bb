import { findChromium } from '../../test/support/browser.js';
import { ConsoleBrowser } from '../../test/support/console.js';
import { plantRecordings } from '../../test/support/planted-recordings.js';
import type { Bench, BenchOptions, Figures } from '../support/figures.js';
import { percentiles, rounded } from '../support/figures.js';
import { Target } from '../support/target.js';

/** How far a turn of the wheel goes, in rows. */
const STEP_ROWS = 12;
/** A trace of more than this does not fit into the browser's buffer. */
const TRACED_ROWS = 5_000;
/** Shorter tasks are the browser's own housekeeping, of which there are thousands. */
const SHORTEST_TASK_MS = 1;

export const consolePage: Bench = {
  name: 'console',
  measures: 'the tasks of the page while the list is scrolled through (--size, else 5,000), in Chromium',
  run: scroll,
};

async function scroll({ quick, size }: BenchOptions): Promise<Figures[]> {
  if (findChromium() === null) {
    console.log('\nconsole: left out, no Chromium is on the PATH (CHROMIUM names one)');
    return [];
  }
  const rows = Math.min(TRACED_ROWS, size ?? (quick ? 300 : TRACED_ROWS));
  const stored = size ?? rows;
  const target = await Target.start();
  const browser = await ConsoleBrowser.launch();
  try {
    await plantRecordings(
      target.redis.url,
      stored,
      () => undefined,
      (i) => ({ roomName: `Meeting ${i % 97}` }),
    );
    await browser.newPage(target.url);
    await browser.open(target.url, '', target.key);
    await browser.startTracing();
    await browser.scrollTo(rows, STEP_ROWS);
    const tasks = (await browser.stopTracing()).filter((ms) => ms > SHORTEST_TASK_MS);
    return [
      {
        what: 'a task of the page that scrolls through recordings, ms of a processor',
        conditions: { stored, scrolled: rows, longerThanMs: SHORTEST_TASK_MS },
        latencyMs: percentiles(tasks),
        counts: {
          longestMs: rounded(Math.max(...tasks)),
          heapMiB: rounded((await browser.heapBytes()) / 2 ** 20),
        },
      },
    ];
  } finally {
    await browser.close();
    await target.close();
  }
}
