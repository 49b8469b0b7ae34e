import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Customer, freePort, HttpClient, Staff } from '@chat-realtime/testkit';
import { operatorInviteSchema } from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SECRETS } from '../support/profiles.ts';
import { type StandaloneTarget, startStandalone } from '../support/standalone-target.ts';
import { identityToken } from '../support/tokens.ts';
import { totpCode } from '../support/totp.ts';
import { useBrowser } from './browser.ts';
import { ConsolePage } from './console-page.ts';
import { type LookLanguage, Looks, speakInConsole } from './looks.ts';

const PASSWORD = 'a password of Vera';

/** What an administrator sees of their own pages: no finding of axe-core, and nothing that goes sideways, in any look. */
describe('administration in every look', { timeout: 600_000 }, () => {
  const { open } = useBrowser();
  const receiver = createServer((request, response) => response.writeHead(request.url === '/gone' ? 404 : 204).end());
  let target: StandaloneTarget;
  let http: HttpClient;
  let host: string;

  beforeAll(async () => {
    const port = await freePort();
    await new Promise<void>((resolve) => receiver.listen(port, '127.0.0.1', resolve));
    host = `127.0.0.1:${port}`;
    target = await startStandalone(
      { profile: 'main', webhookUrl: '', siteOrigin: '' },
      {
        // Nobody has said anything of these yet, and of one thing a variable has.
        ...{ ALERT_WEBHOOK_URLS: '', ALERT_WEBHOOK_SECRET: '', ALLOWED_ORIGINS: '' },
        RETENTION_DAYS_CALLBACKS: '90',
        ALERT_WEBHOOK_PRIVATE_HOSTS: host,
      },
    );
    http = new HttpClient(target.baseUrl);
  }, 240_000);
  afterAll(async () => {
    http?.close();
    await target?.stop();
    receiver.close();
  });

  const begin = async () => {
    const { page } = await open({ viewport: { width: 1280, height: 860 } });
    const admin = new ConsolePage(page, target.baseUrl);
    await admin.signIn('admin');
    const violations = () => admin.violations();
    return { page, admin, looks: new Looks({ page, speak: speakInConsole, violations }) };
  };
  const staff = (login: string, password: string = SECRETS.operatorPassword) => Staff.login(http, login, password);
  const invite = async () => {
    const json = { login: `op-${randomUUID().slice(0, 8)}`, name: 'Вера Константинопольская', role: 'operator' };
    const answer = await (await staff('admin')).request('POST', '/auth/operators', { json });
    return answer.as(operatorInviteSchema, 201);
  };

  it('shows operators, a picture, the receiver of chats, and the page behind a link', async () => {
    const { operator, invite_url } = await invite();
    const { page, admin, looks } = await begin();
    await admin.go('#/team');
    const row = page.locator(`[data-operator="${operator.login}"]`);
    await looks.show('team', () => row.waitFor());
    await looks.show('team-refused', async () => {
      await admin.action('add-operator').click();
      await page.fill('.panel input[name=name]', 'Анна');
      await page.fill('.panel input[name=login]', 'anna');
      await page.locator('.panel button[type=submit]').click();
      await page.locator('.panel .problem', { hasText: /\S/ }).waitFor();
    });
    await row.locator('button[aria-expanded]').click();
    await row
      .locator('input[type=file]')
      .setInputFiles({ name: 'vera.png', mimeType: 'image/png', buffer: await page.screenshot() });
    await admin.action('remove-picture').waitFor();
    await looks.show('team-leaving', async () => {
      await row.locator('button[aria-expanded]').click();
      await admin.action('deactivate').click();
      await page.locator('[data-leaving] select').selectOption({ index: 1 });
    });
    await admin.action('deactivate-yes').click();
    await page.locator('.operator.inactive').waitFor();
    await looks.show('team-inactive', () => row.locator('button[aria-expanded]').click());
    await page.goto('about:blank');
    await page.goto(invite_url);
    await looks.show('invitation-over', () => page.locator('.login-box h1').waitFor());
    expect(looks.found).toEqual({});
  });

  it('shows the rules unchanged, edited, refused, and saved', async () => {
    const { page, admin, looks } = await begin();
    await admin.go('#/rules');
    const part = (name: string) => page.locator(`[data-section=${name}]`);
    await looks.show('rules', () => part('tokens').waitFor());

    const write = async (): Promise<void> => {
      const hours = part('schedule');
      await hours.locator('input[name=always]').uncheck();
      await hours.locator('[data-day=mon] .tiny').click();
      for (const date of ['2027-01-01', '2027-05-09']) {
        await hours.locator('input[name=holiday]').fill(date);
        await admin.action('add-holiday').click();
      }
      for (const kind of ['text', 'choice', 'checkbox']) {
        await admin.action('add-question').click();
        const question = part('custom_fields').locator('[data-field]').last();
        await question.locator('select').selectOption(kind);
        await question.locator('[name=label-ru]').fill('Номер заказа или артикул');
        await question.locator('[name=label-en]').fill('Number of the order or of the article');
        if (kind !== 'choice') continue;
        await question.locator('[data-action=add-option]').click();
        for (const [language, text] of [
          ['ru', 'Доставка'],
          ['en', 'Delivery'],
        ])
          for (const option of await question.locator(`[name=option-${language}]`).all()) await option.fill(text ?? '');
      }
      await part('consent').locator('textarea').fill('Согласен на обработку персональных данных и получение ответов.');
      await part('consent').locator('[name=url]').fill('https://shop.example/privacy');
      const hook = part('webhook');
      await hook.locator('[name=url]').fill(`http://${host}/hook`);
      await admin.action('add-url').click();
      await hook.locator('[name=url]').nth(1).fill(`http://${host}/gone`);
      await admin.action('make-secret').click();
      const files = part('attachments');
      await files.locator('[name=all]').uncheck();
      await files.locator('[name="image/*"]').check();
      await files.locator('[name=others]').fill('application/zip, text/csv');
      const origins = part('origins');
      await origins.locator('[name=origin]').first().fill('https://shop.example');
      await admin.action('add-origin').click();
      await origins.locator('[name=origin]').nth(1).fill('https://a-rather-long-name-of-a-shop.example:8443');
    };
    const saved = ['schedule', 'custom_fields', 'consent', 'webhook', 'attachments', 'origins', 'retention', 'tokens'];
    await looks.show('rules-written', async (language: LookLanguage) => {
      await part('tokens').waitFor();
      if (language === 'en' || (await part('origins').locator('[name=origin]').count()) === 1) await write();
    });
    await looks.show('rules-refused', async () => {
      await part('webhook').locator('[name=url]').fill('https://10.0.0.1/hook');
      await admin.action('make-secret').click();
      await part('webhook').locator('[data-action=save]').click();
      await part('webhook').locator('.problem', { hasText: /\S/ }).waitFor();
    });
    await page.reload();
    await part('tokens').waitFor();
    await write();
    for (const name of saved) {
      await part(name).locator('[data-action=save]').click();
      await part(name).locator('[data-action=clear]').waitFor();
    }
    await looks.show('rules-saved', async () => {
      await admin.action('test-webhook').click();
      await page.locator('.results [data-delivered=false]').waitFor();
    });
    expect(looks.found).toEqual({});
  });

  it('shows bans and their dialog, the question before erasing, and the log', async () => {
    const customers = await Promise.all([1, 2].map(() => Customer.create(http, { name: 'Марина' })));
    const sub = `customer-${randomUUID()}`;
    for (const customer of customers) {
      await customer.post('Здравствуйте! Где мой заказ?');
      const { sessionId: session_id, token } = customer;
      const json = { identity_token: await identityToken({ sub, name: 'Марина' }), session_id, token };
      expect((await http.post('/chat/identity', { json })).status).toBe(200);
    }
    const [one] = customers;
    if (one === undefined) throw new Error('no customer');
    const { page, admin, looks } = await begin();
    await admin.go('#/bans');
    await looks.show('bans-none', () => page.locator('.empty').waitFor());
    await admin.openSession(one.sessionId);
    await looks.show(
      'card-erase',
      () => admin.messages.first().waitFor(),
      async () => {
        if (!(await page.locator('.card').isVisible()))
          await page.locator('.chat-head button[aria-pressed]').last().click();
        await page.locator('.card [name=all-chats]').check();
        if (await admin.action('erase').isVisible()) await admin.action('erase').click();
        await admin.action('erase-yes').scrollIntoViewIfNeeded();
      },
    );
    await looks.show('ban-dialog', async () => {
      await admin.action('ban').click();
      await page.locator('dialog select').first().selectOption('address');
      await page.fill('dialog input[name=reason]', 'спам');
      await admin.action('ban-yes').click();
      await page.locator('dialog .problem', { hasText: /\S/ }).waitFor();
    });
    const ban = {
      session_id: one.sessionId,
      by: 'customer',
      reason: 'Грубит операторам, предупреждали дважды',
      until: null,
    };
    expect((await (await staff('admin')).request('POST', '/chat/bans', { json: ban })).status).toBe(201);
    await admin.go('#/bans');
    await looks.show('bans', () => page.locator('[data-ban]').waitFor());
    await admin.go('#/audit');
    await looks.show('audit', () => page.locator('[data-action-name="ban.created"]').waitFor());
    await admin.go('#/notifications');
    await looks.show('notifications', () => page.locator('.page input[type=checkbox]').first().waitFor());
    expect(looks.found).toEqual({});
  });

  it('shows one’s own sign-in with a second factor, and the code at the sign-in', async () => {
    const { operator, invite_url } = await invite();
    const key = new URL(invite_url).hash.replace('#invite=', '');
    await http.post('/auth/invite/accept', { json: { key, password: PASSWORD } });
    const { page, admin, looks } = await begin();
    const signIn = async (): Promise<void> => {
      await page.goto(`${target.baseUrl}/operator/`);
      await page.fill('input[name=login]', operator.login);
      await page.fill('input[name=password]', PASSWORD);
      await page.keyboard.press('Enter');
    };
    await page.context().clearCookies();
    await page.evaluate(() => localStorage.clear());
    await page.goto('about:blank');
    await signIn();
    await page.locator('.rail').waitFor();
    await admin.go('#/account');
    const factor = page.locator('[data-section=second-factor]');
    await looks.show('account', () => admin.action('begin-factor').waitFor());
    // As ten minutes after the sign-in.
    await page.route('**/auth/totp', (route) =>
      route.fulfill({
        status: 422,
        json: { error: { code: 'validation_failed', message: 'a fresh sign-in is needed' } },
      }),
    );
    await looks.show('factor-password', async () => {
      await admin.action('begin-factor').click();
      await factor.locator('input[name=current]').waitFor();
    });
    await page.unroute('**/auth/totp');
    const code = factor.locator('.code code');
    await looks.show('factor-scan', async () => {
      await admin.action('begin-factor').click();
      await code.waitFor();
    });
    let codes: string[] = [];
    // They are shown once: for each language the factor is taken away and made anew.
    await looks.show('factor-codes', async () => {
      await factor.locator('[data-action=begin-factor], [data-action=end-factor]').waitFor();
      if (await admin.action('end-factor').isVisible()) {
        await admin.action('end-factor').click();
        await factor.locator('input[name=code]').fill(codes[0] ?? '');
        await admin.action('send-code').click();
      }
      await admin.action('begin-factor').click();
      await code.waitFor();
      await factor.locator('input[name=code]').fill(totpCode(await code.innerText()));
      await admin.action('send-code').click();
      await admin.action('codes-kept').waitFor();
      codes = (await code.innerText()).split('\n');
    });
    await looks.show('factor-end', async () => {
      await admin.action('end-factor').click();
      await factor.locator('input[name=code]').fill('000000');
      await admin.action('send-code').click();
      await factor.locator('.problem', { hasText: /\S/ }).waitFor();
    });
    await page.context().clearCookies();
    await page.evaluate(() => {
      const kept = localStorage.getItem('chat-console:settings') ?? '{}';
      localStorage.clear();
      localStorage.setItem('chat-console:settings', kept);
    });
    await page.goto('about:blank');
    await page.goto(`${target.baseUrl}/operator/`);
    await looks.show('sign-in-code', async () => {
      await signIn();
      await page.locator('input[name=code]').waitFor();
    });
    expect(looks.found).toEqual({});
  });
});
