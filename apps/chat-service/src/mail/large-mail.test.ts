import { ChatError, createSessionResponseSchema } from '@chat-realtime/protocol';
import { KeyRing } from '@chat-realtime/protocol/tokens';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL_SECRET, ChatUnderTest } from '../../test/chat-under-test.ts';
import { MailIntake } from './mail-intake.ts';
import { MailLinks } from './mail-links.ts';
import { ReplyAddress } from './reply-address.ts';

const addresses = new ReplyAddress(KeyRing.parse(`k1:${CHANNEL_SECRET}`), 'support+{tag}@shop.example');
let chat: ChatUnderTest;
let intake: MailIntake;
const intakeWith = (refusal: Error): MailIntake =>
  new MailIntake({
    database: chat.database,
    context: chat.context,
    attachments: { upload: () => Promise.reject(refusal) },
    rates: { message: () => Promise.resolve() },
    links: new MailLinks(chat.database, CHANNEL_SECRET),
    addresses,
    from: { name: 'Shop', address: 'support@shop.example' },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined },
    taken: () => undefined,
  });
beforeAll(async () => {
  chat = await ChatUnderTest.start();
  intake = intakeWith(new Error('no file of a large mail is taken'));
});
afterAll(() => chat.stop());

const begin = async (locale: string) =>
  (await chat.call('POST', '/chat/session', { body: { locale } })).as(createSessionResponseSchema).session.id;
/** The beginning of a mail with a film attached. */
const beginning = (to: string, { head = [], text = 'Вот видео' }: { head?: string[]; text?: string } = {}) =>
  Buffer.from(
    [
      `Message-ID: <${randomUUID()}@mail.example>`,
      'From: Olga <olga@mail.example>',
      `To: ${to}`,
      ...head,
      'Content-Type: multipart/mixed; boundary=b',
      '',
      ...(text === '' ? [] : ['--b', 'Content-Type: text/plain; charset=utf-8', '', text]),
      '--b',
      'Content-Type: video/mp4; name=film.mp4',
      'Content-Disposition: attachment; filename=film.mp4',
      'Content-Transfer-Encoding: base64',
      '',
      'A'.repeat(60_000),
    ].join('\r\n'),
  );
const take = (raw: Buffer) => intake.take(raw, { isBeginning: true });
const texts = async (id: number) => {
  const { messages } = await chat.operations.history({ kind: 'customer', sessionId: id }, id, { limit: 50 });
  return messages.map(({ sender_type: who, body, attachments }) => [who, body, attachments.length]);
};

describe('a mail that is larger than the limit', () => {
  it('[MAIL4] becomes a message with its text, which says what was left out, once', async () => {
    const id = await begin('ru');
    const raw = beginning(addresses.of({ id, revokedAt: null }));
    expect(await take(raw)).toMatchObject({ outcome: 'message', session_id: id });
    expect(await take(raw)).toEqual({ outcome: 'duplicate' });
    expect(await texts(id)).toEqual([['client', 'Вот видео\n[письмо больше 25 МБ: файлы из него не приняты]', 0]]);
  });

  it('[MAIL4] says so in the language of the chat if it has no text', async () => {
    const id = await begin('en');
    await take(beginning(addresses.of({ id, revokedAt: null }), { text: '' }));
    expect(await texts(id)).toEqual([['client', '[the mail is larger than 25 MB: its files were not taken]', 0]]);
  });

  it('[MAIL5] is ignored without an answer if it comes from a robot or from us, or belongs to no chat', async () => {
    const id = await begin('ru');
    const to = addresses.of({ id, revokedAt: null });
    for (const [raw, reason] of [
      [beginning(to, { head: ['Auto-Submitted: auto-replied'] }), 'automatic'],
      [beginning(to, { head: ['X-Chat-Realtime: 1'] }), 'loop'],
      [beginning('support@shop.example'), 'unknown_address'],
    ] as const)
      expect(await take(raw)).toEqual({ outcome: 'ignored', reason });
    expect(await texts(id)).toEqual([]);
    expect(await chat.database.kysely.selectFrom('mail').select('id').execute()).toEqual([]);
  });

  it('[MAIL4] is limited to the length of a message', async () => {
    const id = await begin('ru');
    await take(beginning(addresses.of({ id, revokedAt: null }), { text: 'слово '.repeat(1_900) }));
    const [[, body = ''] = []] = await texts(id);
    expect(String(body)).toMatch(/^слово [^]*\[письмо больше 25 МБ: файлы из него не приняты\]$/);
  });
});

describe('a file for which there is no space', () => {
  it('[MAIL4] is named in the message, and the text arrives at once', async () => {
    const id = await begin('ru');
    const raw = beginning(addresses.of({ id, revokedAt: null }));
    const full = intakeWith(new ChatError('storage_full', 'less than the floor of free space'));
    expect(await full.take(raw)).toMatchObject({ outcome: 'message', session_id: id });
    expect(await texts(id)).toEqual([['client', 'Вот видео\n[файл из письма не принят: film.mp4]', 0]]);
  });

  it('[MAIL4] is not treated as refused if something failed: the mail is delivered again', async () => {
    const id = await begin('ru');
    const raw = beginning(addresses.of({ id, revokedAt: null }));
    const broken = intakeWith(new ChatError('internal_error', 'a bug'));
    await expect(broken.take(raw)).rejects.toMatchObject({ code: 'internal_error' });
    expect(await texts(id)).toEqual([]);
  });
});
