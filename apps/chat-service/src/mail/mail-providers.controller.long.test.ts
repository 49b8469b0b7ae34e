import { createHmac, randomUUID } from 'node:crypto';
import { createSessionResponseSchema, MAIL_MAX_BYTES } from '@chat-realtime/protocol';
import { KeyRing } from '@chat-realtime/protocol/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL_SECRET, ChatUnderTest } from '../../test/chat-under-test.ts';
import { ReplyAddress } from './reply-address.ts';

const KEY = 'mailgun-signing-key-0123456789';
const LOGIN = 'postmark:a-long-password';
const addresses = new ReplyAddress(KeyRing.parse(`k1:${CHANNEL_SECRET}`), 'support+{tag}@shop.example');

let chat: ChatUnderTest;
let anna: string;
beforeAll(async () => {
  chat = await ChatUnderTest.start({
    MAIL_FROM: 'Shop <support@shop.example>',
    MAIL_INBOUND_MAILGUN_KEY: KEY,
    MAIL_INBOUND_POSTMARK_LOGIN: LOGIN,
    MAIL_INBOUND_SES_TOPIC: 'arn:aws:sns:eu-west-1:012345678912:mail',
  });
  anna = await chat.staff('anna');
});
afterAll(() => chat.stop());

async function begin() {
  const answer = await chat.call('POST', '/chat/session', { body: {} });
  const { id } = answer.as(createSessionResponseSchema).session;
  return { id, to: addresses.of({ id, revokedAt: null }) };
}
async function texts(id: number): Promise<string[]> {
  const { messages } = JSON.parse((await chat.call('GET', `/chat/session/${id}/messages`, { token: anna })).text);
  return messages.map(({ body }: { body: string }) => body);
}
const letter = (id: string, text: string): string =>
  [`Message-ID: <${id}>`, 'From: olga@mail.example', 'To: team@shop.example', '', text].join('\r\n');
function mailgun(to: string, mime: string, token: string = randomUUID()) {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', KEY)
    .update(timestamp + token)
    .digest('hex');
  return chat.call('POST', '/chat/mail/inbound/mailgun?mime', {
    raw: new URLSearchParams({ timestamp, token, signature, recipient: to, 'body-mime': mime }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
}
const postmark = (body: object, login = LOGIN) =>
  chat.call('POST', '/chat/mail/inbound/postmark', {
    raw: JSON.stringify(body),
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(login).toString('base64')}`,
    },
  });

describe('mail from a provider', () => {
  it('[MAIL4] [MAIL8] [MAIL9] becomes a message once, whichever provider delivers it', async () => {
    const { id, to } = await begin();
    const name = `${randomUUID()}@mail.example`;
    const first = await mailgun(to, letter(name, 'Первое'));
    expect([first.status, JSON.parse(first.text)]).toMatchObject([200, { outcome: 'message', session_id: id }]);
    expect(JSON.parse((await mailgun(to, letter(name, 'Первое'))).text)).toEqual({ outcome: 'duplicate' });
    const inbound = { MessageID: randomUUID(), OriginalRecipient: to, From: 'olga@mail.example' };
    const headers = [{ Name: 'Message-ID', Value: `<${name}>` }];
    expect(JSON.parse((await postmark({ ...inbound, TextBody: 'Первое', Headers: headers })).text)).toEqual({
      outcome: 'duplicate',
    });
    // Without a Message-ID it is identified by the provider's own name for it.
    const bare = { ...inbound, MessageID: randomUUID(), TextBody: 'Второе' };
    expect(JSON.parse((await postmark(bare)).text)).toMatchObject({ outcome: 'message' });
    expect(JSON.parse((await postmark({ ...bare, TextBody: 'Второе.' })).text)).toEqual({ outcome: 'duplicate' });
    expect(await texts(id)).toEqual(['Первое', 'Второе']);
  });

  it('[MAIL8] is refused with a token that was used for another mail', async () => {
    const { id, to } = await begin();
    const token = randomUUID();
    expect((await mailgun(to, letter(`${randomUUID()}@mail.example`, 'Своё'), token)).status).toBe(200);
    const forged = await mailgun(to, letter(`${randomUUID()}@mail.example`, 'Чужое'), token);
    expect([forged.status, forged.code]).toEqual([401, 'bad_credentials']);
    expect(await texts(id)).toEqual(['Своё']);
  });

  it("[MAIL8] [MAIL9] [MAIL10] is refused by each provider's route if it exceeds a limit", async () => {
    const huge = async (path: string, bytes: number, headers: Record<string, string> = {}) =>
      (
        await chat.call('POST', `/chat/mail/inbound/${path}`, {
          raw: Buffer.alloc(bytes),
          headers: { 'content-type': 'application/json', ...headers },
        })
      ).code;
    const authorization = `Basic ${Buffer.from(LOGIN).toString('base64')}`;
    expect(await huge('mailgun', MAIL_MAX_BYTES + 1)).toBe('payload_too_large');
    expect(await huge('postmark', MAIL_MAX_BYTES + 1, { authorization })).toBe('payload_too_large');
    expect(await huge('postmark', MAIL_MAX_BYTES + 1)).toBe('missing_credentials');
    expect(await huge('ses', 1_048_577)).toBe('payload_too_large');
    expect((await postmark({}, 'postmark:wrong')).code).toBe('bad_credentials');
  });
});
