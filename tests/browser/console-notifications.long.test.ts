import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';

const LOOKS = [
  { colorScheme: 'light', width: 1440, locale: 'ru-RU' },
  { colorScheme: 'dark', width: 1440, locale: 'en-US' },
  { colorScheme: 'light', width: 390, locale: 'en-US' },
  { colorScheme: 'dark', width: 390, locale: 'ru-RU' },
] as const;

describe('the page «Уведомления» of the console', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();

  for (const { colorScheme, width, locale } of LOOKS) {
    it(`has no violation axe-core knows: ${colorScheme}, ${width} px, ${locale}`, async () => {
      const { page } = await open({ viewport: { width, height: 860 }, colorScheme, locale });
      const console = new ConsolePage(page, chat.baseUrl);
      await page.goto(`${chat.baseUrl}/operator/`);
      await page.waitForSelector('input[name=login]');
      await console.signIn('anna');
      await page.waitForSelector('.session-row, .empty');
      await console.go('#/notifications');
      // The last of its parts is there once the settings have been read.
      await page.locator('.page input[type=checkbox]').first().waitFor();
      expect(await console.violations()).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    });
  }
});
