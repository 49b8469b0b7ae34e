// The WordPress plugin in Debian's WordPress, on php-fpm, MariaDB and nginx with a careless page cache, in a real browser.
// Debian packages: wordpress wordpress-l10n wordpress-theme-twentytwentythree php-fpm php-mysql php-curl
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AppProcess, freePort, startProcess, tempFolder } from '@chat-realtime/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBrowser } from '../browser/browser.ts';
import { ConsolePage } from '../browser/console-page.ts';
import { WidgetPage } from '../browser/widget-page.ts';
import { type Answer, type Login, PASSWORD, PEOPLE, startWordPress, type WordPress } from '../support/wordpress.ts';

const STANDALONE = fileURLToPath(new URL('../../apps/standalone/dist/main.js', import.meta.url));
const IDENTITY = 'k1:identity-secret-of-the-campaign-0123456789';
const STAFF = 'staff-secret-of-the-campaign-0123456789abcdef';
const SETTINGS = '/wp-admin/options-general.php?page=chat-realtime';
const AJAX = '/wp-admin/admin-ajax.php?action=chat_realtime_';
/** `WORDPRESS_PICTURES=<folder>`: pictures of settings and badge are kept there, to be looked at. */
const PICTURES = process.env['WORDPRESS_PICTURES'];
interface Listed {
  readonly id: number;
  readonly contact?: { readonly name?: string | null; readonly email?: string | null } | null;
}

const PHONE = { width: 390, height: 844 };

describe('the WordPress plugin', () => {
  const { open } = useBrowser();
  let site: WordPress;
  let chatUrl: string;
  let chat: AppProcess;

  const signIn = async (page: Page, login: Login): Promise<void> => {
    await page.locator('#user_login').fill(login);
    await page.locator('#user_pass').fill(PASSWORD);
    await page.locator('#wp-submit').click();
  };
  /** A browser in which somebody is signed in at the site. */
  const at = async (login: Login, options = {}) => {
    const opened = await open(options);
    await opened.page.goto(`${site.baseUrl}/wp-login.php`);
    await signIn(opened.page, login);
    await opened.page.waitForURL('**/wp-admin/**');
    return opened;
  };
  const save = async (page: Page, fields: Readonly<Record<string, string>>): Promise<void> => {
    await page.goto(site.baseUrl + SETTINGS);
    for (const [name, value] of Object.entries(fields)) {
      const field = page.locator(`#chat-realtime-${name}`);
      if (name.startsWith('role-')) await field.selectOption(value);
      else await field.fill(value);
    }
    await page.locator('#submit').click();
    await page.waitForURL('**settings-updated=true**');
  };
  const check = (page: Page): Promise<string[]> => page.locator('#chat-realtime-check li').allInnerTexts();
  const picture = async (page: Page, name: string): Promise<void> => {
    if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  };
  /** The console in a browser where nobody is signed in yet: it sends to the site's sign-in, which leads back. */
  const consoleOf = async (login: Login): Promise<ConsolePage> => {
    const { page } = await open();
    const desk = new ConsolePage(page, chatUrl);
    await page.goto(`${chatUrl}/operator/`);
    await page.waitForURL('**/wp-login.php**');
    await signIn(page, login);
    return desk;
  };
  /** As the browser of this page asks the site, but with any Origin. */
  const ask = async (page: Page | null, path: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> => {
    const cookies = (await page?.context().cookies(`${site.baseUrl}/wp-admin/`)) ?? [];
    return site.ask(path, { Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '), ...more });
  };
  const sessions = async (page: Page): Promise<readonly Listed[]> => {
    const { access_token } = JSON.parse((await ask(page, `${AJAX}staff`)).text) as { access_token: string };
    const answer = await fetch(`http://127.0.0.1:${new URL(chatUrl).port}/chat/sessions?limit=100`, {
      headers: { Authorization: `Bearer ${access_token}` },
    });
    return ((await answer.json()) as { sessions: Listed[] }).sessions;
  };
  const chatWidget = async (page: Page, path = '/'): Promise<WidgetPage> => {
    await page.goto(site.baseUrl + path);
    const widget = new WidgetPage(page);
    await widget.open();
    return widget;
  };

  beforeAll(async () => {
    site = await startWordPress();
    chatUrl = `http://chat.shop.localhost:${await freePort()}`;
  }, 300_000);
  afterAll(async () => {
    await chat?.stop();
    await site?.stop();
  }, 60_000);

  it('prints the settings the chat needs; with them the check passes, and a wrong secret is reported', async () => {
    const { page } = await at('boss');
    await save(page, { address: chatUrl, identity: IDENTITY, staff: STAFF, 'role-editor': 'operator' });
    expect((await check(page)).join()).toContain('По этому адресу чат не отвечает');
    const lines = (await page.locator('textarea').inputValue()).split('\n').map((line) => line.split(/=(.*)/s, 2));
    const env = { ...Object.fromEntries(lines), IDENTITY_SECRETS: IDENTITY, AUTH_JWT_SECRET: STAFF };
    expect(Object.keys(env)).toHaveLength(8);
    chat = await startProcess({
      name: 'chat of the WordPress site',
      args: [STANDALONE],
      env: {
        HOST: '127.0.0.1',
        PORT: new URL(chatUrl).port,
        DATA_DIR: tempFolder('wordpress-chat'),
        CHAT_TOKEN_SECRETS: 'k1:0123456789abcdef0123456789abcdef',
        ...env,
      },
      ready: `http://127.0.0.1:${new URL(chatUrl).port}/readyz`,
      readyTimeoutMs: 180_000,
      stopTimeoutMs: 25_000,
    });
    await page.getByRole('link', { name: 'Проверить связь' }).click();
    await page.locator('#chat-realtime-check.notice-success').waitFor();
    expect(await check(page)).toEqual([
      '✓ Чат отвечает.',
      '✓ Чат принимает страницы этого сайта.',
      '✓ Секрет для клиентов: верный.',
      '✓ Секрет для операторов: верный.',
      '✓ Консоль спрашивает у этого сайта, кто вошёл.',
    ]);
    const shown = await page.content();
    for (const secret of [IDENTITY, STAFF, IDENTITY.slice(3)]) expect(shown).not.toContain(secret);
    await picture(page, 'settings-ru-desktop');

    await save(page, { identity: 'k1:a-wrong-secret-a-wrong-secret-a-wrong-secret' });
    expect((await check(page)).filter((line) => line.startsWith('✗'))).toEqual([
      expect.stringContaining('Секрет для клиентов: неверный'),
    ]);
    await save(page, { identity: IDENTITY, staff: 'a-wrong-secret-a-wrong-secret-a-wrong-secret' });
    expect((await check(page)).filter((line) => line.startsWith('✗'))).toEqual([
      expect.stringContaining('Секрет для операторов: неверный'),
    ]);
    await picture(page, 'settings-wrong-ru-desktop');
    // Too short is refused, and an empty field keeps what is there.
    await save(page, { staff: 'short' });
    await page.getByText('В секрете для операторов должно быть не меньше 32 знаков.').first().waitFor();
    await save(page, { staff: STAFF });
    await save(page, {});
    expect((await check(page)).filter((line) => line.startsWith('✗'))).toEqual([]);
  });

  it('can be configured only by users with manage_options, and only through the form', async () => {
    const { page } = await at('olga');
    expect((await page.goto(site.baseUrl + SETTINGS))?.status()).toBe(403);
    const boss = await at('boss');
    await boss.page.goto(`${site.baseUrl}/wp-admin/profile.php`);
    const forged = await boss.page.evaluate(async () => {
      const body = new URLSearchParams({
        option_page: 'chat_realtime',
        action: 'update',
        'chat_realtime[address]': 'https://evil.example',
      });
      return (await fetch('/wp-admin/options.php', { method: 'POST', body })).status;
    });
    expect(forged).toBe(403);
    expect(await site.php("echo get_option('chat_realtime')['address'];")).toBe(chatUrl);
  });

  it('lets a guest write, lets an operator by role answer in the console, and counts in the badge', async () => {
    const boss = await at('boss');
    const badge = boss.page.locator('#wp-admin-bar-chat-realtime .chat-realtime-count');
    await expect.poll(() => badge.textContent()).toBe('0');
    const guest = await open();
    const widget = await chatWidget(guest.page);
    await widget.say('Есть ли лампы на ножке?');
    await expect.poll(() => badge.textContent()).toBe('1');
    await badge.waitFor({ state: 'visible' });
    await picture(boss.page, 'badge-ru-desktop');

    const desk = await consoleOf('olga');
    await desk.page.waitForSelector('.rail');
    await desk.openSession(await widget.sessionId());
    expect(await desk.texts()).toEqual(['Есть ли лампы на ножке?']);
    await desk.send('Да, две модели');
    await expect.poll(() => widget.texts()).toEqual(['Есть ли лампы на ножке?', 'Да, две модели']);
    await widget.message('Да, две модели').getByText(PEOPLE.olga.name).waitFor();
    await expect.poll(() => badge.textContent()).toBe('0');
    expect(guest.problems).toEqual([]);
    // The link of the badge leads to the console, signed in already.
    const href = await boss.page.locator('#wp-admin-bar-chat-realtime a').getAttribute('href');
    await boss.page.goto(href ?? '');
    await boss.page.waitForSelector('.rail');
  });

  it('shows operators who a signed-in user is, until the sign-out', async () => {
    const { page, problems } = await at('petr');
    const widget = await chatWidget(page);
    await widget.say('Где мой заказ?');
    await expect.poll(() => widget.texts()).toEqual(['Где мой заказ?']);
    const boss = await at('boss');
    const contacts = async () => (await sessions(boss.page)).map(({ contact }) => contact);
    const petr = expect.objectContaining({ name: PEOPLE.petr.name, email: 'petr@shop.example' });
    await expect.poll(contacts).toContainEqual(petr);

    // Another device finds the chat, since it is the user's.
    const other = await at('petr');
    const there = await chatWidget(other.page);
    await expect.poll(() => there.texts()).toEqual(['Где мой заказ?']);

    await page.goto(`${site.baseUrl}/wp-admin/profile.php`);
    const bye = await page.locator('#wp-admin-bar-logout a').getAttribute('href');
    await page.goto(bye ?? '');
    expect((await page.context().cookies()).map(({ name }) => name)).not.toContain('chat_realtime_signed_in');
    await page.goto(site.baseUrl);
    // It was open on the page before; on this one it begins anew, and asks for consent.
    const after = new WidgetPage(page);
    await after.field.waitFor();
    await after.consent.waitFor();
    expect(await after.texts()).toEqual([]);
    await after.say('Я уже другой человек');
    await expect.poll(() => after.texts()).toEqual(['Я уже другой человек']);
    expect(await there.texts()).toEqual(['Где мой заказ?']);
    expect(problems).toEqual([]);
  });

  it('keeps users without the role out of the console', async () => {
    const desk = await consoleOf('petr');
    await desk.page.waitForURL(`${chatUrl}/operator/**`);
    await desk.page.locator('a[href*="wp-login.php"], button').first().waitFor();
    expect(await desk.page.locator('.rail').count()).toBe(0);
    const refused = await ask(desk.page, `${AJAX}staff`);
    expect([refused.status, refused.text]).toEqual([403, '{"error":{"code":"no_operator"}}']);
    expect((await ask(null, `${AJAX}staff`)).status).toBe(401);
    const nobody = await ask(null, `${AJAX}identity`);
    expect([nobody.status, nobody.text]).toEqual([200, '']);
    // A role that is taken away counts at the next token.
    await site.php("get_user_by('login', 'olga')->set_role('subscriber');");
    const olga = await at('olga');
    expect((await ask(olga.page, `${AJAX}staff`)).status).toBe(403);
    expect(await olga.page.locator('#wp-admin-bar-chat-realtime').count()).toBe(0);
    await site.php("get_user_by('login', 'olga')->set_role('editor');");
  });

  it('gives the tokens only to the console, and never to a cache', async () => {
    const { page } = await at('boss');
    const headersFor = async (Origin: string) => (await ask(page, `${AJAX}staff`, { Origin })).headers;
    const forConsole = await headersFor(chatUrl);
    expect(forConsole['access-control-allow-origin']).toBe(chatUrl);
    expect(forConsole['access-control-allow-credentials']).toBe('true');
    expect(forConsole['cache-control']).toContain('no-store');
    expect(await headersFor('https://evil.example')).not.toHaveProperty('access-control-allow-origin');
    expect(await headersFor(`${chatUrl}.evil.example`)).not.toHaveProperty('access-control-allow-origin');
  });

  it('puts nothing of anybody into a page that a cache keeps', async () => {
    const path = '/?fresh=1';
    const user = await at('petr');
    const first = await user.page.goto(site.baseUrl + path);
    expect(first?.headers()['x-page-cache']).toBe('MISS');
    await user.page.waitForFunction(() => document.querySelector('chat-widget') !== null);
    const guest = await open();
    const widget = await chatWidget(guest.page, path);
    expect(guest.requests.some((url) => url.includes('chat_realtime_identity'))).toBe(false);
    await widget.say('Я гость');
    await expect.poll(() => widget.texts()).toEqual(['Я гость']);
    const { headers, text } = await ask(null, path);
    expect(headers['x-page-cache']).toBe('HIT');
    expect(text).toContain('/assets/site.js');
    expect(text).not.toMatch(/eyJ[\w-]+\.[\w-]+\.|petr@|Пётр|secret|access_token/);
    // The other way round: a page that a guest asked for first still knows who is signed in.
    const boss = await at('boss');
    const session = await widget.sessionId();
    const listed = (await sessions(boss.page)).find(({ id }) => id === session);
    expect(listed).toBeDefined();
    expect(JSON.stringify(listed)).not.toContain(PEOPLE.petr.name);
    const again = await chatWidget(user.page, path);
    await expect.poll(() => again.texts()).toEqual(['Где мой заказ?']);
  });

  it('can be read in English, and on a phone', async () => {
    await site.php("update_user_meta(1, 'locale', 'en_US');");
    for (const [name, viewport] of [
      ['desktop', { width: 1280, height: 900 }],
      ['phone', PHONE],
    ] as const) {
      const { page } = await at('boss', { viewport });
      await page.goto(site.baseUrl + SETTINGS);
      await page.getByText('Address of the chat').waitFor();
      await page.getByRole('link', { name: 'Check the connection' }).click();
      await page.locator('#chat-realtime-check.notice-success').waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(wide).toBeLessThanOrEqual(0);
      const badge = page.locator('#wp-admin-bar-chat-realtime');
      expect(await badge.isVisible()).toBe(true);
      await expect.poll(() => badge.locator('.chat-realtime-count').isVisible()).toBe(true);
      await picture(page, `settings-en-${name}`);
    }
    await site.php("delete_user_meta(1, 'locale');");
    const { page } = await at('boss', { viewport: PHONE });
    await page.goto(site.baseUrl + SETTINGS);
    await picture(page, 'settings-ru-phone');
  });

  it('leaves nothing behind when it is deleted', async () => {
    const kept = `echo json_encode($GLOBALS['wpdb']->get_col("SELECT option_name FROM wp_options WHERE option_name LIKE 'chat_realtime%'"));`;
    expect(JSON.parse(await site.php(kept))).toHaveLength(2);
    expect(
      await site.php(
        `echo $GLOBALS['wpdb']->get_var("SELECT autoload FROM wp_options WHERE option_name = 'chat_realtime_secrets'");`,
      ),
    ).toBe('no');
    await site.php(`
      require 'wp-admin/includes/plugin.php';
      deactivate_plugins('chat-realtime/chat-realtime.php');
      uninstall_plugin('chat-realtime/chat-realtime.php');`);
    expect(JSON.parse(await site.php(kept))).toEqual([]);
    expect((await ask(null, '/?gone=1')).text).not.toContain('chat-realtime');
  });
});
