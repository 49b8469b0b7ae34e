import { createHmac } from 'node:crypto';
import { KeyRing, verifyChannelToken } from '@chat-realtime/protocol/tokens';
import { jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OUR_WIDGET, type PhpSite, SHADOW, SiteVisitor, startPhpSite, STEPS } from '../support/php-site.ts';

const SECRET = '0123456789abcdef0123456789abcdef';

describe('the example site in PHP', () => {
  let site: PhpSite;
  beforeAll(async () => {
    site = await startPhpSite({
      CHAT_TOKEN_SECRET: `k1:${SECRET}`,
      AUTH_JWT_SECRET: SECRET,
      AUTH_ISSUER: 'https://site.example',
      AUTH_AUDIENCE: 'chat',
      ALERT_WEBHOOK_SECRET: SECRET,
      CHAT_EVENTS: 'outbox',
    });
  });
  afterAll(() => site.stop());

  it('[BES36] transfers a chat to the named colleague, and to nobody unknown', async () => {
    const guest = new SiteVisitor(site.baseUrl);
    const olga = new SiteVisitor(site.baseUrl);
    await olga.signIn('olga');
    const opened = await guest.call('POST', '/chat/session', { name: 'Вера', initial_message: 'm0' });
    const { id } = (await opened.json()) as { id: number };
    const ownerOf = () => site.php('-r', `require 'src/bootstrap.php'; echo Chat::find(${id})['manager_id'];`);
    expect((await olga.call('POST', `/chat/${id}/assign`, {})).status).toBe(200);
    const own = await ownerOf();
    const colleague = own === '1' ? '2' : '1';
    expect((await olga.call('POST', `/chat/${id}/assign`, { user_id: colleague })).status).toBe(200);
    expect(await ownerOf()).toBe(colleague);
    expect((await olga.call('POST', `/chat/${id}/assign`, { user_id: '999' })).status).toBe(422);
    expect(await ownerOf()).toBe(colleague);
  });

  it('goes forward and back through every step while people write, and nobody misses anything or sees it twice', async () => {
    const guest = new SiteVisitor(site.baseUrl);
    const olga = new SiteVisitor(site.baseUrl);
    await olga.signIn('olga');
    const opened = await guest.call('POST', '/chat/session', { name: 'Пётр', initial_message: 'm0' });
    const { id } = (await opened.json()) as { id: number };
    const faults: string[] = [];
    const seen: string[] = [];
    const written = ['m0'];
    let since = 0;
    let running = true;
    const poll = async (): Promise<void> => {
      const answer = await guest.call('GET', `/chat/${id}?since_id=${since}`);
      if (answer.status !== 200) return void faults.push(`poll ${answer.status}`);
      const { messages } = (await answer.json()) as { messages: { id: number; body: string }[] };
      for (const message of messages) {
        seen.push(message.body);
        since = message.id;
      }
    };
    const polling = (async () => {
      while (running) await poll();
    })();
    const writing = (async () => {
      while (running) {
        const [who, path] = written.length % 3 === 0 ? [olga, 'reply'] : [guest, 'message'];
        const body = `m${written.length}`;
        const answer = await who.call('POST', `/chat/${id}/${path}`, { body });
        if (answer.status === 201) written.push(body);
        else faults.push(`${path} ${answer.status}`);
      }
    })();

    const people = Promise.all([polling, writing]);

    await site.php(
      '-r',
      "require 'src/bootstrap.php'; db()->exec('CREATE TABLE chat_outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL)');",
    );
    for (const step of STEPS) await site.forward(step);
    const { token } = (await (await guest.call('GET', `/chat/${id}/channel-token`)).json()) as { token: string };
    const staff = (await (await olga.call('GET', '/staff/channel-token')).json()) as { access_token: string };
    const alert = JSON.stringify({ id: 'a1', reason: 'waiting', session_id: id, unread_count: 1 });
    const now = Math.floor(Date.now() / 1_000);
    const signed = (body: string) =>
      `t=${now},v1=${createHmac('sha256', SECRET).update(`${now}.${body}`).digest('hex')}`;
    const hook = (body: string, header = signed(body)) =>
      fetch(`${site.baseUrl}/hooks/chat-alert`, { method: 'POST', body, headers: { 'X-Chat-Signature': header } });
    expect(await (await hook(alert)).json()).toEqual({ ok: true });
    // “Send a test” of the console has no reason; a warning of PHP would stand before the answer.
    expect(await (await hook(JSON.stringify({ id: 'a2', type: 'chat.alert.test' }))).json()).toEqual({ ok: true });
    expect((await hook(alert, signed(alert).replace('v1=', 'v1=0').slice(0, -1))).status).toBe(401);
    const events = await site.php(
      '-r',
      "require 'src/bootstrap.php'; echo json_encode(rows('SELECT event FROM chat_outbox'));",
    );
    for (const step of STEPS.toReversed()) await site.back(step);
    running = false;
    await people;
    await poll();

    expect(faults).toEqual([]);
    expect(seen).toEqual(written);
    expect(events).toContain('chat.message');
    expect(verifyChannelToken(KeyRing.parse(`k1:${SECRET}`), id, token, now)).toMatchObject({ ok: true });
    const { payload } = await jwtVerify(staff.access_token, Buffer.from(SECRET), {
      issuer: 'https://site.example',
      audience: 'chat',
    });
    expect(payload).toMatchObject({ sub: '1', role: 'operator', name: 'Ольга Соколова' });
    expect((await guest.call('GET', `/chat/${id}/channel-token`)).status).toBe(404);
  });

  it('keeps visitors out of each other’s chats, and guests out of the managers’ pages', async () => {
    const [first, second] = [new SiteVisitor(site.baseUrl), new SiteVisitor(site.baseUrl)];
    const opened = await first.call('POST', '/chat/session', { name: 'Пётр', initial_message: 'моё' });
    const { id } = (await opened.json()) as { id: number };
    expect((await second.call('GET', `/chat/${id}`)).status).toBe(403);
    expect((await second.call('POST', `/chat/${id}/message`, { body: 'x' })).status).toBe(403);
    expect((await second.call('GET', '/staff')).status).toBe(303);
    expect((await second.call('GET', '/chat/alerts')).status).toBe(303);
    const olga = new SiteVisitor(site.baseUrl);
    await olga.signIn('olga');
    expect(await (await olga.call('GET', '/chat/alerts?since=0')).json()).toMatchObject({ has_new_dialogs: true });
    expect(await (await olga.call('GET', `/staff/chat/${id}`)).text()).toContain('Пётр');
  });

  it('takes the shadow step, or our widget, after the tokens, and goes back from each', async () => {
    const front = async (): Promise<string> => (await fetch(site.baseUrl)).text();
    await site.forward('2-token-and-events');
    await site.forward(SHADOW);
    // Without the address of a channel nothing of it is in the page.
    expect(await front()).not.toContain('shadow.js');
    await site.back(SHADOW);
    await site.forward(OUR_WIDGET);
    expect(await front()).toContain('/widget/v1/loader.js');
    await site.back(OUR_WIDGET);
    await site.back('2-token-and-events');
    expect(await front()).not.toContain('loader.js');
  });
});
