import type { Page } from 'playwright-core';
import type { OpenPage } from './browser.ts';
import { ConsolePage } from './console-page.ts';

/** What axe-core finds in each place of the console, by the place; those without a finding are left out. */
export async function violationsByPlace(
  { page }: OpenPage,
  baseUrl: string,
  sessionId: number,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const console = new ConsolePage(page, baseUrl);
  await page.goto(`${baseUrl}/operator/`);
  await page.waitForSelector('input[name=login]');
  const found: Record<string, string[]> = { login: await console.violations() };
  await console.signIn('anna');
  await page.waitForSelector('.session-row, .empty');
  found['inbox'] = await console.violations();
  await console.openSession(sessionId);
  found['conversation'] = await console.violations();
  await page.locator('#mode-note').click();
  found['note'] = await console.violations();
  await console.go('#/callbacks');
  await page.waitForSelector('.page h1');
  found['callbacks'] = await console.violations();
  await console.go('#/setup');
  await page.waitForSelector('.code');
  found['setup'] = await console.violations();
  await page.locator('.settings > button').click();
  found['settings'] = await console.violations();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Shift+?');
  await page.locator('dialog[open]').waitFor();
  found['shortcuts'] = await console.violations();
  return Object.fromEntries(Object.entries(found).filter(([, lines]) => lines.length > 0));
}

/**
 * By how many pixels, and at which elements, a page of an administrator can be moved sideways; those that cannot are
 * left out.
 */
export async function sidewaysByPlace(
  page: Page,
  baseUrl: string,
  places: readonly string[],
): Promise<Readonly<Record<string, readonly string[]>>> {
  const console = new ConsolePage(page, baseUrl);
  await console.signIn('admin');
  await page.waitForSelector('.session-row, .empty');
  const found: Record<string, string[]> = {};
  for (const place of places) {
    await console.go(place);
    await page.locator(':is(.page h1, .chat-head, .session-row):visible').first().waitFor();
    // What a page reads comes after its heading.
    await page.waitForTimeout(1_000);
    const wide = await page.evaluate(() => {
      const [root, seen] = [document.documentElement, innerWidth];
      const moves = [root, ...document.querySelectorAll('main, .page')].filter(
        (one) => one.scrollWidth > one.clientWidth,
      );
      if (moves.length === 0) return [];
      const beyond = [...document.querySelectorAll('body *')].filter(
        (one) => one.getBoundingClientRect().right > seen + 0.5,
      );
      return [...moves, ...beyond].map(
        (one) => `${one.tagName}.${one.className} +${Math.max(one.scrollWidth - one.clientWidth, 0)}`,
      );
    });
    if (wide.length > 0) found[place] = wide;
  }
  return found;
}
