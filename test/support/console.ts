import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { ADMIN_KEY } from './app.js';
import { findChromium, launchChromium, watchForTrouble } from './browser.js';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

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

  /** What axe finds, as `rule: element`. */
  async axe(): Promise<string[]> {
    await this.page.evaluate(AXE);
    const { violations } = await this.page.evaluate<AxeResults>(
      'axe.run(document, { resultTypes: ["violations"] })',
    );
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  }
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly target: string[] }[];
  }[];
}
