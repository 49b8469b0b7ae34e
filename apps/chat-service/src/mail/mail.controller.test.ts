import { createHmac, randomUUID } from 'node:crypto';
import { createSessionResponseSchema, mailInboundResponseSchema } from '@chat-realtime/protocol';
import { KeyRing } from '@chat-realtime/protocol/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL_SECRET, ChatUnderTest } from '../../test/chat-under-test.ts';
import { MailLinks } from './mail-links.ts';
import { ReplyAddress } from './reply-address.ts';

const SECRET = 'mail-secret-0123456789abcdef';
const addresses = new ReplyAddress(KeyRing.parse(`k1:${CHANNEL_SECRET}`), 'support+{tag}@shop.example');
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let chat: ChatUnderTest;
let anna: string;
let links: MailLinks;
beforeAll(async () => {
  chat = await ChatUnderTest.start({ MAIL_FROM: 'Shop <support@shop.example>', MAIL_INBOUND_SECRET: SECRET });
  anna = await chat.staff('anna');
  links = new MailLinks(chat.database, CHANNEL_SECRET);
});
afterAll(() => chat.stop());

const begin = async (request: object = {}) => {
  const answer = await chat.call('POST', '/chat/session', { body: request });
  const { session, token } = answer.as(createSessionResponseSchema);
  return { id: session.id, token };
};
const says = (session: { id: number; token: string }, body: string, token = session.token) =>
  chat.call('POST', `/chat/session/${session.id}/messages`, {
    token,
    body: { body, client_message_id: randomUUID() },
  });
const signed = (raw: string | Buffer, at = Math.floor(Date.now() / 1_000), secret = SECRET): string =>
  `t=${at},v1=${createHmac('sha256', secret).update(`${at}.`).update(raw).digest('hex')}`;
const deliver = (raw: string | Buffer, signature: string | undefined = signed(raw)) =>
  chat.call('POST', '/chat/mail/inbound', {
    raw,
    headers: { 'content-type': 'message/rfc822', 'x-chat-signature': signature },
  });
const delivered = async (raw: string) => (await deliver(raw)).as(mailInboundResponseSchema);

interface Letter {
  readonly to: string;
  readonly from?: string;
  readonly text?: string;
  readonly id?: string;
  readonly headers?: readonly string[];
}
const letter = ({ to, from = 'Olga <olga@mail.example>', text = 'Спасибо!', id, headers = [] }: Letter): string =>
  [
    `Message-ID: <${id ?? randomUUID()}@mail.example>`,
    `From: ${from}`,
    `To: ${to}`,
    'Subject: Re: chat',
    ...headers,
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    ...text.split('\n'),
  ].join('\r\n');
const replyAddress = (id: number) => addresses.of({ id, revokedAt: null });
const texts = async (id: number) => {
  const { messages } = JSON.parse((await chat.call('GET', `/chat/session/${id}/messages`, { token: anna })).text);
  return messages.map(({ sender_type, body }: { sender_type: string; body: string }) => `${sender_type}:${body}`);
};

describe('a transcript', () => {
  it('[MAIL1] contains what both sides saw, in the language of the chat, and no notes', async () => {
    const session = await begin({ name: 'Olga', locale: 'en' });
    await says(session, 'Where is my order?\nIt is late.');
    await says(session, 'Tomorrow.', anna);
    await chat.call('POST', `/chat/session/${session.id}/notes`, { token: anna, body: { body: 'SECRET NOTE' } });
    for (const token of [session.token, anna]) {
      const answer = await chat.call('POST', `/chat/session/${session.id}/transcript`, { token });
      expect([answer.status, answer.headers['content-type'], answer.headers['cache-control']]).toEqual([
        200,
        'text/plain; charset=utf-8',
        'no-store',
      ]);
      expect(answer.headers['content-disposition']).toContain(`chat-${session.id}.txt`);
      expect(answer.text).toContain(`Chat ${session.id}\n`);
      expect(answer.text).toMatch(/\] Customer:\nWhere is my order\?\nIt is late\.\n\n\[.*\] anna:\nTomorrow\.\n/);
      expect(answer.text).not.toContain('SECRET NOTE');
    }
  });

  it('[MAIL1] contains every message of a long chat, and says so if there are none', async () => {
    const session = await begin();
    const path = `/chat/session/${session.id}/transcript`;
    expect((await chat.call('POST', path, { token: session.token, body: {} })).text).toContain('ещё нет сообщений');
    for (let n = 0; n < 205; n += 1) await says(session, `message ${n}.`);
    const { text } = await chat.call('POST', path, { token: session.token, body: { email: null } });
    expect([...text.matchAll(/^message (\d+)\.$/gm)].map(([, n]) => Number(n))).toEqual(
      Array.from({ length: 205 }, (_, n) => n),
    );
  });

  it('[MAIL1] [MAIL2] is given only to people who may see the chat, and by mail only if mail is configured', async () => {
    const session = await begin();
    const other = await begin();
    const path = `/chat/session/${session.id}/transcript`;
    const own = await chat.staff('narrow', { scope: 'own' });
    const codes = async (token: string | undefined, body: object) =>
      (await chat.call('POST', path, { token, body })).code;
    expect(await codes(undefined, {})).toBe('missing_credentials');
    expect(await codes(other.token, {})).toBe('bad_token');
    expect(await codes(own, {})).toBe('session_not_found');
    expect(await codes(own, { email: 'a@mail.example' })).toBe('session_not_found');
    for (const email of ['', 'x', 'a@b@c', 'a@mail.example\r\nBcc: b@mail.example', 5])
      expect(await codes(session.token, { email })).toBe('validation_failed');
    expect(await codes(session.token, { email: 'a@mail.example' })).toBe('mail_off');
    expect(await codes(anna, { email: 'a@mail.example' })).toBe('mail_off');
  });
});

describe('incoming mail', () => {
  it('[MAIL3] is accepted only with a signature', async () => {
    const session = await begin();
    const raw = letter({ to: replyAddress(session.id), text: 'forged' });
    const now = Math.floor(Date.now() / 1_000);
    const call = async (headers: Record<string, string>) =>
      (
        await chat.call('POST', '/chat/mail/inbound', {
          raw,
          headers: { 'content-type': 'message/rfc822', ...headers },
        })
      ).code;
    expect(await call({})).toBe('missing_credentials');
    for (const bad of [
      '',
      'x',
      signed(raw, now, 'another-secret-0123456789'),
      signed(`${raw} `, now),
      signed(raw, now - 301),
      signed(raw, now + 360),
      signed(raw, now).replace('v1=', 'v0='),
    ])
      expect([bad, await call({ 'x-chat-signature': bad })]).toEqual([bad, 'bad_credentials']);
    expect(await texts(session.id)).toEqual([]);
    expect((await deliver(Buffer.alloc(26_214_401), signed('', now))).code).toBe('payload_too_large');
  });

  it('[MAIL4] becomes a message of the customer, once, without the quoted text', async () => {
    const session = await begin();
    await says(session, 'Здравствуйте', anna);
    const quoted = [
      'Спасибо, жду!',
      '',
      'С уважением,',
      'Ольга',
      '',
      'вс, 29 нояб. 2026 г. в 10:00, Shop <support@shop.example>:',
      '> — Ответьте выше этой строки —',
      '> Здравствуйте',
    ].join('\n');
    const raw = letter({ to: `Shop <${replyAddress(session.id).toUpperCase()}>`, text: quoted, id: 'same' });
    const first = await delivered(raw);
    expect(first).toMatchObject({ outcome: 'message', session_id: session.id });
    expect(await delivered(raw)).toEqual({ outcome: 'duplicate' });
    // The same mail as another relaying server wrote it, with the same Message-ID.
    expect(await delivered(`Received: from there\r\n${raw}`)).toEqual({ outcome: 'duplicate' });
    const shown = await texts(session.id);
    expect(shown).toHaveLength(2);
    expect(shown[1]).toMatch(/^client:Спасибо, жду!/);
    expect(shown[1]).not.toContain('Здравствуйте');
    expect(shown[1]).not.toContain('support@shop.example');
  });

  it('[MAIL4] brings its files, and is matched by the address it was delivered to', async () => {
    const session = await begin();
    const boundary = 'part';
    const raw = [
      `Message-ID: <${randomUUID()}@mail.example>`,
      'From: olga@mail.example',
      'To: team@shop.example',
      `X-Original-To: ${replyAddress(session.id)}`,
      `Content-Type: multipart/mixed; boundary=${boundary}`,
      '',
      `--${boundary}`,
      'Content-Type: text/html; charset=utf-8',
      '',
      '<p>Вот чек</p>',
      ...Array.from({ length: 6 }, (_, n) => [
        `--${boundary}`,
        `Content-Type: image/png; name="c${n}.png"`,
        `Content-Disposition: attachment; filename="../c${n}.png"`,
        'Content-Transfer-Encoding: base64',
        '',
        PNG,
      ]).flat(),
      `--${boundary}--`,
      '',
    ].join('\r\n');
    const answer = await delivered(raw);
    expect(answer.outcome === 'message' ? answer.message_ids : answer).toHaveLength(2);
    const { messages } = JSON.parse(
      (await chat.call('GET', `/chat/session/${session.id}/messages`, { token: session.token })).text,
    );
    expect(
      messages.map(({ body, attachments }: { body: string; attachments: { name: string; mime: string }[] }) => [
        body,
        attachments.map(({ name, mime }) => `${name} ${mime}`),
      ]),
    ).toEqual([
      ['Вот чек', [0, 1, 2, 3, 4].map((n) => `c${n}.png image/png`)],
      ['', ['c5.png image/png']],
    ]);
  });

  it('[MAIL4] marks the mailed messages as read', async () => {
    const session = await begin();
    const { message } = JSON.parse((await says(session, 'Вам письмо', anna)).text);
    await chat.database.kysely
      .insertInto('mail_mark')
      .values({ session_id: session.id, mailed_id: message.id, mailed_at: new Date() })
      .execute();
    await delivered(letter({ to: replyAddress(session.id) }));
    const mark = await chat.database.kysely
      .selectFrom('chat_read_mark')
      .select('read_id')
      .where('session_id', '=', session.id)
      .where('participant', '=', 'client')
      .executeTakeFirstOrThrow();
    expect(mark.read_id).toBe(message.id);
  });

  it('[MAIL4] [MAIL5] opens no chat if we did not issue the address, or issued it before a revocation', async () => {
    const session = await begin();
    const right = replyAddress(session.id);
    const unknown = { outcome: 'ignored', reason: 'unknown_address' };
    expect(await delivered(letter({ to: 'support@shop.example' }))).toEqual(unknown);
    expect(await delivered(letter({ to: right.replace(/.(?=@)/, (last) => (last === '0' ? '1' : '0')) }))).toEqual(
      unknown,
    );
    expect(await delivered(letter({ to: right.replace(/\+c\w+-/, `+c${(session.id + 1).toString(36)}-`) }))).toEqual(
      unknown,
    );
    await chat.call('POST', `/chat/session/${session.id}/revoke`, { token: anna });
    expect(await delivered(letter({ to: right }))).toEqual(unknown);
    expect(await texts(session.id)).toEqual([]);
  });

  it('[MAIL5] from robots, lists and ourselves is ignored', async () => {
    const session = await begin();
    const to = replyAddress(session.id);
    const outcome = async (more: Partial<Letter>) => {
      const answer = await delivered(letter({ to, ...more }));
      return answer.outcome === 'ignored' ? answer.reason : answer.outcome;
    };
    for (const header of [
      'Auto-Submitted: auto-replied',
      'Precedence: bulk',
      'X-Autoreply: yes',
      'List-Id: <news.example>',
      'Return-Path: <>',
    ])
      expect([header, await outcome({ headers: [header] })]).toEqual([header, 'automatic']);
    expect(await outcome({ from: 'MAILER-DAEMON@mail.example' })).toBe('automatic');
    expect(await outcome({ from: 'support@shop.example' })).toBe('loop');
    expect(await outcome({ headers: ['X-Chat-Realtime: 1'] })).toBe('loop');
    expect(await outcome({ text: '> — Ответьте выше этой строки —\n> x' })).toBe('empty');
    expect(await texts(session.id)).toEqual([]);
    expect(await outcome({ headers: ['Auto-Submitted: no'] })).toBe('message');
  });

  /** Sends a mail and returns its number. */
  const mailed = async (sessionId: number | null, kind: 'reply' | 'transcript', address: string): Promise<number> => {
    const row = await chat.database.kysely
      .insertInto('mail')
      .values({
        ...{ kind, address, session_id: sessionId, dedupe_key: randomUUID(), sent_at: new Date() },
        ...{ alert_id: null, user_id: null, locale: null, last_error: null },
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    return row.id;
  };
  const report = (to: string, messageName: string, { status = '5.1.1', action = 'failed' } = {}): string =>
    [
      `Message-ID: <${randomUUID()}@mail.example>`,
      'From: MAILER-DAEMON@mail.example',
      `To: ${to}`,
      'Content-Type: multipart/report; report-type=delivery-status; boundary=r',
      '',
      '--r',
      'Content-Type: text/plain',
      '',
      'Not delivered.',
      '--r',
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; mail.example',
      '',
      'Final-Recipient: rfc822; gone@mail.example',
      `Action: ${action}`,
      `Status: ${status}`,
      '--r',
      'Content-Type: text/rfc822-headers',
      '',
      `Message-ID: <${messageName}@shop.example>`,
      '--r--',
      '',
    ].join('\r\n');
  const refused = async (): Promise<string[]> => {
    const rows = await chat.database.kysely.selectFrom('mail_refusal').select('address').orderBy('address').execute();
    return rows.map(({ address }) => address);
  };

  it('[MAIL5] that reports a failed delivery ends mail to the address of the mail it names', async () => {
    const session = await begin();
    const reply = await mailed(session.id, 'reply', 'gone@mail.example');
    const transcript = await mailed(session.id, 'transcript', 'else@mail.example');
    const passing = report(replyAddress(session.id), links.messageName(reply), { status: '4.2.2', action: 'delayed' });
    expect(await delivered(passing)).toMatchObject({ reason: 'automatic' });
    expect(await delivered(report(replyAddress(session.id), links.messageName(reply)))).toEqual({ outcome: 'bounce' });
    expect(await refused()).toEqual(['gone@mail.example']);
    // An unsubscription outweighs a missing mailbox, whichever came first.
    await links.unsubscribe(await mailed(session.id, 'reply', 'never@mail.example'));
    const late = await mailed(session.id, 'transcript', 'never@mail.example');
    expect(await delivered(report(replyAddress(session.id), links.messageName(late)))).toEqual({ outcome: 'bounce' });
    await links.unsubscribe(await mailed(session.id, 'reply', 'gone@mail.example'));
    const reasons = await chat.database.kysely.selectFrom('mail_refusal').select('reason').execute();
    expect(reasons.map(({ reason }) => reason)).toEqual(['unsubscribed', 'unsubscribed']);
    // The same for a report that comes to the chat's own address, to which mails without a reply address return.
    expect(await delivered(report('support@shop.example', links.messageName(transcript)))).toEqual({
      outcome: 'bounce',
    });
    expect(await refused()).toEqual(['else@mail.example', 'gone@mail.example', 'never@mail.example']);
  });

  it('[MAIL5] with a forged failure report does not end mail to others', async () => {
    const session = await begin();
    const id = await mailed(session.id, 'transcript', 'anna@shop.example');
    const before = await refused();
    for (const name of [`chat-mail-${id}`, `chat-mail-${id}.${'0'.repeat(32)}`, links.messageName(id + 1).slice(0, -1)])
      expect(await delivered(report(replyAddress(session.id), name))).toMatchObject({ reason: 'automatic' });
    expect(await refused()).toEqual(before);
  });

  it('[MAIL4] names in the message a file for which there is no space', async () => {
    const session = await begin();
    const files = [
      '--m',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'Вот',
      ...Array.from({ length: 11 }, (_, n) => [
        '--m',
        `Content-Disposition: attachment; filename="${n}.txt"`,
        'Content-Type: text/plain',
        '',
        'x',
      ]).flat(),
      '--m--',
    ];
    const head = [
      `Message-ID: <${randomUUID()}@mail.example>`,
      'From: olga@mail.example',
      `To: ${replyAddress(session.id)}`,
    ];
    const mail = [...head, 'Content-Type: multipart/mixed; boundary=m', '', ...files].join('\r\n');
    expect(await delivered(mail)).toMatchObject({ outcome: 'message' });
    const said = (await texts(session.id)).join('\n');
    expect(said).toContain('Вот');
    // One more than a mail may contain.
    expect(said).toContain('[файл из письма не принят: 10.txt]');
  });

  it('[MAIL3] that is no valid mail does no harm', async () => {
    for (const raw of [
      '',
      '\0\0\0',
      '{"a":1}',
      `Content-Type: multipart/mixed; boundary=x\r\n\r\n${'--x\r\n\r\n'.repeat(2_000)}`,
    ])
      expect((await deliver(raw)).status).toBeLessThan(500);
  });
});
