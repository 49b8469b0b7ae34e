// The WordPress plugin in Debian's WordPress by HTTP alone: settings, secrets, tokens at a real chat, roles, a page cache, and the PHP of the guide.
// Debian packages: wordpress wordpress-l10n wordpress-theme-twentytwentythree php-fpm php-mysql php-curl
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type AppProcess, findBinary, freePort, startProcess, tempFolder } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PEOPLE, SiteUser, startWordPress, type WordPress } from '../support/wordpress.ts';

const run = promisify(execFile);
const path = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const IDENTITY = 'k1:identity-secret-of-the-campaign-0123456789';
const STAFF = 'staff-secret-of-the-campaign-0123456789abcdef';
const SETTINGS = '/wp-admin/options-general.php?page=chat-realtime';
const AJAX = '/wp-admin/admin-ajax.php?action=chat_realtime_';
const WRONG = 'a-wrong-secret-a-wrong-secret-a-wrong-secret';

describe('the WordPress plugin by HTTP', () => {
  let site: WordPress;
  let chat: AppProcess;
  /** As browsers and WordPress know it, and as it is reached from here. */
  let chatUrl: string;
  let chatHere: string;
  let plain: Record<string, string>;

  const user = async (login: keyof typeof PEOPLE): Promise<SiteUser> => {
    const found = new SiteUser(site);
    await found.signIn(login);
    return found;
  };
  const save = async (boss: SiteUser, secrets: Readonly<Record<string, string>>): Promise<string[]> => {
    const page = (await boss.get(SETTINGS)).text;
    const nonce = /name="_wpnonce" value="(\w+)"/.exec(page)?.[1] ?? '';
    const answer = await boss.post('/wp-admin/options.php', {
      option_page: 'chat_realtime',
      action: 'update',
      _wpnonce: nonce,
      _wp_http_referer: SETTINGS,
      ...plain,
      ...Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`chat_realtime_secrets[${name}]`, value])),
    });
    expect(answer.headers.location).toContain('settings-updated=true');
    return checked((await boss.get(new URL(answer.headers.location ?? '', site.baseUrl).href)).text);
  };
  const checked = (page: string): string[] => {
    const list = /id="chat-realtime-check">(.*?)<\/div>/s.exec(page)?.[1] ?? '';
    return [...list.matchAll(/<li>(.*?)<\/li>/gs)].map(([, line]) => (line ?? '').replace(/<[^>]+>/g, '').trim());
  };
  const staffToken = async (of: SiteUser): Promise<string> =>
    (JSON.parse((await of.get(`${AJAX}staff`)).text) as { access_token: string }).access_token;
  const call = async <T = unknown>(method: string, at: string, token: string | null, body?: object) => {
    const answer = await fetch(chatHere + at, {
      method,
      headers: {
        ...(token !== null && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: (await answer.json()) as T };
  };
  const opened = (text: string) =>
    call<{ session: { id: number }; token: string }>('POST', '/chat/session', null, {
      consent: true,
      message: { body: text, client_message_id: randomUUID() },
    });

  beforeAll(async () => {
    site = await startWordPress();
    const port = await freePort();
    chatUrl = `http://chat.shop.localhost:${port}`;
    chatHere = `http://127.0.0.1:${port}`;
    plain = {
      'chat_realtime[address]': `${chatUrl}/`,
      'chat_realtime[issuer]': site.baseUrl,
      'chat_realtime[audience]': 'chat',
      'chat_realtime[accent]': '#2f5d50',
      'chat_realtime[position]': 'left',
      'chat_realtime[roles][administrator]': 'admin',
      'chat_realtime[roles][editor]': 'operator',
      'chat_realtime[roles][subscriber]': '',
    };
  }, 300_000);
  afterAll(async () => {
    await chat?.stop();
    await site?.stop();
  }, 60_000);

  it('prints the settings the chat needs; with them the check passes, and a wrong secret is reported', async () => {
    const boss = await user('boss');
    expect(await save(boss, { identity: IDENTITY, staff: STAFF })).toEqual([
      expect.stringContaining('✗ По этому адресу чат не отвечает'),
    ]);
    const text = /<textarea[^>]*>(.*?)<\/textarea>/s.exec((await boss.get(SETTINGS)).text)?.[1] ?? '';
    const lines = text
      .replaceAll('&amp;', '&')
      .split('\n')
      .map((line) => line.split(/=(.*)/s, 2));
    const env = { ...Object.fromEntries(lines), IDENTITY_SECRETS: IDENTITY, AUTH_JWT_SECRET: STAFF };
    expect(Object.keys(env)).toHaveLength(8);
    chat = await startProcess({
      name: 'chat of the WordPress site',
      args: [path('apps/standalone/dist/main.js')],
      env: {
        HOST: '127.0.0.1',
        PORT: new URL(chatUrl).port,
        DATA_DIR: tempFolder('wordpress-chat'),
        CHAT_TOKEN_SECRETS: 'k1:0123456789abcdef0123456789abcdef',
        ...env,
      },
      ready: `${chatHere}/readyz`,
      readyTimeoutMs: 180_000,
      stopTimeoutMs: 25_000,
    });
    const right = [
      '✓ Чат отвечает.',
      '✓ Чат принимает страницы этого сайта.',
      '✓ Секрет для клиентов: верный.',
      '✓ Секрет для операторов: верный.',
      '✓ Консоль спрашивает у этого сайта, кто вошёл.',
    ];
    // An empty field keeps what is there, and nothing of it is printed.
    expect(await save(boss, { identity: '', staff: '' })).toEqual(right);
    const shown = (await boss.get(SETTINGS)).text;
    for (const secret of [IDENTITY.slice(3), STAFF]) expect(shown).not.toContain(secret);

    expect((await save(boss, { identity: `k1:${WRONG}` })).filter((line) => line.startsWith('✗'))).toEqual([
      expect.stringContaining('Секрет для клиентов: неверный'),
    ]);
    expect((await save(boss, { identity: IDENTITY, staff: WRONG })).filter((line) => line.startsWith('✗'))).toEqual([
      expect.stringContaining('Секрет для операторов: неверный'),
    ]);
    await save(boss, { staff: 'short' });
    expect(await site.php("echo get_option('chat_realtime_secrets')['staff'];")).toBe(WRONG);
    expect(await save(boss, { staff: STAFF })).toEqual(right);
    // What it asked left nobody there.
    const { json } = await call<{ operators: { id: string }[] }>('GET', '/chat/operators', await staffToken(boss));
    expect(json.operators.map(({ id }) => id)).toEqual(['1']);
  });

  it('is in English for users who read English', async () => {
    await site.php("update_user_meta(1, 'locale', 'en_US');");
    const page = (await (await user('boss')).get(SETTINGS)).text;
    expect(page).toContain('Address of the chat');
    await site.php("delete_user_meta(1, 'locale');");
  });

  it('can be configured only by users who may manage options, and only through its form', async () => {
    const olga = await user('olga');
    expect((await olga.get(SETTINGS)).status).toBe(403);
    const forged = { option_page: 'chat_realtime', action: 'update', 'chat_realtime[address]': 'https://evil.example' };
    expect((await (await user('boss')).post('/wp-admin/options.php', forged)).status).toBe(403);
    expect(await site.php("echo get_option('chat_realtime')['address'];")).toBe(chatUrl);
  });

  it('makes tokens with which the chat recognises customers, and operators by role', async () => {
    const [petr, olga, boss] = [await user('petr'), await user('olga'), await user('boss')];
    const { json } = await opened('Где мой заказ?');
    const identity_token = (await petr.get(`${AJAX}identity`)).text;
    const taken = await call<{ token: string }>('POST', '/chat/identity', null, {
      identity_token,
      token: json.token,
      session_id: json.session.id,
    });
    expect(taken.status).toBe(200);
    const [staff, admin] = [await staffToken(olga), await staffToken(boss)];
    const seen = await call('GET', `/chat/session/${json.session.id}`, staff);
    expect(JSON.stringify(seen.json)).toContain(PEOPLE.petr.name);
    expect(JSON.stringify(seen.json)).toContain('petr@shop.example');
    expect((await call('GET', '/chat/alerts', admin)).json).toMatchObject({ unread_count: 1, waiting_count: 1 });
    const answered = await call('POST', `/chat/session/${json.session.id}/messages`, staff, {
      body: 'Уже в пути',
      client_message_id: randomUUID(),
    });
    expect([answered.status, answered.json]).toMatchObject([201, { message: { sender_name: PEOPLE.olga.name } }]);
    const messages = `/chat/session/${json.session.id}/messages`;
    const read = await call<{ messages: { body: string }[] }>('GET', messages, taken.json.token);
    expect(read.json.messages.map(({ body }) => body)).toEqual(['Где мой заказ?', 'Уже в пути']);
    expect((await call('GET', '/chat/alerts', admin)).json).toMatchObject({ unread_count: 0 });
    // Who is an administrator there, and who is not.
    expect((await call('GET', '/chat/audit', admin)).status).toBe(200);
    expect((await call('GET', '/chat/audit', staff)).status).toBe(403);
  });

  it('gives nobody else an operator’s token, and none to other sites’ pages', async () => {
    const petr = await user('petr');
    const refused = await petr.get(`${AJAX}staff`);
    expect([refused.status, refused.text]).toEqual([403, '{"error":{"code":"no_operator"}}']);
    const guest = new SiteUser(site);
    expect((await guest.get(`${AJAX}staff`)).status).toBe(401);
    const nobody = await guest.get(`${AJAX}identity`);
    expect([nobody.status, nobody.text]).toEqual([200, '']);
    expect(nobody.headers['cache-control']).toContain('no-store');
    await site.php("get_user_by('login', 'olga')->set_role('subscriber');");
    expect((await (await user('olga')).get(`${AJAX}staff`)).status).toBe(403);
    await site.php("get_user_by('login', 'olga')->set_role('editor');");

    const boss = await user('boss');
    const headersFor = async (Origin: string) => (await boss.get(`${AJAX}staff`, { Origin })).headers;
    const forConsole = await headersFor(chatUrl);
    expect(forConsole['access-control-allow-origin']).toBe(chatUrl);
    expect(forConsole['access-control-allow-credentials']).toBe('true');
    expect(forConsole['cache-control']).toContain('no-store');
    for (const foreign of ['https://evil.example', `${chatUrl}.evil.example`, 'null']) {
      expect(await headersFor(foreign)).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('redirects back to the console after the sign-in, and to no other host', async () => {
    const to = async (address: string): Promise<string> => {
      const { headers } = await new SiteUser(site).signIn('olga', address);
      return headers.location ?? '';
    };
    expect(await to(`${chatUrl}/operator/#/inbox`)).toBe(`${chatUrl}/operator/#/inbox`);
    expect(new URL(await to('https://evil.example/operator/')).origin).toBe(site.baseUrl);
  });

  it('puts nothing of anybody into a page that a cache keeps', async () => {
    const [petr, boss] = [await user('petr'), await user('boss')];
    for (const [first, at] of [
      [petr, '/?kept=1'],
      [boss, '/?kept=2'],
    ] as const) {
      expect((await first.get(at)).headers['x-page-cache']).toBe('MISS');
      const { headers, text } = await new SiteUser(site).get(at);
      expect(headers['x-page-cache']).toBe('HIT');
      expect(headers['set-cookie']).toBeUndefined();
      expect(text).toContain('/chat-realtime/assets/site.js');
      expect(text).toContain('"accent":"#2f5d50","position":"left"');
      expect(text).not.toMatch(/eyJ[\w-]+\.|@shop\.example|access_token|secret/);
    }
    // The badge stands in the bar of operators only.
    expect((await boss.get('/wp-admin/index.php')).text).toMatch(/badge\.js.*data-token-url|data-token-url.*badge\.js/);
    expect((await petr.get('/wp-admin/profile.php')).text).not.toContain('chat-realtime-count');
  });

  it('marks a signed-in user with a cookie without a name, until the sign-out', async () => {
    const petr = await user('petr');
    expect(petr.cookies.get('chat_realtime_signed_in')).toBe('1');
    const page = (await petr.get('/wp-admin/profile.php')).text;
    const out = /href="([^"]*action=logout[^"]*)"/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? '';
    await petr.get(out.replaceAll('&#038;', '&'));
    expect(petr.cookies.has('chat_realtime_signed_in')).toBe(false);
    expect((await petr.get(`${AJAX}identity`)).text).toBe('');
  });

  it.each(['docs/guides/any-php.md', 'docs/guides/any-php.ru.md'])('the tokens of %s are accepted', async (guide) => {
    const code = /```php\n<\?php\n(.*?)```/s.exec(await readFile(path(guide), 'utf8'))?.[1] ?? '';
    const php = async (print: string): Promise<string> => {
      const env = {
        IDENTITY_SECRET: IDENTITY,
        AUTH_JWT_SECRET: STAFF,
        AUTH_ISSUER: site.baseUrl,
        AUTH_AUDIENCE: 'chat',
      };
      return (await run(findBinary('php', 'php-cli'), ['-r', `${code} ${print}`], { env })).stdout;
    };
    const identity_token = await php("echo chat_identity(['id' => 77, 'name' => 'Пётр']);");
    expect((await call('POST', '/chat/identity', null, { identity_token })).status).toBe(200);
    const staff = await php("echo json_encode(chat_staff(['id' => 78, 'name' => 'Ольга', 'is_chief' => true]));");
    const { access_token, expires_at } = JSON.parse(staff) as { access_token: string; expires_at: string };
    expect((await call('GET', '/chat/audit', access_token)).status).toBe(200);
    expect(Date.parse(expires_at)).toBeGreaterThan(Date.now());
  });

  it('leaves nothing behind when it is deleted', async () => {
    const kept = `echo json_encode($GLOBALS['wpdb']->get_results("SELECT option_name, autoload FROM wp_options WHERE option_name LIKE 'chat_realtime%' ORDER BY 1"));`;
    expect(JSON.parse(await site.php(kept))).toEqual([
      { option_name: 'chat_realtime', autoload: 'yes' },
      // Not loaded with every page.
      { option_name: 'chat_realtime_secrets', autoload: 'no' },
    ]);
    await site.php(`
      require 'wp-admin/includes/plugin.php';
      deactivate_plugins('chat-realtime/chat-realtime.php');
      uninstall_plugin('chat-realtime/chat-realtime.php');`);
    expect(JSON.parse(await site.php(kept))).toEqual([]);
    expect((await new SiteUser(site).get('/?gone=1')).text).not.toContain('chat-realtime');
  });
});
