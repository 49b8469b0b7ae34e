import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { snippet, startHostPage } from './host-page.ts';
import { WidgetPage } from './widget-page.ts';

const packaged = fileURLToPath(new URL('../../clients/widget/dist/lib/', import.meta.url));
/** The package as a site's bundle has it: modules of the site itself. */
const PACKAGE = Object.fromEntries(
  ['index.js', 'queue.js'].map((name) => [`/bundle/${name}`, readFileSync(packaged + name, 'utf8')]),
);
const NONCE = `script-src 'nonce-abc'`;
const DYNAMIC = `${NONCE} 'strict-dynamic'`;
const TRUSTED = `${DYNAMIC}; require-trusted-types-for 'script'`;

/** What docs/widget.md says of strict sites. */
describe('the widget in a strict site', async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();
  const loader = `${chat.baseUrl}/widget/v1/loader.js`;
  const connect = `connect-src 'self' ${chat.baseUrl} ${chat.baseUrl.replace(/^http/, 'ws')}`;
  const policyOf = (scripts: string): string =>
    `default-src 'none'; ${scripts}; ${connect}; img-src ${chat.baseUrl} data:; base-uri 'none'; form-action 'none'`;

  /** Writes and sends by the button, which submits a form. */
  const talk = async (page: Page): Promise<WidgetPage> => {
    const widget = new WidgetPage(page);
    await widget.open();
    await widget.consent.check();
    await widget.field.fill('строго');
    await widget.panel.getByRole('button', { name: 'Отправить' }).click();
    await widget.state('строго', 'отправлено');
    return widget;
  };

  const stub = `<script nonce="abc">
    window.chatWidget = { q: [['on', ['message', () => { document.title = 'sent'; }], () => {}, () => {}]] };
  </script>`;
  const tag = `${stub}<script nonce="abc" async src="${loader}"></script>`;
  const inserted = `${stub}<script nonce="abc">
    const script = document.createElement('script');
    script.src = '${loader}';
    document.head.append(script);
  </script>`;
  const allowed = inserted.replace(
    `'${loader}'`,
    `trustedTypes.createPolicy('site', { createScriptURL: (address) => address }).createScriptURL('${loader}')`,
  );
  const imported = `${stub}<script nonce="abc" type="module">await import('${loader}')</script>`;
  const bundled = `<script nonce="abc" type="module">
    import { loadChatWidget } from '/bundle/index.js';
    loadChatWidget({ baseUrl: '${chat.baseUrl}', nonce: 'abc' }).on('message', () => { document.title = 'sent'; });
  </script>`;

  it.each([
    ['a nonce alone', NONCE, tag],
    ['strict-dynamic, put in by a script', DYNAMIC, inserted],
    ['Trusted Types that allow no policy', `${TRUSTED}; trusted-types 'none'`, tag],
    ['Trusted Types of the site, put in by its policy', `${TRUSTED}; trusted-types site`, allowed],
    ['Trusted Types of the site, by import()', `${TRUSTED}; trusted-types site`, imported],
    ['Trusted Types that allow no policy, from a bundle', `${TRUSTED}; trusted-types 'none'`, bundled],
  ])('talks under %s, with no form-action', async (_name, scripts, body) => {
    const site = await startHostPage({ policy: policyOf(scripts), body, scripts: PACKAGE });
    const { page, problems } = await open();
    await page.goto(site.url);
    await talk(page);
    await expect.poll(() => page.title()).toBe('sent');
    // Asking whether a script's address may be set is told as a problem by the browser, although it is caught.
    expect(problems.filter((problem) => !/requires 'TrustedScriptURL'/.test(problem))).toEqual([]);
  });

  it('the staff counters work under Trusted Types that allow no policy', async () => {
    const anna = await chat.staff('anna', true);
    const site = await startHostPage({
      policy: policyOf(`${TRUSTED}; trusted-types 'none'`),
      body:
        '<b data-chat-unassigned></b>' +
        `<script nonce="abc" async src="${chat.baseUrl}/widget/v1/badge.js" data-token-url="/strict-token"></script>`,
      json: { '/strict-token': () => ({ access_token: anna.token }) },
    });
    const { page, problems } = await open();
    await chat.customer({ message: { body: 'новый', client_message_id: crypto.randomUUID() } });
    await page.goto(site.url);
    await expect.poll(async () => Number(await page.locator('b').textContent())).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  });

  const controlled = async (name: string, onFetch: string) => {
    const script = `self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
      self.addEventListener('fetch', (event) => { ${onFetch} });`;
    const site = await startHostPage({ body: snippet(chat.baseUrl), scripts: { [`/${name}.js`]: script } });
    const opened = await open();
    const { page } = opened;
    await page.goto(site.url);
    await page.evaluate(async (address) => {
      const taken = new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
      await navigator.serviceWorker.register(address);
      if (navigator.serviceWorker.controller === null) await taken;
    }, `/${name}.js`);
    await page.reload();
    return opened;
  };
  const HTML = `event.respondWith(new Response('<p>Нет связи</p>', { headers: { 'content-type': 'text/html' } }))`;
  const OWN = `if (new URL(event.request.url).origin !== location.origin) return;`;

  it('works beside a service worker that answers whatever it can from its cache', async () => {
    const { page, problems } = await controlled(
      'cache-first',
      `event.respondWith((async () => {
        const found = await caches.match(event.request);
        if (found) return found;
        const answer = await fetch(event.request);
        if (event.request.method === 'GET') (await caches.open('all')).put(event.request, answer.clone()).catch(() => {});
        return answer;
      })())`,
    );
    const widget = await talk(page);
    const anna = await chat.staff('anna');
    const id = await widget.sessionId();
    for (const text of ['первый', 'второй', 'третий']) {
      await anna.post(id, text);
      await widget.message(text).waitFor();
      await page.reload();
    }
    await expect.poll(() => widget.texts()).toEqual(['строго', 'первый', 'второй', 'третий']);
    expect(problems).toEqual([]);
  });

  it('is missing if a service worker answers its files with a page, and present if the worker ignores them', async () => {
    const answered = await controlled('answers-all', `if (event.request.mode !== 'navigate') ${HTML}`);
    expect(await answered.page.evaluate(`fetch('${loader}').then((answer) => answer.text())`)).toContain('Нет связи');
    expect(await answered.page.locator('chat-widget').count()).toBe(0);
    const left = await controlled('answers-own', `${OWN} if (event.request.mode !== 'navigate') ${HTML}`);
    expect(await left.page.evaluate(`fetch('/own').then((answer) => answer.text())`)).toContain('Нет связи');
    await talk(left.page);
    expect(left.problems).toEqual([]);
  });
});
