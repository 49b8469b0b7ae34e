import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach } from 'vitest';
import { launchBrowser, type BrowserSettings } from './browsers.ts';

export { FOREIGN_HOST } from './browsers.ts';

export interface OpenPage {
  readonly page: Page;
  readonly requests: string[];
  readonly problems: string[];
}

/** One browser per file; each page in a context of its own, as another visitor's. */
export function useBrowser(settings: BrowserSettings = {}): {
  open: (options?: BrowserContextOptions) => Promise<OpenPage>;
} {
  let browser: Promise<Browser> | null = null;
  const launch = (): Promise<Browser> => (browser ??= launchBrowser(settings));
  const open = async (options: BrowserContextOptions = {}): Promise<OpenPage> => {
    const context = await (await launch()).newContext({ locale: 'ru-RU', reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    // A limit for what hangs: a busy machine takes many times as long for each step.
    page.setDefaultTimeout(60_000);
    const requests: string[] = [];
    const problems: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    return { page, requests, problems };
  };
  afterEach(async () => {
    const running = await browser;
    await Promise.all((running?.contexts() ?? []).map((context) => context.close()));
  });
  afterAll(async () => (await browser)?.close());
  return { open };
}
