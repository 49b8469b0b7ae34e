import { until } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { freshAddress, useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { startSite } from './site-server.ts';

describe("the console behind the site's own sign-in", async () => {
  // Its tokens are those of a foreign auth-service, and OPERATOR_TOKEN_URL is set.
  const chat = await useChat('limits');
  const { open } = useBrowser();

  it('redirects to the site, comes back signed in, renews its token, and redirects again when the site ends the sign-in', async () => {
    const site = await startSite(chat.baseUrl, freshAddress());
    const { page, requests } = await open({ viewport: { width: 1280, height: 860 } });
    const console = new ConsolePage(page, site.url);
    const visitor = await chat.customer({ name: 'Гость сайта' });
    await visitor.post('вопрос');
    const address = `${site.url}/operator/#/inbox/all/${visitor.sessionId}`;

    await page.goto(address);
    await page.locator('#yes').click();
    await page.waitForURL(address);
    await page.locator('.chat-head h2', { hasText: 'Гость сайта' }).waitFor();
    expect(await page.locator('input[name=password]').count()).toBe(0);

    // The token lives for 8 s: the connection outlives several of them.
    await until(() => site.given() >= 3, { timeoutMs: 60_000, what: 'a third token' });
    await console.send('ответ после обновления');
    await page.locator('.ticks[data-delivery=sent], .ticks[data-delivery=delivered]').waitFor();
    expect((await visitor.messages()).messages.at(-1)).toMatchObject({
      body: 'ответ после обновления',
      sender_name: 'Ольга Сайт',
    });
    await page.locator('.banner.strong').waitFor({ state: 'detached' });
    await page.locator('.settings > button').click();
    await page.locator('.menu-who', { hasText: 'Ольга Сайт' }).waitFor();
    // The site's own sign-in ends on the site.
    expect(await page.getByRole('button', { name: 'Выйти' }).count()).toBe(0);

    site.endSessions();
    await page.waitForURL((url) => url.pathname === '/site/login', { timeout: 60_000 });
    expect(new URL(page.url()).searchParams.get('return_to')).toBe(address);
    await page.locator('#yes').click();
    await page.waitForURL(address);
    await page.locator('.message .text', { hasText: 'ответ после обновления' }).waitFor();

    // A site that sends everybody straight back is not asked for ever: the console stays and says what to do.
    site.sendBackAtOnce(true);
    site.endSessions();
    await console.action('site-sign-in').waitFor({ timeout: 60_000 });
    expect(await console.violations()).toEqual([]);
    site.sendBackAtOnce(false);
    await console.action('site-sign-in').click();
    await page.locator('#yes').click();
    await page.locator('.message .text', { hasText: 'ответ после обновления' }).waitFor();
    expect(requests.filter((url) => url.includes('/auth/'))).toEqual([]);
  }, 180_000);
});
