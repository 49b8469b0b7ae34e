import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { operatorPolicy } from '../../apps/standalone/src/page-policy.ts';
import { TcpProxy, until } from '@chat-realtime/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { useChat } from '../support/chat.ts';
import { useBrowser } from './browser.ts';
import { emptyQueue } from './empty-queue.ts';
import { violationsByPlace } from './console-look.ts';
import { ConsolePage } from './console-page.ts';

const XSS = [
  '<img src=x onerror="document.title=1">',
  '<script>document.title=1</script>',
  '"><svg onload=document.title=1>',
  'javascript:alert(1)',
  '<a href="javascript:document.title=1">x</a>',
];

describe('the operator console', async () => {
  const chat = await useChat('main', { survives: true });
  const { open } = useBrowser();

  const desk = async (login: 'anna' | 'boris' | 'admin', options = {}) => {
    const opened = await open({ viewport: { width: 1440, height: 900 }, ...options });
    const console = new ConsolePage(opened.page, chat.baseUrl);
    await console.keepNotices();
    await console.signIn(login);
    return { ...opened, console };
  };
  const customer = (name: string, more = {}) => chat.customer({ name, ...more });

  it('loads no more than 130 KB of script, gzipped', () => {
    const site = new URL('../../dist/site/operator/', import.meta.url);
    const folder = new URL('assets/', site);
    // Those of earlier builds stay beside them.
    const builds: { files: string[] }[] = JSON.parse(readFileSync(new URL('builds.json', site), 'utf8'));
    const scripts = (builds[0]?.files ?? []).filter((name) => name.endsWith('.js'));
    const bytes = scripts.reduce(
      (sum, name) => sum + gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length,
      0,
    );
    expect(scripts.length).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(130 * 1_024);
  });

  it('is served with a policy that lets only its own origin frame it', async () => {
    const answer = await fetch(`${chat.baseUrl}/operator/`);
    expect(answer.headers.get('content-security-policy')).toBe(operatorPolicy({ tokenUrl: null }));
  });

  it('carries a conversation: arrives by itself, is answered, read, and whole after a reload', async () => {
    const { console, page, problems } = await desk('anna');
    await emptyQueue(chat);
    const visitor = await customer('Ольга');
    await visitor.post('Здравствуйте, есть вопрос');
    await console.row(visitor.sessionId).waitFor();
    await console.row(visitor.sessionId).click();
    await page.waitForSelector('.message');
    await console.action('claim').click();
    await console.action('claim').waitFor({ state: 'detached' });
    await console.send('Слушаю вас');
    await page.waitForSelector('.ticks[data-delivery=sent]');
    const channel = await chat.channel(visitor, { lastSeq: 0 });
    const last = (await visitor.messages()).messages.at(-1);
    expect(last).toMatchObject({ body: 'Слушаю вас', sender_type: 'operator' });
    await visitor.read(last?.id ?? 0);
    await page.waitForSelector('.ticks[data-delivery=read]');
    channel.send({ type: 'typing', active: true });
    await page.getByText('Клиент печатает…').waitFor();
    await page.reload();
    await page.waitForSelector('.ticks[data-delivery=read]');
    expect(await console.texts()).toEqual(['Здравствуйте, есть вопрос', 'Слушаю вас']);
    await console.action('close').click();
    await console.action('reopen').click();
    await console.field.waitFor();
    expect(problems).toEqual([]);
  });

  it('shows the badge of the server in the menu and in the title', async () => {
    const { page } = await desk('anna');
    const visitor = await customer('Номер');
    await visitor.post('сообщение');
    const anna = await chat.staff('anna');
    await until(async () => {
      const { unread_count } = await anna.alerts();
      const shown = await page.locator('[data-badge=inbox] [aria-hidden]').textContent();
      return shown === String(unread_count) && (await page.title()) === `(${unread_count}) Чаты`;
    });
  });

  it('lets one of two operators win a claim and shows the other who did', async () => {
    const [first, second] = [await desk('anna'), await desk('boris')];
    const visitor = await customer('Гонка');
    await visitor.post('кто возьмёт?');
    await first.console.openSession(visitor.sessionId);
    await second.console.openSession(visitor.sessionId);
    const pages = [first.page, second.page];
    // No claim leaves before both have clicked: the event of the first would take the button away from the second.
    const clicked = Promise.withResolvers<void>();
    let claims = 0;
    for (const page of pages) {
      await page.route('**/assign', async (route) => {
        claims += 1;
        if (claims === pages.length) clicked.resolve();
        await clicked.promise;
        await route.continue();
      });
    }
    await Promise.all([first.console.action('claim').click(), second.console.action('claim').click()]);
    await until(
      async () =>
        (await Promise.all(pages.map(async (page) => page.locator('.notice.error').count()))).join('') !== '00',
    );
    expect(claims).toBe(pages.length);
    const told = await Promise.all(pages.map(async (page) => page.locator('.notice.error').count()));
    expect(told.toSorted()).toEqual([0, 1]);
    const owner = (await (await chat.staff('anna')).session(visitor.sessionId)).assigned_user_name ?? '';
    const loser = told[0] === 1 ? first : second;
    expect(await loser.page.locator('.notice.error').textContent()).toContain(owner);
    await loser.page.locator('.chat-owner', { hasText: owner }).waitFor();
  });

  it('stops a send when a colleague was faster, shows what was missed, and sends after confirmation', async () => {
    const { console, page } = await desk('anna');
    const visitor = await customer('Обгон');
    await visitor.post('вопрос');
    await console.openSession(visitor.sessionId);
    await console.field.fill('мой ответ');
    const boris = await chat.staff('boris');
    await boris.post(visitor.sessionId, 'ответ коллеги');
    await page.locator('.message .text', { hasText: 'ответ коллеги' }).waitFor();
    await console.field.press('Enter');
    await page.locator('.stale blockquote', { hasText: 'ответ коллеги' }).waitFor();
    expect(await console.field.inputValue()).toBe('мой ответ');
    expect((await visitor.messages()).messages.map((one) => one.body)).toEqual(['вопрос', 'ответ коллеги']);
    await console.action('send-anyway').click();
    await until(async () => (await visitor.messages()).messages.at(-1)?.body === 'мой ответ');
    await page.locator('.stale').waitFor({ state: 'detached' });
    expect(await console.field.inputValue()).toBe('');
  });

  it('shows who else is looking and writing', async () => {
    const [first, second] = [await desk('anna'), await desk('boris')];
    const visitor = await customer('Двое');
    await visitor.post('вопрос');
    await first.console.openSession(visitor.sessionId);
    await second.console.openSession(visitor.sessionId);
    await first.page.locator('.co-looking').waitFor();
    await second.console.field.pressSequentially('пишу');
    await first.page.locator('.co-writing').waitFor();
  });

  it('keeps the draft of each session across a reload, and notes from the customer', async () => {
    const { console, page } = await desk('anna');
    const [one, two] = [await customer('Первый'), await customer('Второй')];
    for (const visitor of [one, two]) await visitor.post('вопрос');
    await console.openSession(one.sessionId);
    await console.field.fill('черновик первому');
    await console.openSession(two.sessionId);
    expect(await console.field.inputValue()).toBe('');
    await page.reload();
    await console.openSession(one.sessionId);
    expect(await console.field.inputValue()).toBe('черновик первому');
    await page.locator('#mode-note').click();
    await console.send('только для своих');
    await page.locator('.note p', { hasText: 'только для своих' }).waitFor();
    expect(JSON.stringify(await one.events())).not.toContain('только для своих');
  });

  it('can be used with the keyboard alone, in a Russian layout too', async () => {
    const visitor = await customer('Клавиши');
    await visitor.post('вопрос с клавиатуры');
    const { console, page } = await desk('anna');
    await page.locator('.session-row').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('Клавиши');
    await page.locator('.results .session-row').first().waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.classList.contains('session-row'))).toBe(true);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.message');
    // The key where an English keyboard has the letter, whatever it writes.
    const russian = (code: string, key: string) =>
      page.evaluate(
        ([c, k]) => document.body.dispatchEvent(new KeyboardEvent('keydown', { code: c, key: k, bubbles: true })),
        [code, key],
      );
    await russian('KeyI', 'ш');
    await console.action('claim').waitFor({ state: 'detached' });
    await russian('KeyR', 'к');
    await until(async () => page.evaluate(() => document.activeElement?.id === 'composer-text'));
    await page.keyboard.type('отвечаю');
    await page.keyboard.press('Enter');
    await until(async () => (await visitor.messages()).messages.at(-1)?.body === 'отвечаю');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Shift+?');
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    await page.keyboard.press('e');
    await console.action('reopen').waitFor();
  });

  it('shows everything that an outsider wrote as plain text, in every field', async () => {
    const { console, page, problems } = await desk('anna');
    const [first = ''] = XSS;
    const visitor = await chat.customer({
      ...{ name: first, email: 'x@example.com', phone: '<b>1</b>', locale: '<i>', attributes: { [first]: first } },
      page_url: 'https://shop.example/?q="><svg onload=document.title=1>',
    });
    for (const text of XSS) await visitor.post(text);
    await chat.http.post('/chat/callback', {
      json: { phone: '+79991234567', name: first, comment: XSS[1], session_id: undefined, consent: true },
    });
    await console.openSession(visitor.sessionId);
    await until(async () => (await console.texts()).length === XSS.length);
    expect(await console.texts()).toEqual(XSS);
    expect(await page.locator('.chat-head h2').textContent()).toBe(first);
    expect(await page.locator('.message a').count()).toBe(0);
    await console.go('#/callbacks');
    await page.locator('.call').first().waitFor();
    expect(await page.locator('#app img, #app script, #app svg[onload]').count()).toBe(0);
    expect(await page.title()).toMatch(/Чаты$/);
    expect(problems).toEqual([]);
  });

  it('leads a callback through its steps', async () => {
    const { console, page } = await desk('anna');
    const request = { phone: '+79990001122', name: 'Звонок', consent: true };
    const answer = await chat.http.post('/chat/callback', { json: request });
    const { callback } = answer.json() as { callback: { id: number } };
    await console.go('#/callbacks');
    const row = page.locator(`[data-callback="${callback.id}"]`);
    await row.locator('[data-step=calling]').click();
    await row.locator('[data-step=done]').click();
    await page.locator(`[data-callback="${callback.id}"][data-status=done]`).waitFor();
  });

  it('misses no callback that is requested while the lists are read at the start', async () => {
    const { page } = await open({ viewport: { width: 1440, height: 900 } });
    const console = new ConsolePage(page, chat.baseUrl);
    const requested = Promise.withResolvers<void>();
    await page.route(/\/chat\/sessions\?/, async (route) => {
      await requested.promise;
      await route.continue();
    });
    const early = page.waitForResponse(/\/chat\/callbacks/, { timeout: 2_000 }).catch(() => null);
    await console.signIn('anna');
    // The list of requests must not be older than the event from which on the channel delivers.
    await early;
    const answer = await chat.http.post('/chat/callback', { json: { phone: '+79990003344', consent: true } });
    const { callback } = answer.json() as { callback: { id: number } };
    requested.resolve();
    await console.go('#/callbacks');
    await page.locator(`[data-callback="${callback.id}"]`).waitFor({ timeout: 10_000 });
  });

  it('shows a lost connection after two seconds, sends later, and then shows the same as a snapshot', async () => {
    const proxy = await TcpProxy.start({ target: chat.baseUrl });
    onTestFinished(() => proxy.close());
    const { page } = await open({ viewport: { width: 1440, height: 900 } });
    const console = new ConsolePage(page, proxy.urlFor(chat.baseUrl).replace(/\/$/, ''));
    await console.signIn('anna');
    const visitor = await customer('Обрыв');
    await visitor.post('до обрыва');
    await console.openSession(visitor.sessionId);
    await visitor.post('сразу');
    // Shown live, so the connection stood: one that never did is spoken of sooner.
    await until(async () => (await console.texts()).length === 2);
    const cut = Date.now();
    await proxy.down();
    await console.send('во время обрыва');
    await page.locator('.ticks[data-delivery=sending]').waitFor();
    await visitor.post('клиент тем временем');
    await page.locator('.banner.strong').waitFor();
    expect(Date.now() - cut).toBeGreaterThanOrEqual(1_900);
    await proxy.heal();
    await until(async () => (await visitor.messages()).messages.length === 4);
    const stored = (await visitor.messages()).messages.map((one) => one.body);
    await until(async () => JSON.stringify(await console.texts()) === JSON.stringify(stored));
    await page.locator('.banner').waitFor({ state: 'detached' });
  });

  // The other two of them: console-looks.long.test.ts.
  const looks = [
    { colorScheme: 'light' as const, width: 1440, locale: 'ru-RU' },
    { colorScheme: 'dark' as const, width: 390, locale: 'ru-RU' },
  ];
  for (const { colorScheme, width, locale } of looks) {
    it(`has no violation axe-core knows: ${colorScheme}, ${width} px, ${locale}`, async () => {
      const visitor = await customer('Доступность', { email: 'a@example.com', page_url: 'https://shop.example/cart' });
      await visitor.post('вопрос');
      const anna = await chat.staff('anna');
      await anna.post(visitor.sessionId, 'ответ');
      await anna.note(visitor.sessionId, 'заметка');
      const opened = await open({ viewport: { width, height: 860 }, colorScheme, locale });
      expect(await violationsByPlace(opened, chat.baseUrl, visitor.sessionId)).toEqual({});
      expect(await opened.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    });
  }
});
