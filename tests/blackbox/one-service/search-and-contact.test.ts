import { randomUUID } from 'node:crypto';
import { staffSessionSchema } from '@chat-realtime/protocol';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';

const chat = await useChat('main');
const digits = (count: number): string =>
  Array.from({ length: count }, () => String(Math.floor(Math.random() * 10))).join('');

const seen = async (id: number) =>
  (await (await chat.staff('anna')).request('GET', `/chat/session/${id}`)).as(staffSessionSchema);

describe('search', () => {
  const found = async (q: string): Promise<number[]> =>
    (await (await chat.staff('anna')).sessions({ q })).sessions.map((session) => session.id);

  test('[INB8] finds a phone number, however number and search are formatted', async () => {
    const number = `9${digits(9)}`;
    const [code, first, second, third] = [number.slice(0, 3), number.slice(3, 6), number.slice(6, 8), number.slice(8)];
    const written = await chat.customer({ name: 'С пробелами', phone: `8 (${code}) ${first}-${second}-${third}` });
    const plain = await chat.customer({ name: 'Без', phone: `+7${number}` });
    const both = [written.sessionId, plain.sessionId].toSorted();
    for (const q of [
      ...[
        number,
        `+7${number}`,
        `8${number}`,
        `+7 ${code} ${first}-${second}-${third}`,
        `(${code}) ${first} ${second}`,
      ],
      ...[`007${number}`, `${first}-${second}-${third}`],
    ]) {
      expect((await found(q)).toSorted(), q).toEqual(both);
    }
    expect(await found('()- +')).toEqual([]);
  });

  test('[INB8] finds the chat of a callback request by the number of the request', async () => {
    const one = await chat.customer({ name: 'Перезвоните' });
    const number = `916${digits(7)}`;
    const json = { phone: `8${number}`, session_id: one.sessionId, consent: true };
    const answer = await chat.http.request('POST', '/chat/callback', { token: one.token, json });
    expect(answer.status).toBe(201);
    expect(await found(`${number.slice(0, 3)} ${number.slice(3)}`)).toEqual([one.sessionId]);
  });

  test('[INB8] treats ё and е as one letter, in texts and in names', async () => {
    const mark = randomUUID().slice(0, 8);
    const one = await chat.customer({ name: `Пётр ${mark}` });
    await one.post(`Пришлите счёт ${mark}`);
    for (const q of [`счет ${mark}`, `СЧЁТ ${mark}`, `петр ${mark}`, `ПЁТР ${mark}`])
      expect(await found(q), q).toEqual([one.sessionId]);
  });

  test('[INB9] shows the newest matching message with its context', async () => {
    const anna = await chat.staff('anna');
    const mark = randomUUID().slice(0, 8);
    const one = await chat.customer({ name: `Имя ${mark}` });
    await one.post(`старое ${mark}`);
    const hit = await one.post(`${'начало '.repeat(300)}нашлось Ёлка ${mark.toUpperCase()}${' конец'.repeat(300)}`);
    await one.post('последнее, без него');
    const [row] = (await anna.sessions({ q: `елка ${mark}` })).sessions;
    expect(row?.hit?.id).toBe(hit.id);
    expect(row?.hit?.text).toContain(`Ёлка ${mark.toUpperCase()}`);
    expect(row?.hit?.text.length).toBeLessThanOrEqual(241);
    expect((await anna.sessions({ q: `Имя ${mark}` })).sessions[0]?.hit).toBeNull();
    expect((await anna.sessions({ limit: 1 })).sessions[0]?.hit).toBeUndefined();
  });
});

describe('the contact of a customer', () => {
  test('[CON1] is changed by operators field by field; an absent field stays, null removes it', async () => {
    const anna = await chat.staff('anna');
    const one = await chat.customer({ name: 'Было', email: 'was@example.com', phone: '+79161234567' });
    const path = `/chat/session/${one.sessionId}/contact`;
    const change = (json: unknown) => anna.request('PATCH', path, { json });
    expect((await change({ name: ' Стало ' })).status).toBe(200);
    expect((await seen(one.sessionId)).contact).toEqual({
      ...{ name: 'Стало', email: 'was@example.com', phone: '+79161234567' },
    });
    expect((await change({ email: null, phone: '' })).status).toBe(200);
    expect((await seen(one.sessionId)).contact).toEqual({ name: 'Стало', email: null, phone: null });
    expectError(await change({ name: 'Нет', email: 'kein at' }), 'validation_failed');
    expect((await seen(one.sessionId)).contact.name).toBe('Стало');
    expect((await seen(one.sessionId)).last_seq).toBe((await one.session()).last_seq);
  });

  test('[CON1] is not accessible to customers', async () => {
    const one = await chat.customer({ name: 'Чужой' });
    const path = `/chat/session/${one.sessionId}/contact`;
    const json = { name: 'Другой' };
    expect((await chat.http.request('PATCH', path, { token: one.token, json })).status).toBe(401);
    expect((await chat.http.request('PATCH', path, { json })).status).toBe(401);
    expect((await seen(one.sessionId)).contact.name).toBe('Чужой');
  });

  test('[CON2] shows the page the customer is on now beside the one where the chat began', async () => {
    const one = await chat.customer({ name: 'Идёт дальше', page_url: 'https://shop.example/' });
    const say = (token: string, page_url: string) =>
      chat.http.request('POST', `/chat/session/${one.sessionId}/page`, { token, json: { page_url } });
    expect((await seen(one.sessionId)).current_page_url).toBeNull();
    expect((await say(one.token, 'https://shop.example/cart')).status).toBe(204);
    expect(await seen(one.sessionId)).toMatchObject({
      page_url: 'https://shop.example/',
      current_page_url: 'https://shop.example/cart',
    });
    expectError(await say(one.token, 'javascript:alert(1)'), 'validation_failed');
    const other = await chat.customer({ name: 'Чужой' });
    expect((await say(other.token, 'https://evil.example/')).status).toBe(401);
    expect((await seen(one.sessionId)).current_page_url).toBe('https://shop.example/cart');
    expect(JSON.stringify(await one.session())).not.toContain('cart');
  });
});
