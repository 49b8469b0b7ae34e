import {
  sessionListResponseSchema,
  staffSessionSchema,
  telegramActResponseSchema,
  telegramBindingResponseSchema,
  telegramCodeResponseSchema,
  telegramLinkResponseSchema,
  telegramRedeemResponseSchema,
  telegramWriteResponseSchema,
} from '@chat-realtime/protocol';
import { sql } from 'kysely';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest, INTERNAL_KEY } from '../../test/chat-under-test.ts';

let chat: ChatUnderTest;
let anna: string;
let boris: string;
beforeAll(async () => {
  chat = await ChatUnderTest.start();
  [anna, boris] = await Promise.all([chat.staff('anna'), chat.staff('boris', { scope: 'own' })]);
});
afterAll(() => chat.stop());

let lastAccount = 7_000_000_000;
/** Beyond 32 bits, as accounts are today. */
const newAccount = (): number => (lastAccount += 1);
const person = (id: number) => ({ id, username: `user${id}`, name: 'Ольга', locale: 'ru' });

const inner = (path: string, body: object) =>
  chat.call('POST', `/internal/telegram/${path}`, { token: INTERNAL_KEY, body });
const redeem = async (code: string, id: number) =>
  (await inner('redeem', { code, user: person(id) })).as(telegramRedeemResponseSchema);
const act = (id: number, action: object, requestId = randomUUID()) =>
  inner('act', { telegram_user_id: id, request_id: requestId, action });
const codeOf = async (token: string) =>
  (await chat.call('POST', '/chat/operators/me/telegram-code', { token })).as(telegramCodeResponseSchema);
const bindingOf = async (token: string) =>
  (await chat.call('GET', '/chat/operators/me/telegram', { token })).as(telegramBindingResponseSchema);
const bind = async (token: string): Promise<number> => {
  const id = newAccount();
  expect((await redeem((await codeOf(token)).code, id)).outcome).toBe('operator');
  return id;
};
const write = (id: number, body: string, clientMessageId: string = randomUUID()) =>
  inner('write', { kind: 'write', user: person(id), body, client_message_id: clientMessageId });
const written = async (id: number, body: string, clientMessageId?: string) =>
  (await write(id, body, clientMessageId)).as(telegramWriteResponseSchema);
const begin = async (): Promise<{ id: number; token: string }> => {
  const { session, token } = JSON.parse((await chat.call('POST', '/chat/session', { body: {} })).text);
  return { id: session.id, token };
};
const linkOf = (session: { id: number; token: string }) =>
  chat.call('POST', `/chat/session/${session.id}/telegram-link`, { token: session.token, body: {} });
const startOf = (url: string): string => new URL(url).searchParams.get('start') ?? '';

describe('before a bot has introduced itself', () => {
  it('[TG1] [TG2] [TG6] a code has no address, and a link is 404', async () => {
    expect((await codeOf(anna)).url).toBeNull();
    expect(await bindingOf(anna)).toEqual({ bound: false, account: null, bot: null });
    expect((await linkOf(await begin())).code).toBe('not_found');
    expect((await inner('bot', { bot_id: 1, username: 'shop_bot' })).status).toBe(204);
    expect((await bindingOf(anna)).bot).toBe('shop_bot');
  });
});

describe("an operator's code", () => {
  it('[TG1] [TG2] [TG3] binds the account that sends it, once, however it is typed', async () => {
    const answer = await chat.call('POST', '/chat/operators/me/telegram-code', { token: anna });
    const { code, url, expires_at: expiresAt } = answer.as(telegramCodeResponseSchema);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(url).toBe(`https://t.me/shop_bot?start=login_${code}`);
    const lifetime = Date.parse(expiresAt) - Date.now();
    expect(lifetime).toBeGreaterThan(590_000);
    expect(lifetime).toBeLessThanOrEqual(600_500);
    const id = newAccount();
    const typed = ` ${code.slice(0, 5).toLowerCase()}-${code.slice(5)} `;
    expect(await redeem(typed, id)).toEqual({ outcome: 'operator', user_id: 'anna', name: 'anna' });
    expect(await redeem(code, newAccount())).toEqual({ outcome: 'unknown_code' });
    // A bot that was killed before it received the response asks again.
    expect(await redeem(code, id)).toEqual({ outcome: 'operator', user_id: 'anna', name: 'anna' });
    expect(await bindingOf(anna)).toMatchObject({
      bound: true,
      account: { telegram_user_id: id, username: `user${id}`, name: 'Ольга', on_duty: true, blocked_at: null },
    });
  });

  it('[TG1] ends when a newer one is made or its time is over, and only its hash is stored', async () => {
    const first = await codeOf(anna);
    const second = await codeOf(anna);
    expect(await redeem(first.code, newAccount())).toEqual({ outcome: 'unknown_code' });
    const stored = await chat.database.kysely.selectFrom('telegram_code').selectAll().execute();
    expect(JSON.stringify(stored)).not.toContain(second.code);
    await chat.database.kysely
      .updateTable('telegram_code')
      .set({ expires_at: new Date(Date.now() - 1) })
      .execute();
    expect(await redeem(second.code, newAccount())).toEqual({ outcome: 'unknown_code' });
  });

  it('[TG3] binds one of two accounts that send it at once', async () => {
    const { code } = await codeOf(anna);
    const outcomes = await Promise.all([redeem(code, newAccount()), redeem(code, newAccount())]);
    expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(['operator', 'unknown_code']);
  });

  it('[TG3] replaces older bindings on both sides', async () => {
    const id = await bind(anna);
    const { code } = await codeOf(boris);
    await redeem(code, id);
    expect([(await bindingOf(anna)).bound, (await bindingOf(boris)).account?.telegram_user_id]).toEqual([false, id]);
    const other = await bind(boris);
    expect((await bindingOf(boris)).account?.telegram_user_id).toBe(other);
    expect((await act(id, { kind: 'duty' })).code).toBe('forbidden');
  });

  it('[TG3] is refused, even if right, after five wrong codes from an account', async () => {
    const id = newAccount();
    for (let n = 0; n < 5; n += 1) expect(await redeem(`WRONG${n}`, id)).toEqual({ outcome: 'unknown_code' });
    const { code } = await codeOf(anna);
    expect(await redeem(code, id)).toEqual({ outcome: 'too_many' });
    expect((await redeem(code, newAccount())).outcome).toBe('operator');
  });
});

describe('a binding', () => {
  it('[TG2] [TG4] is removed by its operator, together with any unused code', async () => {
    const id = await bind(anna);
    const { code } = await codeOf(anna);
    const remove = () => chat.call('DELETE', '/chat/operators/me/telegram', { token: anna });
    expect([(await remove()).status, (await remove()).status]).toEqual([204, 204]);
    expect((await bindingOf(anna)).bound).toBe(false);
    expect((await act(id, { kind: 'duty' })).code).toBe('forbidden');
    expect(await redeem(code, id)).toEqual({ outcome: 'unknown_code' });
  });

  it('[TG4] ends at once when all tokens of its operator are revoked', async () => {
    const id = await bind(await chat.staff('mallory'));
    await chat.operations.revokeStaff('staff', 'mallory');
    expect((await act(id, { kind: 'sessions', assigned: 'open' })).code).toBe('forbidden');
  });

  it('[TG4] [TG5] of an account of auth-service has its current role and scope, and ends with its deactivation', async () => {
    const row = { login: 'vera', name: 'Вера', role: 'operator', scope: 'own', password_hash: '$argon2id$-' } as const;
    await chat.database.kysely
      .insertInto('auth_operator')
      .values({ id: 'vera', ...row })
      .execute();
    const vera = await chat.staff('vera', { scope: 'all' });
    const id = await bind(vera);
    const { id: sessionId } = await begin();
    const note = { kind: 'note', session_id: sessionId, body: 'x' };
    expect((await act(id, note)).code).toBe('session_not_found');
    const set = (change: object) =>
      chat.database.kysely.updateTable('auth_operator').set(change).where('id', '=', 'vera').execute();
    await set({ scope: 'all' });
    expect((await act(id, note)).status).toBe(200);
    const { code } = await codeOf(vera);
    await set({ active: false });
    expect((await act(id, note)).code).toBe('forbidden');
    await set({ active: true });
    expect((await bindingOf(vera)).bound).toBe(false);
    expect(await redeem(code, id)).toEqual({ outcome: 'unknown_code' });
  });
});

describe('acting in Telegram', () => {
  it('[TG5] is attributed to the bound operator', async () => {
    const id = await bind(anna);
    const session = await begin();
    const clientMessageId = randomUUID();
    const post = { kind: 'post', session_id: session.id, body: 'Здравствуйте', client_message_id: clientMessageId };
    const first = (await act(id, post)).as(telegramActResponseSchema);
    expect(first).toMatchObject({ kind: 'posted', message: { sender_type: 'operator', sender_id: 'anna' } });
    expect((await act(id, post)).as(telegramActResponseSchema)).toEqual(first);
    await chat.stamp();
    const mine = (await act(id, { kind: 'sessions', assigned: 'me' })).as(telegramActResponseSchema);
    expect(mine).toMatchObject({ kind: 'sessions', sessions: [{ id: session.id, assigned_user_id: 'anna' }] });
    for (const kind of ['close', 'reopen', 'close'])
      expect((await act(id, { kind, session_id: session.id })).status).toBe(200);
    expect((await act(id, { ...post, client_message_id: randomUUID() })).code).toBe('session_closed');
  });

  it('[TG5] stops a reply if a colleague has written meanwhile', async () => {
    const id = await bind(anna);
    const session = await begin();
    await chat.operations.postMessage(
      { kind: 'staff', userId: 'petr', name: 'Пётр', role: 'operator', scope: 'all' },
      session.id,
      { body: 'Я отвечу', clientMessageId: randomUUID() },
    );
    const post = { kind: 'post', session_id: session.id, body: 'Нет, я', client_message_id: randomUUID() };
    expect((await act(id, { ...post, expected_seq: 1 })).code).toBe('stale');
  });

  it('[INT11] stores a note that was sent twice only once', async () => {
    const id = await bind(anna);
    const session = await begin();
    const request = randomUUID();
    const note = { kind: 'note', session_id: session.id, body: 'Перезвонить' };
    expect([(await act(id, note, request)).status, (await act(id, note, request)).status]).toEqual([200, 200]);
    const { notes } = JSON.parse((await chat.call('GET', `/chat/session/${session.id}/notes`, { token: anna })).text);
    expect(notes).toHaveLength(1);
  });
});

describe('a customer in Telegram', () => {
  it('[TG7] starts a chat like any other, and a repeat is the same message', async () => {
    const id = newAccount();
    const messageId = randomUUID();
    const first = await written(id, 'Где мой заказ?', messageId);
    const again = await written(id, 'Где мой заказ?', messageId);
    expect([first.created, again.created, again.message.id]).toEqual([true, false, first.message.id]);
    const next = await written(id, 'И ещё вопрос');
    expect(next.session_id).toBe(first.session_id);
    const seen = await chat.call('GET', `/chat/session/${first.session_id}`, { token: anna });
    expect(JSON.parse(seen.text)).toMatchObject({ status: 'new', contact: { name: 'Ольга' } });
  });

  it('[TG7] has one chat even if their first message came twice at once', async () => {
    const id = newAccount();
    const messageId = randomUUID();
    const both = await Promise.all([written(id, 'Раз', messageId), written(id, 'Раз', messageId)]);
    expect(new Set(both.map(({ session_id: session }) => session)).size).toBe(1);
  });

  it('[TG5] is not an operator', async () => {
    expect((await write(await bind(anna), 'text')).code).toBe('forbidden');
  });

  it('[TG25] becomes an operator with an operator’s code, and is no customer any more', async () => {
    const id = newAccount();
    const first = await written(id, 'Проверяю бота');
    await sql`INSERT INTO telegram_message (bot_id, chat_id, telegram_message_id, session_id)
      VALUES (1, ${id}::bigint, 5, ${first.session_id}::bigint)`.execute(chat.database.kysely);
    expect((await redeem((await codeOf(anna)).code, id)).outcome).toBe('operator');
    const left = await sql`SELECT 1 FROM customer_telegram WHERE telegram_user_id = ${id}::bigint
      UNION ALL SELECT 1 FROM telegram_message WHERE chat_id = ${id}::bigint`.execute(chat.database.kysely);
    expect(left.rows).toEqual([]);
  });

  it('[TG25] cannot be an account that replies as an operator: the link stays usable for another one', async () => {
    const session = await begin();
    const code = startOf((await linkOf(session)).as(telegramLinkResponseSchema).url);
    const id = await bind(anna);
    expect((await inner('redeem', { code, user: person(id) })).code).toBe('forbidden');
    expect((await bindingOf(anna)).account?.telegram_user_id).toBe(id);
    expect(await redeem(code, newAccount())).toMatchObject({ outcome: 'customer', session_id: session.id });
  });

  it('[TG6] continues a chat of the page by a link of one use, and is given what reached them nowhere', async () => {
    const session = await begin();
    const operator = { kind: 'staff', userId: 'anna', name: 'Анна', role: 'operator', scope: 'all' } as const;
    const say = async (body: string) =>
      (await chat.operations.postMessage(operator, session.id, { body, clientMessageId: randomUUID() })).message;
    const shown = await say('Это вы видели');
    await chat.operations.markRead({ kind: 'customer', sessionId: session.id }, session.id, shown.id);
    const missed = await say('А это нет');
    const answer = await linkOf(session);
    const { url } = answer.as(telegramLinkResponseSchema);
    expect(url).toMatch(/^https:\/\/t\.me\/shop_bot\?start=[A-Za-z0-9_-]{20,64}$/);
    const id = newAccount();
    const redeemed = await redeem(startOf(url), id);
    expect(redeemed).toMatchObject({ outcome: 'customer', session_id: session.id });
    expect(redeemed.outcome === 'customer' && redeemed.missed.map((message) => message.id)).toEqual([missed.id]);
    expect(await redeem(startOf(url), newAccount())).toEqual({ outcome: 'unknown_code' });
    // The feed delivers it when it comes: the link does not repeat it.
    await say('А это позже');
    // A bot that was killed before it received the response asks again.
    expect(await redeem(startOf(url), id)).toEqual(redeemed);
    expect((await written(id, 'Пишу из Telegram')).session_id).toBe(session.id);
  });

  it('[TG6] is given with the link what they missed, however much they have written since', async () => {
    const session = await begin();
    const operator = { kind: 'staff', userId: 'anna', name: 'Анна', role: 'operator', scope: 'all' } as const;
    const post = async (actor: Parameters<typeof chat.operations.postMessage>[0], body: string) =>
      (await chat.operations.postMessage(actor, session.id, { body, clientMessageId: randomUUID() })).message.id;
    const missed = await post(operator, 'Да, есть');
    for (let n = 0; n < 51; n += 1) await post({ kind: 'customer', sessionId: session.id }, `Вопрос ${n}`);
    const redeemed = await redeem(startOf((await linkOf(session)).as(telegramLinkResponseSchema).url), newAccount());
    expect(redeemed.outcome === 'customer' && redeemed.missed.map(({ id }) => id)).toEqual([missed]);
  });

  it('[TG6] is told that there is more only if they missed more than fifty replies', async () => {
    const session = await begin();
    const operator = { kind: 'staff', userId: 'anna', name: 'Анна', role: 'operator', scope: 'all' } as const;
    const ids: number[] = [];
    const answer = async (count: number) => {
      for (let n = 0; n < count; n += 1) {
        const posted = await chat.operations.postMessage(operator, session.id, {
          body: `Ответ ${n}`,
          clientMessageId: randomUUID(),
        });
        ids.push(posted.message.id);
      }
    };
    const link = async () => {
      const { url } = (await linkOf(session)).as(telegramLinkResponseSchema);
      const redeemed = await redeem(startOf(url), newAccount());
      if (redeemed.outcome !== 'customer') throw new Error(redeemed.outcome);
      return { ids: redeemed.missed.map(({ id }) => id), earlier: redeemed.missed_earlier ?? false };
    };
    await answer(50);
    expect(await link()).toEqual({ ids, earlier: false });
    await answer(1);
    expect(await link()).toEqual({ ids: ids.slice(1), earlier: true });
  });

  it('[TG14] is shown to operators as blocked while the bot may not write to them, in the chat and in the list', async () => {
    const session = await begin();
    const shown = async () => {
      await chat.stamp();
      const row = await chat.call('GET', `/chat/session/${session.id}`, { token: anna });
      const list = (await chat.call('GET', '/chat/sessions', { token: anna })).as(sessionListResponseSchema).sessions;
      const one = row.as(staffSessionSchema).telegram;
      expect(list.find(({ id }) => id === session.id)?.telegram).toEqual(one);
      return one;
    };
    const blocked = (id: number, is: boolean) => inner('blocked', { telegram_user_id: id, blocked: is });
    expect(await shown()).toBeNull();
    const id = newAccount();
    await redeem(startOf((await linkOf(session)).as(telegramLinkResponseSchema).url), id);
    expect(await shown()).toEqual({ blocked_at: null });
    const before = Date.now();
    await blocked(id, true);
    const since = (await shown())?.blocked_at ?? '';
    expect(Date.parse(since)).toBeGreaterThanOrEqual(before - 1_000);
    // Every refused text reports it again; the first time stays.
    await blocked(id, true);
    expect(await shown()).toEqual({ blocked_at: since });
    await blocked(newAccount(), false);
    expect(await shown()).toEqual({ blocked_at: since });
    const own = await chat.call('GET', `/chat/session/${session.id}`, { token: session.token });
    expect(JSON.parse(own.text)).not.toHaveProperty('telegram');
    await blocked(id, false);
    expect(await shown()).toEqual({ blocked_at: null });
  });

  it('[TG6] loses links and account when the session is revoked', async () => {
    const session = await begin();
    const link = async () => startOf((await linkOf(session)).as(telegramLinkResponseSchema).url);
    const id = newAccount();
    await redeem(await link(), id);
    const open = await link();
    expect((await chat.call('POST', `/chat/session/${session.id}/revoke`, { token: anna })).status).toBe(204);
    expect(await redeem(open, newAccount())).toEqual({ outcome: 'unknown_code' });
    expect((await written(id, 'Кто я теперь?')).session_id).not.toBe(session.id);
  });

  it('[INT11] sends a file together with its message', async () => {
    const id = newAccount();
    const messageId = randomUUID();
    const file = await chat.call(
      'POST',
      `/internal/telegram/upload?telegram_user_id=${id}&client_message_id=${messageId}`,
      {
        token: INTERNAL_KEY,
        raw: Buffer.from('hello'),
        headers: { 'content-type': 'application/octet-stream', 'x-file-name': '%D1%87%D0%B5%D0%BA.txt' },
      },
    );
    expect(file.status).toBe(201);
    const attachment = JSON.parse(file.text);
    const sent = await inner('write', {
      kind: 'write',
      user: person(id),
      body: '',
      client_message_id: messageId,
      attachments: [attachment.id],
    });
    expect(sent.as(telegramWriteResponseSchema).message.attachments).toMatchObject([{ name: 'чек.txt', size: 5 }]);
  });
});
