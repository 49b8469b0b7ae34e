import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { type HostPageOptions, snippet, startHostPage } from './host-page.ts';
import { WidgetPage } from './widget-page.ts';

const { resolve } = createRequire(import.meta.url);
const library = (file: string): string => `<script>${readFileSync(resolve(file), 'utf8')}</script>`;

/** As a page with a search field, a shortcut to it and one to another place has them. */
const HOTKEYS = `<input id="search" aria-label="Поиск">
<script>
  window.heard = [];
  const search = document.getElementById('search');
  const hot = (event) => {
    window.heard.push(event.key);
    if (event.key === '/' || event.key === 's') { event.preventDefault(); search.focus(); }
  };
  document.addEventListener('keydown', hot, true);
  window.addEventListener('keydown', hot);
</script>`;

/** What every trap of a modal does: whatever goes elsewhere is fetched back, and clicks outside are forbidden. */
const TRAP = `<div role="dialog" aria-modal="true"><input id="inside" aria-label="Внутри"></div>
<script>
  const inside = document.getElementById('inside');
  const box = inside.parentNode;
  const elsewhere = (event) => !box.contains(event.target);
  document.addEventListener('focusin', (event) => elsewhere(event) && inside.focus());
  document.addEventListener('focusin', (event) => elsewhere(event) && inside.focus(), true);
  box.addEventListener('focusout', (event) => event.relatedTarget && !box.contains(event.relatedTarget) && inside.focus());
  for (const type of ['mousedown', 'touchstart', 'click'])
    document.addEventListener(type, (event) => {
      if (!elsewhere(event)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    }, true);
  inside.focus();
</script>`;

describe('the widget as a guest of a page', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();
  const loader = `${chat.baseUrl}/widget/v1/loader.js`;

  const visit = async (options: HostPageOptions): Promise<WidgetPage> => {
    const site = await startHostPage(options);
    const { page } = await open();
    await page.goto(site.url);
    return new WidgetPage(page);
  };
  const began = async (options: HostPageOptions): Promise<WidgetPage> => {
    const widget = await visit(options);
    await widget.open();
    return widget;
  };
  const focused = (page: Page): Promise<string> =>
    page.evaluate(() => {
      let active: Element | null = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      return active?.getAttribute('aria-label') ?? active?.tagName ?? '';
    });

  it('keeps what is typed in it from the shortcuts of the page', async () => {
    const widget = await began({ body: HOTKEYS + snippet(chat.baseUrl) });
    const { page, field } = widget;
    await field.click();
    await page.keyboard.type('и/или s and / s');
    expect(await field.inputValue()).toBe('и/или s and / s');
    expect(await page.evaluate('heard')).toEqual([]);
    await page.keyboard.press('Enter');
    expect(await page.locator('#search').inputValue()).toBe('');
  });

  it('leaves the keys of the page to the page, and its own to the browser', async () => {
    const widget = await began({ body: HOTKEYS + snippet(chat.baseUrl) });
    const { page, field } = widget;
    await field.click();
    await page.keyboard.press('Shift+Tab');
    expect(await focused(page)).not.toBe('Сообщение');
    await page.locator('#search').click();
    await page.keyboard.type('q');
    expect(await page.evaluate('heard')).toContain('q');
    await field.click();
    await page.keyboard.press('Escape');
    await widget.panel.waitFor({ state: 'hidden' });
  });

  it('can be written in and clicked while a modal of the page traps the focus', async () => {
    const widget = await began({ body: snippet(chat.baseUrl) });
    const { page, field } = widget;
    await page.evaluate((html) => {
      document.body.append(document.createRange().createContextualFragment(html));
    }, TRAP);
    await field.click();
    await page.keyboard.type('я здесь');
    expect(await field.inputValue()).toBe('я здесь');
    expect(await page.locator('#inside').inputValue()).toBe('');
    await widget.consent.check();
    expect(await widget.consent.isChecked()).toBe(true);
    await widget.panel.getByRole('button', { name: 'Отправить' }).click();
    await widget.state('я здесь', 'отправлено');
  });

  it('can be used when a modal of the page makes everything else inert', async () => {
    const widget = await began({ body: snippet(chat.baseUrl) });
    const { page, field } = widget;
    await page.evaluate(() => {
      for (const element of document.body.children) element.setAttribute('inert', '');
    });
    await field.click();
    await page.keyboard.type('слышно?');
    expect(await field.inputValue()).toBe('слышно?');
  });

  it('is moved into a native dialog, where Escape is still the dialog’s', async () => {
    const body = `<dialog aria-label="Заказ"><p>Заказ</p></dialog>${snippet(chat.baseUrl)}`;
    const widget = await began({ body });
    const { page, field } = widget;
    await page.evaluate(`document.querySelector('dialog').showModal()`);
    await page.evaluate(`chatWidget.mount(document.querySelector('dialog'))`);
    await field.click();
    await page.keyboard.type('из окна');
    expect(await field.inputValue()).toBe('из окна');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    expect(await page.locator('dialog').getAttribute('open')).toBeNull();
    await page.evaluate('chatWidget.mount(null)');
    await widget.launcher.click();
    expect(await field.inputValue()).toBe('из окна');
  });

  it.each([
    ['Turbo', library('@hotwired/turbo/dist/turbo.es2017-umd.js'), ''],
    ['htmx', library('htmx.org/dist/htmx.min.js'), ' hx-boost="true"'],
  ])('stays, with panel and text as they were, when %s exchanges the body', async (_name, head, attribute) => {
    const next = await startHostPage({ head, body: `<p id="second">Вторая</p>${snippet(chat.baseUrl)}` });
    const body = `<div${attribute}><a id="next" href="${new URL(next.url).pathname}">Дальше</a></div>${snippet(chat.baseUrl)}`;
    const widget = await began({ head, body });
    const { page, field } = widget;
    await field.fill('недописанное');
    await page.evaluate(() => Object.assign(window, { same: true }));
    await page.locator('#next').click();
    await page.locator('#second').waitFor();
    expect(await page.evaluate('same')).toBe(true);
    await expect.poll(() => field.inputValue()).toBe('недописанное');
    await page.goBack();
    await page.locator('#next').waitFor();
    await expect.poll(() => page.locator('chat-widget').count()).toBe(1);
    expect(await field.inputValue()).toBe('недописанное');
    await field.fill('дальше');
    expect(await field.inputValue()).toBe('дальше');
  });

  it('shows its panel before open() resolves, even in a body that was just replaced', async () => {
    const widget = await began({ body: snippet(chat.baseUrl) });
    const { page } = widget;
    const seen = await page.evaluate(`(async () => {
      await chatWidget.close();
      document.body.replaceWith(document.createElement('body'));
      await chatWidget.open();
      return document.querySelector('chat-widget').shadowRoot.querySelector('.panel').getClientRects().length;
    })()`);
    expect(seen).toBeGreaterThan(0);
  });

  it.each([
    ['a module', `<script type="module" src="${loader}?accent=%23aa0000&position=left"></script>`],
    ['import()', `<script type="module">await import('${loader}?accent=%23aa0000&position=left')</script>`],
    [
      'a tag manager',
      `<script>const s = document.createElement('script'); s.async = true; s.src = '${loader}?accent=%23aa0000&position=left'; document.head.append(s)</script>`,
    ],
  ])('knows its address and settings when it is loaded by %s', async (_name, body) => {
    const widget = await began({ body });
    const look = await widget.launcher.evaluate((button) => ({
      colour: getComputedStyle(button).backgroundColor,
      left: button.getBoundingClientRect().left < innerWidth / 2,
    }));
    expect(look).toEqual({ colour: 'rgb(170, 0, 0)', left: true });
  });

  it('logs that its address is missing if nothing gives it', async () => {
    const text = await (await fetch(loader)).text();
    const site = await startHostPage({ body: `<script type="module">${text}</script>` });
    const { page, problems } = await open();
    await page.goto(site.url);
    await expect.poll(() => problems.join()).toContain('data-base-url');
    expect(await page.locator('chat-widget').count()).toBe(0);
    await page.evaluate(`chatWidget.init({ baseUrl: ${JSON.stringify(chat.baseUrl)} })`);
    await new WidgetPage(page).open();
  });

  it('opens with the current files when those of its own build are gone', async () => {
    const site = await startHostPage({ body: snippet(chat.baseUrl) });
    const { page, requests } = await open();
    // A loader of some weeks ago.
    await page.route('**/loader.js', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({
        response: answer,
        body: (await answer.text()).replace(/panel-[\w-]+\.js/, 'panel-gone.js'),
      });
    });
    await page.goto(site.url);
    await new WidgetPage(page).open();
    expect(requests.filter((url) => url.includes('panel-gone')).length).toBe(1);
    expect((await fetch(`${chat.baseUrl}/widget/v1/assets/panel-00000000.js`)).status).toBe(404);
  });
});
