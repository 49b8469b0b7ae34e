import { createHmac, randomUUID } from 'node:crypto';
import {
  configResponseSchema,
  createSessionResponseSchema,
  mailInboundResponseSchema,
  messagesResponseSchema,
  settingsResponseSchema,
} from '@chat-realtime/protocol';
import { KeyRing } from '@chat-realtime/protocol/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL_SECRET, ChatUnderTest, INTERNAL_KEY } from '../../test/chat-under-test.ts';
import { AcceptedTypes } from './accepted-types.ts';
import { ReplyAddress } from '../mail/reply-address.ts';

const KB = 1_024;
const MAIL_SECRET = 'mail-secret-0123456789abcdef';
const PDF = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(2 * KB)]);
const TEXT = Buffer.from('hello');
const addresses = new ReplyAddress(KeyRing.parse(`k1:${CHANNEL_SECRET}`), 'support+{tag}@shop.example');

let chat: ChatUnderTest;
let anna: string;
let admin: string;
beforeAll(async () => {
  chat = await ChatUnderTest.start({
    ATTACHMENT_MAX_BYTES: String(100 * KB),
    MAIL_FROM: 'Shop <support@shop.example>',
    MAIL_INBOUND_SECRET: MAIL_SECRET,
  });
  [anna, admin] = await Promise.all([chat.staff('anna'), chat.staff('chief', { role: 'admin' })]);
});
afterAll(() => chat.stop());

const patch = (attachments: object | null, token = admin) =>
  chat.call('PATCH', '/chat/settings', { token, body: { attachments } });
const config = async () => (await chat.call('GET', '/chat/config')).as(configResponseSchema).attachments;
const begin = async () => (await chat.call('POST', '/chat/session', { body: {} })).as(createSessionResponseSchema);

type Way = (raw: Buffer) => Promise<string | undefined>;
/** Each returns the code of the refusal, or undefined if the file was accepted. */
async function ways(): Promise<Readonly<Record<'customer' | 'operator' | 'telegram', Way>>> {
  const { session, token } = await begin();
  const put = (bearer: string) => async (raw: Buffer) =>
    (await chat.call('POST', `/chat/session/${session.id}/attachments`, { token: bearer, raw })).code;
  const account = 900_000_000 + Math.floor(Math.random() * 1_000_000);
  const telegram = `/internal/telegram/upload?telegram_user_id=${account}&client_message_id=${randomUUID()}`;
  return {
    customer: put(token),
    operator: put(anna),
    telegram: async (raw) => {
      const headers = { 'content-type': 'application/octet-stream', 'x-file-name': 'a.bin' };
      return (await chat.call('POST', telegram, { token: INTERNAL_KEY, raw, headers })).code;
    },
  };
}

/** The text and the number of files of the message that a mail with one file became. */
async function byMail(file: Buffer): Promise<{ body: string; files: number }> {
  const { session, token } = await begin();
  const raw = [
    `Message-ID: <${randomUUID()}@mail.example>`,
    'From: olga@mail.example',
    `To: ${addresses.of({ id: session.id, revokedAt: null })}`,
    'Content-Type: multipart/mixed; boundary=m',
    '',
    '--m',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Вот счёт',
    '--m',
    'Content-Disposition: attachment; filename="bill.pdf"',
    'Content-Type: application/pdf',
    'Content-Transfer-Encoding: base64',
    '',
    file.toString('base64'),
    '--m--',
    '',
  ].join('\r\n');
  const at = Math.floor(Date.now() / 1_000);
  const signature = `t=${at},v1=${createHmac('sha256', MAIL_SECRET).update(`${at}.`).update(raw).digest('hex')}`;
  const headers = { 'content-type': 'message/rfc822', 'x-chat-signature': signature };
  (await chat.call('POST', '/chat/mail/inbound', { raw, headers })).as(mailInboundResponseSchema);
  const { messages } = (await chat.call('GET', `/chat/session/${session.id}/messages`, { token })).as(
    messagesResponseSchema,
  );
  return {
    body: messages.map(({ body }) => body).join('\n'),
    files: messages.flatMap((one) => one.attachments).length,
  };
}

describe('the policy of attachments', () => {
  it('[ATT11] restricts the types on every way into the chat, and clients are notified', async () => {
    const before = await config();
    const saved = await patch({ types: ['text/plain', 'image/*'] });
    expect(saved.as(settingsResponseSchema).rules.effective.attachments).toEqual({
      enabled: true,
      max_bytes: 100 * KB,
      types: ['text/plain', 'image/*'],
      limit: { max_bytes: 100 * KB, types: [] },
    });
    expect((await config()).mime).toEqual(['text/plain', 'image/*']);
    for (const [name, way] of Object.entries(await ways())) {
      expect([name, await way(PDF)]).toEqual([name, 'unsupported_media_type']);
      expect([name, await way(TEXT)]).toEqual([name, undefined]);
    }
    const mail = await byMail(PDF);
    expect(mail).toEqual({ body: expect.stringContaining('[файл из письма не принят: bill.pdf]'), files: 0 });
    await patch(null);
    expect(await byMail(PDF)).toMatchObject({ files: 1 });
    expect(await config()).toEqual(before);
  });

  it('[ATT11] lowers the size limit on every way into the chat', async () => {
    await patch({ max_bytes: KB });
    expect((await config()).max_bytes).toBe(KB);
    for (const [name, way] of Object.entries(await ways()))
      expect([name, await way(PDF)]).toEqual([name, 'payload_too_large']);
    expect(await byMail(PDF)).toMatchObject({ files: 0 });
    await patch(null);
  });

  it('[ATT11] refuses every file when attachments are off; files uploaded before may still be sent', async () => {
    const { session, token } = await begin();
    const path = `/chat/session/${session.id}`;
    const kept = await chat.call('POST', `${path}/attachments`, { token, raw: TEXT });
    await patch({ enabled: false });
    expect(await config()).toMatchObject({ max_per_message: 0, mime: [] });
    for (const [name, way] of Object.entries(await ways()))
      expect([name, await way(TEXT)]).toEqual([name, 'attachments_off']);
    expect(await byMail(PDF)).toMatchObject({ files: 0 });
    const body = { client_message_id: randomUUID(), attachments: [JSON.parse(kept.text).id] };
    expect((await chat.call('POST', `${path}/messages`, { token, body })).status).toBe(201);
    await patch(null);
  });

  it('[ATT11] is limited by the variables, may be changed only by admins, and is logged', async () => {
    for (const [field, bad] of [
      ['max_bytes', { max_bytes: 100 * KB + 1 }],
      ['max_bytes', { max_bytes: 0 }],
      ['types.0', { types: ['pdf'] }],
      ['types.1', { types: ['image/*', '*/png'] }],
    ] as const) {
      const answer = await patch(bad);
      expect([answer.code, answer.text.includes(`"attachments.${field}"`)]).toEqual(['validation_failed', true]);
    }
    expect((await patch({ size: 1 })).code).toBe('validation_failed');
    expect((await patch({ enabled: false }, anna)).code).toBe('forbidden');
    await patch({ max_bytes: 2 * KB });
    const audit = await chat.call('GET', '/chat/audit?limit=1', { token: admin });
    expect(JSON.parse(audit.text).entries).toMatchObject([{ details: { parts: ['attachments'] } }]);
    await patch(null);
  });

  it('[ATT11] [ATT9] never allows more than ATTACHMENT_TYPES, even if that was changed since', async () => {
    const other = await ChatUnderTest.start({
      ATTACHMENT_TYPES: 'image/png,application/pdf',
      ATTACHMENT_MAX_BYTES: '1000',
    });
    try {
      const token = await other.staff('chief', { role: 'admin' });
      const save = (attachments: object) => other.call('PATCH', '/chat/settings', { token, body: { attachments } });
      expect((await save({ types: ['image/*'] })).text).toContain('"attachments.types.0"');
      expect((await save({ types: ['application/pdf'] })).status).toBe(200);
      await other.database.kysely
        .updateTable('widget_setting')
        .set({ value: '{"rule":{"types":["image/*","audio/*"],"max_bytes":9000}}' })
        .where('name', '=', 'attachments')
        .execute();
      const { rules } = (await other.call('GET', '/chat/settings', { token })).as(settingsResponseSchema);
      expect(rules.effective.attachments).toMatchObject({ enabled: true, max_bytes: 1_000, types: ['image/png'] });
    } finally {
      await other.stop();
    }
  });

  it('[ATT11] lists that have nothing in common allow nothing', () => {
    const nothing = AcceptedTypes.parse(['audio/*']).within(AcceptedTypes.parse(['image/*']));
    expect([nothing.isNothing, nothing.listed]).toEqual([true, []]);
    expect(() => nothing.check('audio/mpeg')).toThrow(expect.objectContaining({ code: 'unsupported_media_type' }));
    const some = AcceptedTypes.parse(['image/*']).within(AcceptedTypes.parse(['image/png', 'image/gif', 'text/plain']));
    expect(some.entries).toEqual(['image/png', 'image/gif']);
    expect(AcceptedTypes.parse([]).within(AcceptedTypes.parse(['a/b'])).entries).toEqual(['a/b']);
  });
});
