import { FakeBotApi, HttpClient, type Staff, sleep, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStandalone, type StandaloneTarget } from '../support/standalone-target.ts';
import { TelegramDesk } from '../support/telegram-desk.ts';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let api: FakeBotApi;
let target: StandaloneTarget;
let http: HttpClient;
let desk: TelegramDesk;
let anna: Staff;
let boris: Staff;

beforeAll(async () => {
  api = await FakeBotApi.start();
  target = await startStandalone(
    { profile: 'main', webhookUrl: '', siteOrigin: '' },
    { TELEGRAM_BOT_TOKEN: api.token, TELEGRAM_API_ROOT: api.url, LOG_LEVEL: 'debug' },
  );
  http = new HttpClient(target.baseUrl);
  desk = new TelegramDesk(http, api);
  [anna, boris] = await Promise.all([desk.staff('anna'), desk.staff('boris')]);
  await desk.ready(anna);
});
afterAll(async () => {
  http?.close();
  await target?.stop();
  await api?.stop();
});

const shownOnce = (person: { shown: readonly { text: string }[] }, text: string): number =>
  person.shown.filter((message) => message.text.includes(text)).length;

describe('an operator in Telegram', () => {
  it('[TG3] [TG8] signs in with a code from the console, gets an unassigned chat, and answers by replying', async () => {
    const phone = await desk.bound(anna);
    expect((await desk.binding(anna)).account).toMatchObject({ telegram_user_id: phone.id, on_duty: true });
    const customer = await desk.customer();
    await customer.post('Есть ли доставка в Казань?');
    const relayed = await desk.shows(phone, 'доставка в Казань');
    expect(relayed.buttons.map(({ text }) => text)).toEqual(['Взять', 'Закрыть', 'Заметка']);
    phone.send('Да, два дня.', { replyTo: relayed });
    const [answer] = await desk.inChat(anna, customer.sessionId, 'Да, два дня.');
    expect(answer).toMatchObject({ sender_type: 'operator', sender_id: anna.userId });
    expect((await customer.session()).assigned_user_id).toBe(anna.userId);
    await until(async () => (await anna.row(customer.sessionId)).unread_count === 0, {
      timeoutMs: 5_000,
      what: 'the chat is read',
    });
  });

  it('[TG9] counts as connected while on duty, and no longer when they end it', async () => {
    const phone = await desk.bound(boris);
    const presence = async () => (await anna.operators()).find(({ id }) => id === boris.userId)?.presence;
    await until(async () => (await presence()) === 'online', { timeoutMs: 15_000, what: 'boris is online' });
    phone.send('/status off');
    await desk.shows(phone, 'не дежурите');
    await until(async () => (await presence()) === 'offline', { timeoutMs: 15_000, what: 'boris is offline' });
    const customer = await desk.customer();
    await customer.post('Пока Борис отдыхает');
    await sleep(1_500);
    expect(shownOnce(phone, 'Пока Борис отдыхает')).toBe(0);
    phone.send('/status on');
    await until(async () => (await presence()) === 'online', { timeoutMs: 15_000, what: 'boris is online again' });
  });

  it('[TG10] is shown that a colleague was faster, and the text is not sent', async () => {
    const [annasPhone, borisPhone] = [await desk.bound(anna), await desk.bound(boris)];
    const customer = await desk.customer();
    await customer.post('Кто первый?');
    const [toAnna, toBoris] = await Promise.all([
      desk.shows(annasPhone, 'Кто первый?'),
      desk.shows(borisPhone, 'Кто первый?'),
    ]);
    annasPhone.send('Анна первая', { replyTo: toAnna });
    await desk.inChat(anna, customer.sessionId, 'Анна первая');
    borisPhone.send('Борис второй', { replyTo: toBoris });
    await desk.shows(borisPhone, 'Не отправлено');
    const { messages } = await anna.messages(customer.sessionId);
    expect(messages.map(({ body }) => body)).toEqual(['Кто первый?', 'Анна первая']);
  });

  it('[TG8] may reply before the bot has received the id of its message', async () => {
    const phone = await desk.bound(anna);
    const customer = await desk.customer();
    const usual = api.faults.next('sendMessage', { kind: 'late', ms: 1_500 }, 9);
    await customer.post('Вы здесь?');
    const relayed = await desk.shows(phone, 'Вы здесь?');
    phone.send('Здесь, сразу', { replyTo: relayed });
    await desk.inChat(anna, customer.sessionId, 'Здесь, сразу');
    usual();
  });

  it('[TG8] takes, notes, closes and reopens with buttons', async () => {
    const phone = await desk.bound(anna);
    const customer = await desk.customer();
    await customer.post('Кнопки');
    const relayed = await desk.shows(phone, 'Кнопки');
    const becomes = (status: string) =>
      until(async () => (await customer.session()).status === status, { timeoutMs: 10_000, what: status });
    phone.press(relayed, 'Взять');
    await becomes('active');
    phone.press(relayed, 'Заметка');
    const prompt = await desk.shows(phone, `Заметка к чату ${customer.sessionId}`);
    phone.send('Проверить склад', { replyTo: prompt });
    await desk.shows(phone, 'Заметка записана');
    expect((await anna.notes(customer.sessionId)).map(({ body }) => body)).toEqual(['Проверить склад']);
    phone.press(relayed, 'Закрыть');
    await becomes('closed');
    await until(() => api.toasts.some(({ text }) => text === 'Чат закрыт'), { timeoutMs: 10_000, what: 'a toast' });
    phone.press(await desk.shows(phone, `Чат ${customer.sessionId} · закрыт`), 'Открыть снова');
    await becomes('active');
  });

  it('[TG8] sends pictures both ways, and an album as one message', async () => {
    const phone = await desk.bound(anna);
    const customer = await desk.customer();
    const file = await customer.uploaded('Чек.png', PNG);
    await customer.post('Мой чек', { attachments: [file.id] });
    const relayed = await desk.shows(phone, 'Мой чек');
    expect(relayed.files.map(({ kind, bytes }) => [kind, Buffer.from(bytes).equals(PNG)])).toEqual([['photo', true]]);
    const picture = { name: 'x.png', bytes: PNG };
    phone.sendFile('photo', picture, { replyTo: relayed, album: 'a1', caption: 'Вот фото' });
    phone.sendFile('photo', picture, { replyTo: relayed, album: 'a1' });
    const [message] = await desk.inChat(anna, customer.sessionId, 'Вот фото');
    expect(message?.attachments).toHaveLength(2);
  });

  it('[TG5] nobody else gets a text or can answer, not even in a group', async () => {
    const phone = await desk.bound(anna);
    const stranger = desk.person('Чужой');
    const customer = await desk.customer();
    await customer.post('Секрет');
    const relayed = await desk.shows(phone, 'Секрет');
    phone.send('Из группы', { replyTo: relayed, group: -100_500 });
    phone.send('Ответ в никуда');
    await desk.shows(phone, 'Кому это?');
    await anna.request('DELETE', '/chat/operators/me/telegram');
    phone.send('Я ещё здесь?', { replyTo: relayed });
    await customer.post('Ещё секрет');
    await sleep(1_500);
    expect([shownOnce(phone, 'Ещё секрет'), stranger.shown.length]).toEqual([0, 0]);
    expect((await anna.messages(customer.sessionId)).messages.map(({ body }) => body)).toEqual([
      'Секрет',
      'Ещё секрет',
    ]);
  });
});

describe('a customer in Telegram', () => {
  it('[TG7] [TG11] talks with the console, each message once on both sides, long ones in parts', async () => {
    const phone = desk.person('Иван Петров');
    phone.send('Где мой заказ?');
    const row = await until(
      async () =>
        (await anna.sessions({ sort: 'created', limit: 5 })).sessions.find(
          ({ contact }) => contact.name === 'Иван Петров',
        ),
      { timeoutMs: 15_000, what: 'the chat of Иван' },
    );
    const long = `${'Первый абзац. '.repeat(200)}\n\n${'Второй абзац. '.repeat(200)}`;
    await anna.post(row.id, long);
    const parts = await until(
      () => {
        const found = phone.shown.filter(({ text }) => /абзац/.test(text));
        return found.length >= 2 ? found : undefined;
      },
      { timeoutMs: 15_000, what: 'both parts' },
    );
    expect(parts.every(({ text }) => text.length <= 4_096)).toBe(true);
    expect(parts.map(({ text }) => text).join('')).toContain(long);
    phone.send('Спасибо');
    await desk.inChat(anna, row.id, 'Спасибо');
    await until(async () => (await anna.row(row.id)).client_last_seen_id > 0, { timeoutMs: 10_000, what: 'delivered' });
    expect(shownOnce(phone, 'Спасибо')).toBe(0);
  });

  it('[TG6] continues the page’s chat with its link, and both sides have one conversation', async () => {
    const customer = await desk.customer();
    await customer.post('Начал на сайте');
    await anna.post(customer.sessionId, 'Пропущенный ответ');
    const phone = desk.person('Мария');
    phone.send(`/start ${await desk.link(customer)}`);
    await desk.shows(phone, 'Чат с сайта продолжается здесь');
    await desk.shows(phone, 'Пропущенный ответ');
    phone.send('Теперь из Telegram');
    await desk.inChat(anna, customer.sessionId, 'Теперь из Telegram');
    await customer.post('И снова с сайта');
    await desk.shows(phone, 'Вы на сайте');
    await anna.post(customer.sessionId, 'Вижу оба');
    await desk.shows(phone, 'Вижу оба');
    expect((await customer.messages()).messages.map(({ body }) => body)).toEqual([
      'Начал на сайте',
      'Пропущенный ответ',
      'Теперь из Telegram',
      'И снова с сайта',
      'Вижу оба',
    ]);
    for (const text of ['Пропущенный ответ', 'И снова с сайта', 'Вижу оба']) expect(shownOnce(phone, text)).toBe(1);
  });

  it('[TG11] names and texts are never read as markup', async () => {
    const phone = await desk.bound(anna);
    const customer = desk.person('<b>Хакер</b> *_`');
    customer.send('<a href="https://evil.example">жми</a> _*`[');
    const relayed = await desk.shows(phone, 'evil.example');
    expect(relayed.text).toContain('<b>Хакер</b> *_`');
    expect(relayed.text).toContain('<a href="https://evil.example">жми</a> _*`[');
    expect(relayed.entities.map(({ type }) => type)).toEqual(['bold']);
  });
});

describe('faults of Telegram', () => {
  it('[TG12] 429, 5xx and lost connections: nothing is lost, duplicated or reordered', async () => {
    const phone = await desk.bound(anna);
    const customer = await desk.customer();
    api.faults.next('sendMessage', { kind: 'error', code: 429, parameters: { retry_after: 1 } });
    api.faults.next('sendMessage', { kind: 'error', code: 502 });
    api.faults.next('sendMessage', { kind: 'dropped' });
    for (let n = 1; n <= 5; n += 1) await customer.post(`шаг ${n}`);
    await desk.shows(phone, 'шаг 5');
    const steps = phone.shown.flatMap(({ text }) => /шаг \d/.exec(text) ?? []);
    expect(steps).toEqual(['шаг 1', 'шаг 2', 'шаг 3', 'шаг 4', 'шаг 5']);
  });

  it('[TG12] a lost answer is counted, and the text may appear twice', async () => {
    const phone = await desk.bound(anna);
    const customer = await desk.customer();
    // Another operator on duty must not meet with the fault in their place.
    await anna.act(customer.sessionId, 'assign');
    api.faults.next('sendMessage', { kind: 'lost' });
    await customer.post('Двойник');
    await until(() => shownOnce(phone, 'Двойник') === 2, { timeoutMs: 15_000, what: 'the second one' });
    const metrics = await http.get('/metrics', {
      headers: { authorization: 'Bearer metrics-token-of-the-blackbox-suite' },
    });
    const count = /chat_telegram_ambiguous_sends_total\{cause="no_answer"\} (\d+)/.exec(metrics.text)?.[1];
    expect(Number(count)).toBeGreaterThanOrEqual(1);
  });

  it('[TG13] an update that comes twice is one message, also when the bot is killed in between', async () => {
    const phone = desk.person('Повтор');
    const { update_id: id } = phone.send('Только раз');
    const row = await until(
      async () =>
        (await anna.sessions({ sort: 'created', limit: 5 })).sessions.find(({ contact }) => contact.name === 'Повтор'),
      { timeoutMs: 15_000, what: 'the chat' },
    );
    await desk.inChat(anna, row.id, 'Только раз');
    phone.send('Во время падения');
    await target.killGateways();
    api.redeliver(id);
    await desk.inChat(anna, row.id, 'Во время падения');
    // Whatever comes after it shows that it was looked at.
    phone.send('Следом');
    await desk.inChat(anna, row.id, 'Следом');
    expect(api.timesGiven(id)).toBeGreaterThan(1);
    expect((await anna.messages(row.id)).messages.map(({ body }) => body)).toEqual([
      'Только раз',
      'Во время падения',
      'Следом',
    ]);
  });

  it('[TG14] an account that has blocked the bot is shown as such, and gets nothing until it returns', async () => {
    const phone = await desk.bound(boris);
    phone.block();
    await until(async () => (await desk.binding(boris)).account?.blocked_at !== null, {
      timeoutMs: 10_000,
      what: 'blocked',
    });
    phone.block(false);
    await until(async () => (await desk.binding(boris)).account?.blocked_at === null, {
      timeoutMs: 10_000,
      what: 'back',
    });
  });

  it('[TG15] no log line contains the token', () => {
    const secret = api.token.split(':')[1] ?? '';
    expect(target.logLines().length).toBeGreaterThan(10);
    expect(target.logLines().filter((line) => line.includes(secret))).toEqual([]);
  });
});
