import { createHmac, randomUUID } from 'node:crypto';
import {
  auditResponseSchema,
  type Ban,
  banResponseSchema,
  bansResponseSchema,
  createSessionResponseSchema,
  feedResponseSchema,
  mailInboundResponseSchema,
  staffSessionSchema,
  telegramWriteResponseSchema,
} from '@chat-realtime/protocol';
import { KeyRing } from '@chat-realtime/protocol/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL_SECRET, type Call, ChatUnderTest, INTERNAL_KEY, TRUSTED_PROXY } from '../../test/chat-under-test.ts';
import { ReplyAddress } from '../mail/reply-address.ts';

const MAIL_SECRET = 'mail-secret-0123456789abcdef';
const addresses = new ReplyAddress(KeyRing.parse(`k1:${CHANNEL_SECRET}`), 'support+{tag}@shop.example');
let chat: ChatUnderTest;
let anna: string;
let admin: string;

describe('bans on postgres', () => {
  beforeAll(async () => {
    chat = await ChatUnderTest.start({ MAIL_FROM: 'Shop <support@shop.example>', MAIL_INBOUND_SECRET: MAIL_SECRET });
    [anna, admin] = await Promise.all([chat.staff('anna'), chat.staff('root', { role: 'admin' })]);
  });
  afterAll(() => chat.stop());

  async function begin(ip = '203.0.113.1', body: object = {}) {
    const answer = await chat.call('POST', '/chat/session', { body, ip });
    const { session, token, resume_key } = answer.as(createSessionResponseSchema);
    return { id: session.id, token, key: resume_key, ip };
  }
  type Visitor = Awaited<ReturnType<typeof begin>>;
  const post = ({ id, token, ip }: Visitor, more: Call = {}, body = 'hello', key: string = randomUUID()) =>
    chat.call('POST', `/chat/session/${id}/messages`, { token, ip, body: { body, client_message_id: key }, ...more });
  const ask = (body: object, token = anna) => chat.call('POST', '/chat/bans', { token, body });
  async function ban(id: number, by: string, more: object = {}): Promise<Ban> {
    return (await ask({ session_id: id, by, ...more })).as(banResponseSchema).ban;
  }
  const lift = (id: number) => chat.call('DELETE', `/chat/bans/${id}`, { token: anna });
  const list = async (token = anna) =>
    (await chat.call('GET', '/chat/bans', { token })).as(bansResponseSchema).bans.map(({ id }) => id);
  const feedLength = async () => {
    await chat.stamp();
    return (await chat.call('GET', '/chat/feed?limit=500', { token: anna })).as(feedResponseSchema).events.length;
  };

  it('[BAN1] [BAN2] [BAN6] a banned chat accepts nothing and sends nothing to staff, until the ban is lifted', async () => {
    const [one, other] = [await begin(), await begin()];
    const made = await ban(one.id, 'session', { reason: ' спам ' });
    expect(made).toMatchObject({ by: 'session', reason: 'спам', until: null, created_by: 'anna', address: null });
    const before = await feedLength();
    expect((await post(one)).code).toBe('banned');
    const upload = { token: one.token, raw: 'x', headers: { 'x-file-name': 'a.txt' } };
    expect((await chat.call('POST', `/chat/session/${one.id}/attachments`, upload)).code).toBe('banned');
    const callback = { phone: '+79161234567', consent: true, session_id: one.id };
    expect((await chat.call('POST', '/chat/callback', { token: one.token, body: callback })).code).toBe('banned');
    expect(await feedLength()).toBe(before);
    expect((await post(other)).status).toBe(201);
    expect((await chat.call('GET', `/chat/session/${one.id}/events`, { token: one.token })).status).toBe(200);
    expect(await list()).toContain(made.id);
    expect((await lift(made.id)).status).toBe(204);
    expect((await post(one)).status).toBe(201);
    for (const gone of [made.id, 0, 'x', 2 ** 53]) expect((await lift(Number(gone))).code).toBe('ban_not_found');
  });

  it("[BAN2] a banned visitor's page, mail and link to Telegram are refused too; they may still read", async () => {
    const one = await begin('203.0.113.40');
    const path = `/chat/session/${one.id}`;
    const tries = async (ip: string) =>
      Promise.all(
        [
          ['page', { page_url: 'https://shop.example/a' }],
          ['transcript', { email: 'a@mail.example' }],
          ['telegram-link', {}],
        ].map(
          async ([what, body]) =>
            (await chat.call('POST', `${path}/${String(what)}`, { token: one.token, body: body ?? {}, ip })).code,
        ),
      );
    for (const by of ['session', 'address']) {
      const { id } = await ban(one.id, by);
      expect(await tries(one.ip)).toEqual(['banned', 'banned', 'banned']);
      expect((await chat.call('POST', `${path}/transcript`, { token: one.token })).status).toBe(200);
      const seen = (await chat.call('GET', path, { token: anna })).as(staffSessionSchema);
      expect(seen.current_page_url).toBeNull();
      await lift(id);
      expect(await tries('203.0.113.41')).not.toContain('banned');
      await chat.database.kysely.updateTable('chat_session').set({ current_page_url: null }).execute();
    }
  });

  it('[BAN2] files that come by mail or Telegram are not stored either', async () => {
    const one = await begin();
    const account = 7_700_000_001;
    const user = { id: account, username: 'u', name: 'Ольга', locale: 'ru' };
    const inner = (path: string, more: Call) =>
      chat.call('POST', `/internal/telegram/${path}`, { token: INTERNAL_KEY, ...more });
    const words = { kind: 'write', user, body: 'hello', client_message_id: randomUUID() };
    const there = (await inner('write', { body: words })).as(telegramWriteResponseSchema).session_id;
    const files = async () =>
      (
        await chat.database.kysely
          .selectFrom('chat_attachment')
          .select('id')
          .where('session_id', 'in', [one.id, there])
          .execute()
      ).length;
    const sendFile = () =>
      inner(`upload?telegram_user_id=${account}&client_message_id=${randomUUID()}`, {
        raw: 'bytes',
        headers: { 'content-type': 'application/octet-stream', 'x-file-name': 'a.txt' },
      });
    const sendMail = async () => {
      const raw = [
        `Message-ID: <${randomUUID()}@mail.example>`,
        'From: Olga <olga@mail.example>',
        `To: ${addresses.of({ id: one.id, revokedAt: null })}`,
        'Subject: Re: chat',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary="b"',
        '',
        '--b',
        'Content-Type: text/plain; charset=utf-8',
        '',
        'A letter with a file.',
        '--b',
        'Content-Type: application/pdf',
        'Content-Disposition: attachment; filename="bill.pdf"',
        'Content-Transfer-Encoding: base64',
        '',
        Buffer.from('%PDF-1.4 bill').toString('base64'),
        '--b--',
      ].join('\r\n');
      const at = Math.floor(Date.now() / 1_000);
      const mac = createHmac('sha256', MAIL_SECRET).update(`${at}.`).update(raw).digest('hex');
      const headers = { 'content-type': 'message/rfc822', 'x-chat-signature': `t=${at},v1=${mac}` };
      return (await chat.call('POST', '/chat/mail/inbound', { raw, headers })).as(mailInboundResponseSchema);
    };
    const bans = [await ban(one.id, 'session'), await ban(there, 'session')];
    expect((await sendFile()).code).toBe('banned');
    expect(await sendMail()).toEqual({ outcome: 'ignored', reason: 'banned' });
    expect(await files()).toBe(0);
    for (const { id } of bans) await lift(id);
    expect((await sendFile()).status).toBe(201);
    expect(await sendMail()).toMatchObject({ outcome: 'message' });
    expect(await files()).toBe(2);
  });

  it('[BAN7] gateways are notified of each ban and its end, and request who is banned: by chat, customer or address', async () => {
    const [one, two, free] = [await begin('203.0.113.50'), await begin('2001:db8:9::1'), await begin('203.0.113.51')];
    const identity_token = await chat.identity('c-banned');
    await chat.call('POST', '/chat/identity', { body: { identity_token, session_id: one.id, token: one.token } });
    const banned = async () => {
      const request = { sessions: [one, two, free].map(({ id }) => ({ id })), limit: 1 };
      return (await chat.operations.catchup(request)).sessions
        .flatMap((row) => (row.banned ? [row.id] : []))
        .sort((a, b) => a - b);
    };
    const told = () => chat.ephemerals.filter(({ type }) => type === 'control.bans').length;
    expect(await banned()).toEqual([]);
    const before = told();
    const bans = [await ban(one.id, 'customer'), await ban(two.id, 'address')];
    expect(await banned()).toEqual([one.id, two.id]);
    expect(told()).toBe(before + 2);
    for (const { id } of bans) await lift(id);
    expect(await banned()).toEqual([]);
    expect(told()).toBe(before + 4);
    const short = await ban(free.id, 'session', { until: new Date(Date.now() + 60_000).toISOString() });
    expect(await banned()).toEqual([free.id]);
    await chat.database.kysely
      .updateTable('chat_ban')
      .set({ until: new Date(1) })
      .where('id', '=', short.id)
      .execute();
    expect(await banned()).toEqual([]);
  });

  it('[BAN2] a banned visitor does not reopen a closed chat', async () => {
    const one = await begin();
    await ban(one.id, 'session');
    await chat.call('POST', `/chat/session/${one.id}/close`, { token: anna });
    const before = await feedLength();
    expect((await post(one)).code).toBe('banned');
    expect(await feedLength()).toBe(before);
  });

  it('[BAN3] a retry of a message that is already stored is answered as before', async () => {
    const one = await begin();
    const key = randomUUID();
    expect((await post(one, {}, 'hello', key)).status).toBe(201);
    await ban(one.id, 'session');
    expect((await post(one, {}, 'hello', key)).status).toBe(200);
    expect((await post(one, {}, 'other', key)).code).toBe('idempotency_conflict');
  });

  it('[BAN4] a signed-in customer is banned in all their chats, a guest only in the one', async () => {
    const [one, two] = [await begin('203.0.113.2'), await begin('203.0.113.3')];
    expect((await ask({ session_id: one.id, by: 'customer' })).status).toBe(422);
    for (const { id, token } of [one, two]) {
      const body = { identity_token: await chat.identity('c-7'), session_id: id, token };
      expect((await chat.call('POST', '/chat/identity', { body })).status).toBe(200);
    }
    const made = await ban(one.id, 'customer');
    expect(made.customer_id).toBe('c-7');
    expect((await post(two)).code).toBe('banned');
    await lift(made.id);
    expect((await post(two)).status).toBe(201);
  });

  it('[BAN4] [BAN2] an address is banned for a day, IPv6 with its /64, and cannot start a chat', async () => {
    const v4 = await begin('203.0.113.9');
    const made = await ban(v4.id, 'address');
    expect(made.address).toBe('203.0.113.9');
    expect(Date.parse(made.until ?? '') - Date.now()).toBeCloseTo(86_400_000, -5);
    expect((await chat.call('POST', '/chat/session', { body: {}, ip: '203.0.113.9' })).code).toBe('banned');
    expect((await chat.call('POST', '/chat/session', { body: {}, ip: '203.0.113.10' })).status).toBe(201);
    // A visitor who already has a chat returns to it and can read.
    const back = { body: { resume_key: v4.key }, ip: '203.0.113.9' };
    expect((await chat.call('POST', '/chat/session', back)).status).toBe(200);
    const words = { body: 'x', client_message_id: randomUUID() };
    const talks = { ...back, body: { ...back.body, message: words } };
    expect((await chat.call('POST', '/chat/session', talks)).code).toBe('banned');
    expect((await post(v4, { ip: '203.0.113.10' })).status).toBe(201);
    const v6 = await begin('2001:db8:1:2:3::4');
    expect((await ban(v6.id, 'address')).address).toBe('2001:db8:1:2::/64');
    expect((await chat.call('POST', '/chat/session', { body: {}, ip: '2001:db8:1:2::9' })).code).toBe('banned');
    expect((await chat.call('POST', '/chat/session', { body: {}, ip: '2001:db8:1:3::9' })).status).toBe(201);
  });

  it('[BAN4] the address is the one from which the chat was last written to', async () => {
    const one = await begin('203.0.113.20');
    await post(one, { ip: '203.0.113.21' });
    expect((await ban(one.id, 'address')).address).toBe('203.0.113.21');
  });

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '192.168.1.1',
    '172.16.9.9',
    '100.64.0.1',
    '169.254.1.1',
    '::1',
    'fe80::1',
    'fd00::5',
  ])('[BAN5] %s belongs to no customer and is not banned', async (ip) => {
    const one = await begin(ip);
    const answer = await ask({ session_id: one.id, by: 'address' });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('"path":"by"');
  });

  it('[BAN5] neither a trusted proxy nor an unknown address is banned', async () => {
    const proxied = await begin(TRUSTED_PROXY);
    expect((await ask({ session_id: proxied.id, by: 'address' })).status).toBe(422);
    const old = await begin('203.0.113.30');
    await chat.database.kysely.deleteFrom('chat_client_address').where('session_id', '=', old.id).execute();
    expect((await ask({ session_id: old.id, by: 'address' })).status).toBe(422);
  });

  it('[BAN8] [BAN5] behind an undeclared proxy no address is banned, and the response says how to declare it', async () => {
    const one = await begin('198.51.100.9');
    const body = { session_id: one.id, by: 'address' };
    const through = { token: anna, body, ip: '198.51.100.10', headers: { 'x-forwarded-for': '203.0.113.77' } };
    const refused = await chat.call('POST', '/chat/bans', through);
    expect([refused.status, refused.code]).toEqual([422, 'validation_failed']);
    expect(refused.text).toContain('TRUSTED_PROXIES=198.51.100.10');
    expect((await begin('198.51.100.9')).id).toBeGreaterThan(one.id);
    // The chat itself can be banned there. So can the address, if the operator's own request comes without a proxy or
    // through a declared one.
    expect((await chat.call('POST', '/chat/bans', { ...through, body: { ...body, by: 'session' } })).status).toBe(201);
    expect((await chat.call('POST', '/chat/bans', { ...through, ip: TRUSTED_PROXY })).status).toBe(201);
  });

  it('[BAN8] the response says how many other chats came from there within a day', async () => {
    const others = async (ip: string, n: number) => {
      const chats: Visitor[] = [];
      for (let index = 0; index <= n; index += 1) chats.push(await begin(ip));
      return chats;
    };
    const [v4] = await others('198.51.100.20', 2);
    await others('198.51.100.21', 0);
    const answer = (await ask({ session_id: v4?.id ?? 0, by: 'address' })).as(banResponseSchema);
    expect(answer.other_sessions).toBe(2);
    const [v6, sameNet] = [await begin('2001:db8:20:0::1'), await begin('2001:db8:20::2')];
    await begin('2001:db8:20:1::2');
    // One is older than a day, and one is no valid address for the database.
    for (const [index, address] of ['2001:db8:20::3', 'fe80::1%eth0'].entries()) {
      const { id } = await begin('203.0.113.99');
      await chat.database.kysely
        .updateTable('chat_client_address')
        .set({ address, ...(index === 0 ? { seen_at: new Date(Date.now() - 90_000_000) } : {}) })
        .where('session_id', '=', id)
        .execute();
    }
    expect((await ask({ session_id: v6.id, by: 'address' })).as(banResponseSchema).other_sessions).toBe(1);
    expect((await ask({ session_id: sameNet.id, by: 'session' })).as(banResponseSchema).other_sessions).toBeUndefined();
  });

  it('[BAN1] banning the same target again keeps its ban; an expired one is made anew', async () => {
    const one = await begin();
    const until = new Date(Date.now() + 60_000).toISOString();
    const first = await ban(one.id, 'session', { until });
    const again = await ask({ session_id: one.id, by: 'session', reason: 'more' });
    expect(again.status).toBe(200);
    expect(again.as(banResponseSchema).ban).toMatchObject({ id: first.id, reason: 'more', until: null });
    await chat.database.kysely
      .updateTable('chat_ban')
      .set({ until: new Date(1) })
      .where('id', '=', first.id)
      .execute();
    expect((await post(one)).status).toBe(201);
    expect(await list()).not.toContain(first.id);
    expect((await lift(first.id)).code).toBe('ban_not_found');
    const next = await ask({ session_id: one.id, by: 'session' });
    expect(next.status).toBe(201);
    expect(next.as(banResponseSchema).ban.id).not.toBe(first.id);
  });

  it('[BAN1] bad input is refused and bans nobody', async () => {
    const one = await begin();
    for (const bad of [
      { by: 'session' },
      { session_id: one.id },
      { session_id: one.id, by: 'name' },
      { session_id: one.id, by: 'session', until: '2020-01-01T00:00:00Z' },
      { session_id: one.id, by: 'session', until: 'soon' },
      { session_id: one.id, by: 'session', reason: 'x'.repeat(501) },
    ])
      expect((await ask(bad)).status).toBe(422);
    expect((await ask({ session_id: 999_999, by: 'session' })).code).toBe('session_not_found');
    expect((await post(one)).status).toBe(201);
  });

  it('[BAN1] [BAN6] an operator with a narrow scope bans, and lifts bans, only in chats they may see', async () => {
    const one = await begin();
    await chat.call('POST', `/chat/session/${one.id}/assign`, { token: anna });
    const boris = await chat.staff('boris', { scope: 'assigned' });
    expect((await ask({ session_id: one.id, by: 'session' }, boris)).code).toBe('session_not_found');
    const made = await ban(one.id, 'session');
    expect(await list(boris)).not.toContain(made.id);
    expect((await chat.call('DELETE', `/chat/bans/${made.id}`, { token: boris })).code).toBe('ban_not_found');
  });

  it('[AUD1] [AUD2] bans and their ends are logged for admins, with the person', async () => {
    const one = await begin();
    const made = await ban(one.id, 'session', { reason: 'a secret reason' });
    await lift(made.id);
    expect((await chat.call('GET', '/chat/audit', { token: anna })).code).toBe('forbidden');
    const answer = await chat.call('GET', '/chat/audit?limit=2', { token: admin });
    const { entries, next_page } = answer.as(auditResponseSchema);
    expect(entries.map(({ action, subject, actor_id }) => [action, subject, actor_id])).toEqual([
      ['ban.lifted', `session:${one.id}`, 'anna'],
      ['ban.created', `session:${one.id}`, 'anna'],
    ]);
    expect(answer.text).not.toContain('secret');
    const older = await chat.call('GET', `/chat/audit?page=${next_page}`, { token: admin });
    expect(older.as(auditResponseSchema).entries.every(({ id }) => id < (entries[1]?.id ?? 0))).toBe(true);
    expect((await chat.call('GET', '/chat/audit?page=x', { token: admin })).status).toBe(422);
  });
});
