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
