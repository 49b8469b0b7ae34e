import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach } from 'vitest';

/** Names that lead here, so that a page can stand on an origin the server does not know. */
export const FOREIGN_HOST = 'elsewhere.example';

export interface OpenPage {
  readonly page: Page;
  readonly requests: string[];
  readonly problems: string[];
}

export interface BrowserSettings {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One browser per file; each page in a context of its own, as another visitor's. */
export function useBrowser(settings: BrowserSettings = {}): {
  open: (options?: BrowserContextOptions) => Promise<OpenPage>;
} {
  let browser: Promise<Browser> | null = null;
  const launch = (): Promise<Browser> =>
    (browser ??= chromium.launch({
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', ...(settings.args ?? [`--host-resolver-rules=MAP ${FOREIGN_HOST} 127.0.0.1`])],
      ...(settings.env !== undefined && { env: { ...process.env, ...settings.env } }),
    }));
  const open = async (options: BrowserContextOptions = {}): Promise<OpenPage> => {
    const context = await (await launch()).newContext({ locale: 'ru-RU', reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
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
