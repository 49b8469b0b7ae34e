import {
  consentProofResponseSchema,
  createSessionResponseSchema,
  customerCallbackResponseSchema,
  sessionExportSchema,
  staffSessionSchema,
} from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';

let chat: ChatUnderTest;
let anna: string;
let admin: string;

describe('consent on postgres', () => {
  beforeAll(async () => {
    chat = await ChatUnderTest.start();
    [anna, admin] = await Promise.all([chat.staff('anna'), chat.staff('root', { role: 'admin' })]);
  });
  afterAll(() => chat.stop());

  const save = (consent: object | null) => chat.call('PATCH', '/chat/settings', { token: admin, body: { consent } });
  const words = (version: string, text: string) => ({ version, text, url: 'https://shop.example/privacy' });
  async function begin(consent: unknown) {
    const answer = await chat.call('POST', '/chat/session', { body: { consent } });
    const { session, token } = answer.as(createSessionResponseSchema);
    return { id: session.id, token };
  }
  const exported = async ({ id }: { id: number }) =>
    (await chat.call('GET', `/chat/session/${id}/export`, { token: admin })).as(sessionExportSchema);

  it('[CNS1] [CNS3] the text a visitor agreed to is shown, even after it was replaced', async () => {
    const before = await begin(true);
    expect((await save(words('2', 'Второй текст'))).status).toBe(200);
    const [named, plain, foreign, none, no] = [
      await begin({ version: '2', accepted: true }),
      await begin(true),
      await begin({ version: 'of-the-site', accepted: true }),
      await begin(null),
      await begin(false),
    ];
    expect((await save(words('3', 'Третий текст'))).status).toBe(200);
    const second = { version: '2', text: 'Второй текст', url: 'https://shop.example/privacy', texts: {} };
    expect((await exported(named)).consent).toMatchObject({ given: { version: '2' }, text: second });
    expect((await exported(plain)).consent).toMatchObject({ given: { version: '2', accepted: true }, text: second });
    // The default text, and a version that this chat never had.
    expect((await exported(before)).consent).toMatchObject({ given: { version: '1' }, text: { version: '1' } });
    expect((await exported(foreign)).consent).toMatchObject({ given: { version: 'of-the-site' }, text: null });
    expect((await exported(none)).consent).toBeNull();
    const shown = async ({ id }: { id: number }) =>
      (await chat.call('GET', `/chat/session/${id}`, { token: anna })).as(staffSessionSchema).consent;
    expect(await shown(named)).toMatchObject({ given: { version: '2' }, text: second });
    expect(JSON.stringify(await exported(named))).not.toContain('"words"');
    expect([await shown(none), await shown(no)]).toEqual([null, null]);
    const list = await chat.call('GET', '/chat/sessions', { token: anna });
    expect(list.text).not.toContain('"consent"');
    // An erasure keeps the proof.
    await chat.call('POST', `/chat/session/${named.id}/erase`, { token: admin, body: {} });
    expect((await exported(named)).consent).toMatchObject({ text: second });
  });

  it('[CNS1] [CNS3] so is that of a callback request, with a chat or without', async () => {
    await save(words('4', 'Четвёртый текст'));
    const one = await begin(null);
    const request = async (body: object, token?: string) => {
      const answer = await chat.call('POST', '/chat/callback', { token, body: { phone: '+79161234567', ...body } });
      return answer.as(customerCallbackResponseSchema).callback.id;
    };
    const own = await request({ consent: true, session_id: one.id }, one.token);
    const free = await request({ consent: { version: '4', accepted: true } });
    await save(words('4-later', 'Другой текст'));
    const fourth = { given: { version: '4' }, text: { text: 'Четвёртый текст' } };
    expect((await exported(one)).callbacks).toMatchObject([{ consent: fourth }]);
    const proof = (id: number, token: string) => chat.call('GET', `/chat/callbacks/${id}/consent`, { token });
    for (const id of [own, free])
      expect((await proof(id, anna)).as(consentProofResponseSchema).consent).toMatchObject(fourth);
    const boris = await chat.staff('boris', { scope: 'own' });
    for (const id of [own, 999_999]) expect((await proof(id, boris)).code).toBe('not_found');
    expect((await chat.call('GET', `/chat/callbacks/${own}/consent`)).status).toBe(401);
  });

  it('[CNS1] texts that a widget shows instead are kept too, each unchanged', async () => {
    const texts = (english: string) =>
      chat.call('PATCH', '/chat/settings', {
        token: admin,
        body: { texts: { 'consent.en': english, greeting: 'Hi' } },
      });
    await save(words('7', 'Седьмой текст'));
    await texts('I agree to all of it');
    const first = await begin({ version: '7', accepted: true });
    await texts('I agree to some of it');
    const later = await begin({ version: '7', accepted: true });
    await texts('I agree to all of it');
    const shown = async (session: { id: number }) => (await exported(session)).consent?.text?.texts;
    expect(await shown(first)).toEqual({ 'consent.en': 'I agree to all of it' });
    expect(await shown(later)).toEqual({ 'consent.en': 'I agree to some of it' });
    await chat.call('PATCH', '/chat/settings', { token: admin, body: { texts: null } });
  });

  it('[CNS2] the text of a version does not change', async () => {
    expect((await save(words('5', 'Пятый текст'))).status).toBe(200);
    const refused = await save(words('5', 'Другой текст'));
    expect([refused.status, refused.code]).toEqual([422, 'validation_failed']);
    expect(refused.text).toContain('"path":"consent.version"');
    expect((await save({ ...words('5', 'Пятый текст'), url: null })).status).toBe(422);
    const both = await Promise.all([save(words('both', 'Один')), save(words('both', 'Другой'))]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 422]);
    // The same version again, another one, and back to the previous one.
    for (const consent of [words('5', 'Пятый текст'), words('6', 'Другой текст'), words('5', 'Пятый текст'), null])
      expect((await save(consent)).status).toBe(200);
  });
});
