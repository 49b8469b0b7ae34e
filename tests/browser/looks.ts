import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';

/** Russian last: whoever walks on does it in the language of the rest. */
export const LANGUAGES = ['en', 'ru'] as const;
export type LookLanguage = (typeof LANGUAGES)[number];
const WIDTHS = [390, 1280] as const;
const SCHEMES = ['dark', 'light'] as const;
const HEIGHT = 860;
/** A page of settings is long; a picture that nobody can look at helps nobody. */
const TALLEST = 7_000;

export interface LooksOptions {
  readonly page: Page;
  /** Brings the page up anew in this language, where it stands. */
  readonly speak: (page: Page, language: LookLanguage) => Promise<void>;
  /** What axe-core finds in the page as it stands. */
  readonly violations: (page: Page) => Promise<string[]>;
}

/**
 * A state of a page in all its looks: desktop and phone, Russian and English, light and dark. It is reached once for each
 * language and drawn anew for the others. `PICTURES_OF_LOOKS=<folder>` keeps a picture of each, to be looked at.
 */
export class Looks {
  /** By state and look; those without a finding are left out. */
  readonly found: Record<string, readonly string[]> = {};
  readonly #options: LooksOptions;
  readonly #folder = process.env['PICTURES_OF_LOOKS'];

  constructor(options: LooksOptions) {
    this.#options = options;
    if (this.#folder !== undefined) mkdirSync(this.#folder, { recursive: true });
  }

  /** `draw` does what has to be done at each width, as opening what a narrow window closes. */
  async show(
    state: string,
    reach: (language: LookLanguage) => Promise<unknown>,
    draw: () => Promise<unknown> = async () => undefined,
  ): Promise<void> {
    const { page, speak, violations } = this.#options;
    for (const language of LANGUAGES) {
      await speak(page, language);
      await reach(language);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: HEIGHT });
        // What another width opens or closes has done so by then.
        await page.waitForTimeout(150);
        await draw();
        for (const colorScheme of SCHEMES) {
          await page.emulateMedia({ colorScheme });
          const wrong = [...(await violations(page)), ...(await sideways(page))];
          const look = `${state}-${language}-${width}-${colorScheme}`;
          if (wrong.length > 0) this.found[look] = wrong;
          await this.#picture(look, width);
        }
      }
    }
  }

  /** All of it, not only what the window shows. */
  async #picture(look: string, width: number): Promise<void> {
    if (this.#folder === undefined) return;
    const { page } = this.#options;
    const hidden = await page.evaluate(() =>
      Math.max(
        ...[document.documentElement, ...document.querySelectorAll('main, .page, dialog, .card')].map(
          (one) => one.scrollHeight - one.clientHeight,
        ),
      ),
    );
    await page.setViewportSize({ width, height: Math.min(TALLEST, HEIGHT + Math.max(0, hidden)) });
    await page.screenshot({ path: `${this.#folder}/${look}.png`, animations: 'disabled', caret: 'hide' });
    await page.setViewportSize({ width, height: HEIGHT });
  }
}

/** What can be moved sideways, though nothing should. */
async function sideways(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('main, .page')]
      .filter((one) => one.scrollWidth > one.clientWidth)
      .map((one) => `goes sideways: ${one.tagName}.${one.className} +${one.scrollWidth - one.clientWidth}`),
  );
}

/** The console keeps its language for itself, and is drawn anew where its address leads. */
export async function speakInConsole(page: Page, language: LookLanguage): Promise<void> {
  await page.evaluate((locale) => {
    const key = 'chat-console:settings';
    const before: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    localStorage.setItem(key, JSON.stringify({ ...(before as object), locale }));
  }, language);
  await page.reload();
  await page.locator('.rail, form[aria-labelledby], .login-box').first().waitFor();
}
