import { readFileSync } from 'node:fs';
import { until } from '@chat-realtime/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.ts';
import { ALLOWED_ORIGIN } from '../support/profiles.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';

const ROOT = new URL('../../', import.meta.url);

describe('the desk of an operator', { timeout: 90_000 }, async () => {
  const chat = await useChat('main');
  const { open } = useBrowser();

  const desk = async (login: 'anna' | 'boris' | 'admin', options = {}) => {
    const opened = await open({ viewport: { width: 1280, height: 860 }, ...options });
    const console = new ConsolePage(opened.page, chat.baseUrl);
    await console.signIn(login);
    return { ...opened, console };
  };
  const call = async (login: 'anna' | 'boris' | 'admin', method: string, path: string, json?: object) => {
    const staff = await chat.staff(login);
    return staff.request(method, path, json === undefined ? {} : { json });
  };
  // Other files share the server: what is global to it is left as it was found.
  const made: string[] = [];
  afterAll(async () => {
    for (const login of ['anna', 'boris', 'admin'] as const) {
      await call(login, 'PUT', '/chat/operator/status', { status: 'online' });
    }
    await call('admin', 'PATCH', '/chat/settings', { theme: null, texts: null });
    const { quick_replies: list } = (await call('anna', 'GET', '/chat/quick-replies')).json() as {
      quick_replies: { id: number; shortcut: string }[];
    };
    for (const { id, shortcut } of list) {
      if (made.includes(shortcut)) await call('anna', 'DELETE', `/chat/quick-replies/${id}`);
    }
  });

  it('lists the alerts as they come, counts the new ones, and leads to their chats', async () => {
    const { console, page, problems } = await desk('anna');
    await until(async () => page.evaluate(() => Object.keys(localStorage).some((key) => key.includes('alerts-seen'))));
    const visitor = await chat.customer({ name: 'Тревога' });
    await visitor.post('кто-нибудь?');
    await page.locator('[data-badge=alerts]').waitFor();
    await console.go('#/alerts');
    const row = page.locator('[data-reason=session_created]', { hasText: 'Тревога' });
    await row.locator('.state-new').waitFor();
    await page.locator('[data-badge=alerts]').waitFor({ state: 'detached' });
    // The server makes it after ALERT_WAITING_SECONDS; the page asks by itself.
    await page.locator('[data-reason=waiting]', { hasText: 'Тревога' }).waitFor({ timeout: 60_000 });
    const { waiting_count } = await (await chat.staff('anna')).alerts();
    expect(waiting_count).toBeGreaterThan(0);
    await row.locator('a').click();
    await page.locator('.chat-head h2', { hasText: 'Тревога' }).waitFor();
    expect(problems).toEqual([]);
  });

  it('shares quick replies with all operators: adds, refuses a taken key, edits, fills in, deletes', async () => {
    const name = `тест${Date.now().toString(36)}`;
    made.push(name, `${name}2`);
    const [anna, boris] = [await desk('anna'), await desk('boris')];
    const visitor = await chat.customer({ name: 'Пётр', page_url: 'https://shop.example/cart' });
    await visitor.post('вопрос');

    const { page } = anna;
    await anna.console.go('#/replies');
    const write = async (values: Record<string, string>): Promise<void> => {
      for (const [field, value] of Object.entries(values))
        await page.locator(`.reply-form [name=${field}]`).fill(value);
      await page.locator('.reply-form [type=submit]').click();
    };
    await anna.console.action('add-reply').click();
    await write({ shortcut: name, title: 'Проба', text: 'Здравствуйте, {{name}}! {{operator}}, {{site}}' });
    const row = page.locator(`[data-reply="${name}"]`);
    await row.locator('.reply-text').waitFor();

    await anna.console.action('add-reply').click();
    await write({ shortcut: name.toUpperCase(), title: 'Вторая', text: 'не сохранится' });
    await page.locator('#reply-problem', { hasText: 'Такой ключ уже есть' }).waitFor();
    expect(await page.locator('.reply-form [name=shortcut]').getAttribute('aria-invalid')).toBe('true');
    expect(await page.locator('.reply-form [name=text]').inputValue()).toBe('не сохранится');
    await write({ shortcut: `${name}2` });
    await page.locator(`[data-reply="${name}2"]`).waitFor();

    await row.locator('[data-action=edit-reply]').click();
    await write({ text: 'Добрый день, {{name}}! Это {{operator}}, {{site}}.' });
    await row.locator('.reply-text', { hasText: 'Добрый день' }).waitFor();

    await boris.console.openSession(visitor.sessionId);
    await boris.page.reload();
    await boris.console.field.fill('/');
    await boris.page.locator('.quick-menu').waitFor();
    await boris.console.field.fill(`/${name}`);
    const offered = boris.page.locator('.quick-menu [role=option]');
    await offered.nth(1).waitFor();
    expect(await offered.count()).toBe(2);
    await boris.console.field.press('ArrowDown');
    await boris.console.field.press('ArrowUp');
    await boris.console.field.press('Enter');
    await until(async () => (await boris.console.field.inputValue()) !== `/${name}`);
    expect(await boris.console.field.inputValue()).toMatch(/^Добрый день, Пётр! Это \S.*, shop\.example\.$/);

    await row.locator('.delete-reply').click();
    await row.locator('[data-action=delete-sure]').click();
    await row.waitFor({ state: 'detached' });
  });

  it('lets an operator choose a status that overrides the connection, and keeps it across a reload', {
    timeout: 90_000,
  }, async () => {
    const { page, console } = await desk('anna');
    const boris = await desk('boris');
    const visitor = await chat.customer({ name: 'Статус' });
    await visitor.post('вопрос');
    const annaId = await console.userId();
    await boris.console.openSession(visitor.sessionId);
    const second = await page.context().newPage();
    await second.goto(`${chat.baseUrl}/operator/`);
    for (const [status, presence] of [
      ['away', 'away'],
      ['off', 'offline'],
      ['online', 'online'],
    ] as const) {
      await page.locator('.status-button').click();
      await page.locator(`[data-choose=${status}]`).click();
      await page.locator(`.status-button[data-status=${status}]`).waitFor();
      await boris.page.getByRole('button', { name: 'Передать', exact: true }).click();
      const told = boris.page.locator(`[data-operator="${annaId}"][data-presence=${presence}]`);
      await told.waitFor({ timeout: 30_000 });
      await boris.page.keyboard.press('Escape');
      await second.locator(`.status-button[data-status=${status}]`).waitFor({ timeout: 30_000 });
      if (status !== 'off') continue;
      await page.reload();
      await page.locator('.status-button[data-status=off]').waitFor();
    }
  });

  it('hands over all chats, to a colleague and to the queue', async () => {
    const { page, console } = await desk('admin');
    const visitors = [await chat.customer({ name: 'Раз' }), await chat.customer({ name: 'Два' })];
    const admin = await chat.staff('admin');
    for (const visitor of visitors) await visitor.post('вопрос');
    // What earlier files left with the admin would push these out of sight.
    await call('admin', 'POST', '/chat/operator/handover', { to_user_id: null });
    const owners = async (): Promise<(string | null)[]> =>
      Promise.all(visitors.map(async ({ sessionId }) => (await admin.row(sessionId)).assigned_user_id));
    const handOver = async (to: string): Promise<void> => {
      for (const { sessionId } of visitors) await admin.act(sessionId, 'assign');
      await page.locator('.view-tabs [data-view=mine]').click();
      for (const { sessionId } of visitors) await console.row(sessionId).waitFor();
      await page.locator('.status-button').click();
      await console.action('handover').click();
      await page.locator(`dialog [data-operator="${to}"]`).click();
      await page.locator('dialog').waitFor({ state: 'detached' });
      for (const { sessionId } of visitors) await console.row(sessionId).waitFor({ state: 'detached' });
    };
    await handOver('');
    expect(await owners()).toEqual([null, null]);
    const boris = (await admin.operators()).find(({ name }) => name === 'Борис')?.id ?? '';
    await handOver(boris);
    expect(await owners()).toEqual([boris, boris]);
  });

  it('helps to install: the policy from the documents, an origin check by the server, a preview of look and texts', async () => {
    const { page, console, problems } = await desk('admin');
    await console.go('#/setup');
    const code = (section: string) => page.locator(`[data-section=${section}] code`);
    const recipe = /## Content-Security-Policy\s+```\n(.*)\n```/.exec(
      readFileSync(new URL('docs/widget.md', ROOT), 'utf8'),
    );
    const { origin, host } = new URL(chat.baseUrl);
    const ours = recipe?.[1]
      ?.replaceAll('https://chat.example.com', origin)
      .replace('wss://chat.example.com', `ws://${host}`);
    expect(await code('csp').textContent()).toBe(ours);
    expect(await code('snippet').textContent()).toBe(`<script async src="${origin}/widget/v1/loader.js"></script>`);

    const verdict = (reason: string) => page.locator(`#origin-verdict[data-verdict=${reason}]`);
    await page.fill('[name=origin]', `${ALLOWED_ORIGIN}/cart`);
    await verdict('allowed').waitFor();
    await page.fill('[name=origin]', origin);
    await verdict('same_host').waitFor();
    await page.fill('[name=origin]', 'other.example');
    await verdict('not_listed').waitFor();
    expect(await code('origins').textContent()).toContain('https://other.example');

    const shown = { title: '.preview .who h2', greeting: '.preview .welcome .bubble >> nth=0' } as const;
    const shows = (name: keyof typeof shown) => page.locator(shown[name]);
    const source = readFileSync(new URL('clients/widget/src/panel/texts/ru.ts', ROOT), 'utf8');
    for (const name of ['title', 'greeting'] as const) {
      expect(source).toContain(`\n  ${name}: '${await shows(name).textContent()}',\n`);
    }
    await page.fill('[name="greeting.ru"]', 'Рады вам!');
    await until(async () => (await shows('greeting').textContent()) === 'Рады вам!');
    await page.fill('[name=accent]', '#2f5d50');
    const painted = await page
      .locator('.preview .launcher')
      .evaluate((button) => getComputedStyle(button).backgroundColor);
    expect(painted).toBe('rgb(47, 93, 80)');
    await page.getByRole('button', { name: 'Когда никого нет' }).click();
    await page.locator('.preview .who').getByText('Мы вернёмся').waitFor();
    expect(await page.locator('.preview .panel').evaluate((panel) => panel.getBoundingClientRect().width)).toBe(384);
    await console.action('save-look').click();
    await page.locator('.notice', { hasText: 'сохранены' }).waitFor();
    await until(async () => (await code('snippet').textContent())?.includes('data-accent="#2f5d50"') === true);
    const config = (await chat.http.get('/chat/config')).json() as { theme: object; texts: object };
    expect(config.theme).toMatchObject({ accent: '#2f5d50' });
    expect(config.texts).toMatchObject({ 'greeting.ru': 'Рады вам!' });

    const anna = await desk('anna');
    await anna.console.go('#/setup');
    const theirs = anna.page.locator('[data-section=snippet] code');
    await until(async () => (await theirs.textContent())?.includes('data-accent="#2f5d50"') === true);
    expect(await anna.page.locator('[data-section=look]').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it('has no violation axe-core knows in what opens over the page or beside it, light and dark', {
    timeout: 120_000,
  }, async () => {
    // Narrow enough for the card to lie over the conversation.
    const { page, console } = await desk('admin', { viewport: { width: 1_100, height: 860 }, colorScheme: 'light' });
    const visitor = await chat.customer({ name: 'Оверлей', page_url: 'https://shop.example/cart' });
    await visitor.post('вопрос');
    const admin = await chat.staff('admin');
    await admin.act(visitor.sessionId, 'assign');
    const name = `axe${Date.now().toString(36)}`;
    made.push(name);
    await call('anna', 'POST', '/chat/quick-replies', { shortcut: name, title: 'Название', text: 'Текст {{name}}' });
    const found: [string, string[]][] = [];
    const check = async (state: string): Promise<void> => {
      found.push([`${state}, light`, await console.violations()]);
      await page.emulateMedia({ colorScheme: 'dark' });
      // The other scheme differs in nothing but colours.
      found.push([`${state}, dark`, await console.violations(['color-contrast'])]);
      await page.emulateMedia({ colorScheme: 'light' });
    };

    await console.openSession(visitor.sessionId);
    // Out of the text, where the cursor stands after opening.
    await page.keyboard.press('Escape');
    await page.keyboard.press('c');
    await page.locator('.card').waitFor();
    await check('card over the conversation');
    await page.keyboard.press('c');
    await console.field.fill('/');
    await page.locator('.quick-menu [role=option]').first().waitFor();
    await check('menu of quick replies');
    await console.field.fill('мой ответ');
    await (await chat.staff('boris')).post(visitor.sessionId, 'ответ коллеги');
    await page.locator('.message .text', { hasText: 'ответ коллеги' }).waitFor();
    await console.field.press('Enter');
    await page.locator('.stale blockquote').waitFor();
    await check('stopped send');
    await page.locator('.stale .quiet').click();
    await page.getByRole('button', { name: 'Передать', exact: true }).click();
    await page.locator('dialog [data-operator]').first().waitFor();
    await check('transfer');
    await page.keyboard.press('Escape');
    await page.locator('.status-button').click();
    await page.locator('.status-menu').waitFor();
    await check('own status');
    await console.action('handover').click();
    await page.locator('dialog .to-queue').waitFor();
    await check('handing over');
    await page.keyboard.press('Escape');
    await page.locator('.settings > button').click();
    await check('settings');
    await page.keyboard.press('Escape');
    await page.locator('.chat-head h2').click();
    await page.keyboard.press('Shift+?');
    await page.locator('dialog .keys').waitFor();
    await check('keys');
    await page.keyboard.press('Escape');
    await console.go('#/alerts');
    await page.locator('.alert-row').first().waitFor();
    await check('alerts');
    await console.go('#/replies');
    await page.locator(`[data-reply="${name}"] .delete-reply`).click();
    await console.action('delete-sure').waitFor();
    await check('quick replies, deleting');
    await console.action('add-reply').click();
    await page.fill('.reply-form [name=shortcut]', name);
    await page.fill('.reply-form [name=title]', 'x');
    await page.fill('.reply-form [name=text]', 'x');
    await page.locator('.reply-form [type=submit]').click();
    await page.locator('#reply-problem', { hasText: 'уже есть' }).waitFor();
    await check('quick replies, a taken key');
    await console.go('#/setup');
    await page.locator('.preview').waitFor();
    await page.fill('[name=origin]', 'other.example');
    await page.locator('[data-verdict=not_listed]').waitFor();
    await check('installation');
    expect(found.filter(([, lines]) => lines.length > 0)).toEqual([]);
  });
});
