import { existsSync } from 'node:fs';
import { afterAll, afterEach, expect } from '@jest/globals';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Debian's. Tests without it are skipped. */
const CHROMIUM = '/usr/bin/chromium';
/** Milliseconds until something that does not appear fails a test with what was looked for. */
const PATIENCE = 60_000;
export const hasChromium = existsSync(CHROMIUM);

/**
 * Opens pages in a real browser, which ends with the test file. Errors and violations of the page's
 * policy fail the test.
 */
export const openPages = (): ((url: string, options?: BrowserContextOptions) => Promise<Page>) => {
  let browser: Promise<Browser> | undefined;
  const problems: string[] = [];
  const opened: Page[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((page) => page.context().close()));
    // The last request of a page may end with its daemon.
    expect(problems.splice(0).filter((problem) => !/ERR_|Failed to load resource/.test(problem))).toEqual([]);
  });
  afterAll(async () => (await browser)?.close());
  return async (url, options) => {
    // Chromium refuses to run as root within its own sandbox.
    browser ??= chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    const context = await (await browser).newContext(options);
    const page = await context.newPage();
    page.on('pageerror', (error) => problems.push(String(error.stack)));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    opened.push(page);
    page.setDefaultTimeout(PATIENCE);
    await page.goto(url);
    return page;
  };
};
