import { describe, expect, it } from 'vitest';
import { PAGES } from '../../clients/operator-console/src/state/route.ts';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { sidewaysByPlace, violationsByPlace } from './console-look.ts';

/** The other two of four; `console.test.ts` has the first. */
const LOOKS = [
  { colorScheme: 'dark', width: 1440, locale: 'en-US' },
  { colorScheme: 'light', width: 390, locale: 'en-US' },
] as const;

describe('the operator console in its other looks', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();

  for (const { colorScheme, width, locale } of LOOKS) {
    it(`has no violation axe-core knows: ${colorScheme}, ${width} px, ${locale}`, async () => {
      const visitor = await chat.customer({ name: 'Доступность', email: 'a@example.com' });
      await visitor.post('вопрос');
      const anna = await chat.staff('anna');
      await anna.post(visitor.sessionId, 'ответ');
      await anna.note(visitor.sessionId, 'заметка');
      const opened = await open({ viewport: { width, height: 860 }, colorScheme, locale });
      expect(await violationsByPlace(opened, chat.baseUrl, visitor.sessionId)).toEqual({});
      expect(await opened.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    });
  }

  for (const locale of ['ru-RU', 'en-US'])
    it(`scrolls sideways on no page on a phone: ${locale}`, async () => {
      const visitor = await chat.customer({ name: 'Анна-Мария Константинопольская', email: 'a@example.com' });
      await visitor.post('слово-которое-нигде-не-переносится-и-всё-же-умещается'.repeat(3));
      const { page } = await open({ viewport: { width: 390, height: 860 }, locale });
      const places = [...PAGES.map((name) => `#/${name}`), '#/inbox/all', `#/inbox/all/${visitor.sessionId}`];
      expect(await sidewaysByPlace(page, chat.baseUrl, places)).toEqual({});
    });
});
