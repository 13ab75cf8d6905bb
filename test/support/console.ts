import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { ADMIN_KEY } from './app.js';
import { findChromium, launchChromium, watchForTrouble } from './browser.js';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const ROW_PX = 40;
const FRAME_MS = 16;

/** One browser for a file of tests, with a fresh context and page for each of them. */
export class ConsoleBrowser {
  page!: Page;
  context!: BrowserContext;
  /** What the page said and did that no page of ours should. */
  trouble: readonly string[] = [];

  private constructor(private readonly browser: Browser) {}

  /** Throws where there is no Chromium. */
  static async launch(): Promise<ConsoleBrowser> {
    const path = findChromium();
    if (path === null)
      throw new Error('no Chromium is on the PATH: install chromium, or name one in CHROMIUM');
    return new ConsoleBrowser(await launchChromium(path));
  }

  close(): Promise<void> {
    return this.browser.close();
  }

  async newPage(ourUrl: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    this.context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    this.context.setDefaultTimeout(10_000);
    this.page = await this.context.newPage();
    this.trouble = watchForTrouble(this.page, ourUrl);
    return this.page;
  }

  /** Signs in by a link, at any place of the console. */
  async open(url: string, place = '', key = ADMIN_KEY): Promise<void> {
    await this.page.goto(`${url}/${place}#key=${key}`);
    await this.page.waitForSelector('.connection.live');
    // Gone with the document: what still finds it has seen no reload.
    await this.page.evaluate('document.body.dataset.sameDocument = "yes"');
  }

  sameDocument(): Promise<unknown> {
    return this.page.evaluate('document.body.dataset.sameDocument');
  }

  /**
   * Turns the wheel over the list of recordings, `stepRows` of them in each frame, until that many rows are read. A person who
   * means the end of a long list turns it fast.
   */
  async scrollTo(rows: number, stepRows: number): Promise<void> {
    await this.page.waitForSelector('.rows [role=row]');
    await this.page.mouse.move(640, 500);
    for (let read = 0; read < rows;) {
      await this.page.mouse.wheel(0, stepRows * ROW_PX);
      await this.page.waitForTimeout(FRAME_MS);
      read = await this.page.evaluate<number>(
        `Math.round(document.querySelector('.rows').clientHeight / ${ROW_PX})`,
      );
    }
  }

  /** Notes every task of the page's main thread from here on. The trace of more than some 5,000 scrolled rows does not fit into its buffer. */
  startTracing(): Promise<void> {
    return this.browser.startTracing(this.page, {
      categories: ['toplevel', 'disabled-by-default-devtools.timeline'],
    });
  }

  /** How much of a processor each task took since, in ms: whatever else the machine did meanwhile does not count. */
  async stopTracing(): Promise<number[]> {
    const { traceEvents } = JSON.parse((await this.browser.stopTracing()).toString('utf8')) as Trace;
    const mains = traceEvents.filter(
      ({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain',
    );
    const isMain = new Set(mains.map(({ pid, tid }) => `${pid} ${tid}`));
    return traceEvents
      .filter(
        ({ name, pid, tid, tdur }) => name === 'RunTask' && tdur !== undefined && isMain.has(`${pid} ${tid}`),
      )
      .map(({ tdur }) => (tdur ?? 0) / 1_000);
  }

  /** Of the page's JavaScript, after what is not needed any more was collected. */
  async heapBytes(): Promise<number> {
    const session = await this.context.newCDPSession(this.page);
    await session.send('HeapProfiler.enable');
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    await session.detach();
    return usedSize;
  }

  /** What axe finds, as `rule: element`. */
  async axe(): Promise<string[]> {
    await this.page.evaluate(AXE);
    const { violations } = await this.page.evaluate<AxeResults>(
      'axe.run(document, { resultTypes: ["violations"] })',
    );
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  }
}

interface Trace {
  readonly traceEvents: readonly {
    readonly name: string;
    readonly pid: number;
    readonly tid: number;
    /** Time on a processor, in microseconds. */
    readonly tdur?: number;
    readonly args?: { readonly name?: string };
  }[];
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly target: string[] }[];
  }[];
}
