import type { Attachment } from '@chat-realtime/protocol';
import { attachmentResponseSchema, callbacksResponseSchema } from '@chat-realtime/protocol';
import { FakeBotApi, type FakePerson, HttpClient, type Staff, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStandalone, type StandaloneTarget } from '../support/standalone-target.ts';
import { TelegramDesk } from '../support/telegram-desk.ts';

const SECRET = 'secret-of-the-webhook-0001';
const OGG = Buffer.from(`OggS${'\0'.repeat(24)}OpusHead${'\0'.repeat(40)}`, 'latin1');
const PDF = Buffer.from('%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n');
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const WAIT = { timeoutMs: 20_000 };
const FILES = [
  ['photo', 'Чек.png', PNG],
  ['document', 'Счёт.pdf', PDF],
  ['voice', 'voice.ogg', OGG],
] as const;

let api: FakeBotApi;
let target: StandaloneTarget;
let http: HttpClient;
let desk: TelegramDesk;
let anna: Staff;

beforeAll(async () => {
  api = await FakeBotApi.start();
  target = await startStandalone({ profile: 'main', webhookUrl: '', siteOrigin: '' }, (baseUrl) => ({
    TELEGRAM_BOT_TOKEN: api.token,
    TELEGRAM_API_ROOT: api.url,
    TELEGRAM_MODE: 'webhook',
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    PUBLIC_URL: baseUrl,
  }));
  http = new HttpClient(target.baseUrl);
  desk = new TelegramDesk(http, api);
  anna = await desk.staff('anna');
  await desk.ready(anna);
  await until(() => api.webhook ?? undefined, { ...WAIT, what: 'setWebhook' });
}, 300_000);
afterAll(async () => {
  http?.close();
  await target?.stop();
  await api?.stop();
});

const rowOf = (name: string) =>
  until(
    async () =>
      (await anna.sessions({ sort: 'created', limit: 10 })).sessions.find(({ contact }) => contact.name === name),
    { ...WAIT, what: `the chat of ${name}` },
  );

async function bytesOf({ url = '' }: Attachment): Promise<Buffer> {
  const answer = await fetch(new URL(url, target.baseUrl));
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

async function uploaded(sessionId: number, name: string, content: Buffer): Promise<Attachment> {
  const answer = await anna.request('POST', `/chat/session/${sessionId}/attachments`, {
    raw: content,
    headers: { 'Content-Type': 'application/octet-stream', 'X-File-Name': encodeURIComponent(name) },
  });
  return answer.as(attachmentResponseSchema, 201);
}

const fileShownTo = (person: FakePerson, content: Buffer) =>
  until(() => person.shown.flatMap(({ files }) => files).find(({ bytes }) => Buffer.from(bytes).equals(content)), {
    ...WAIT,
    what: 'the file in Telegram',
  });

describe('the webhook', () => {
  it('[TG13] registers the webhook with its secret and one connection, and stops polling', () => {
    expect(api.webhook).toEqual({ url: `${target.baseUrl}/telegram/webhook`, secret: SECRET });
    expect(api.webhookConnections).toBe(1);
    expect(api.calls).not.toContain('getUpdates');
  });

  it('[TG13] carries a question from setWebhook to the reply in the chat, and refuses calls without the secret', async () => {
    const phone = desk.person('Вебхук');
    const forged = (secret: string | undefined) =>
      http.request('POST', '/telegram/webhook', {
        json: {
          update_id: 999_999,
          message: {
            ...{ message_id: 1, date: 1, chat: { id: phone.id, type: 'private' }, text: 'Подделка' },
            from: { id: phone.id, is_bot: false, first_name: 'Вебхук' },
          },
        },
        headers: secret === undefined ? {} : { 'X-Telegram-Bot-Api-Secret-Token': secret },
      });
    const answers = await Promise.all([undefined, '', 'wrong', `${SECRET}x`, SECRET.slice(1)].map(forged));
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);

    const { update_id: id } = phone.send('Где мой заказ?');
    const row = await rowOf('Вебхук');
    await anna.post(row.id, 'В пути');
    await desk.shows(phone, 'В пути');
    // Given again, as after an answer that was lost.
    api.redeliver(id);
    phone.send('Спасибо');
    await desk.inChat(anna, row.id, 'Спасибо');
    expect(api.timesGiven(id)).toBeGreaterThan(1);
    expect((await anna.messages(row.id)).messages.map(({ body }) => body)).toEqual([
      'Где мой заказ?',
      'В пути',
      'Спасибо',
    ]);
  });
});

describe('files', () => {
  it('[TG7] [TG8] pictures, documents and voice go from the customer in Telegram to the console, and back', async () => {
    const phone = desk.person('Файлы');
    phone.send('Начнём');
    const row = await rowOf('Файлы');
    for (const [kind, name, content] of FILES) {
      phone.sendFile(kind, { name, bytes: content }, { caption: `от клиента: ${kind}` });
      const [message] = await desk.inChat(anna, row.id, `от клиента: ${kind}`);
      const [file] = message?.attachments ?? [];
      if (file === undefined) throw new Error('no file');
      expect(await bytesOf(file)).toEqual(content);
      if (kind === 'document') expect(file.name).toBe(name);
    }
    for (const [kind, name, content] of FILES) {
      const before = phone.shown.length;
      const { id } = await uploaded(row.id, name, content);
      await anna.post(row.id, `из консоли: ${kind}`, { attachments: [id] });
      const shown = await until(
        () => phone.shown.slice(before).find(({ text }) => text.includes(`из консоли: ${kind}`)),
        { ...WAIT, what: kind },
      );
      expect(shown.files.map((file) => [file.kind, Buffer.from(file.bytes).equals(content)])).toEqual([[kind, true]]);
    }
  });

  it('[TG8] the same from the operator in Telegram to the page, and back', async () => {
    const phone = await desk.bound(anna);
    const customer = await desk.customer();
    await customer.post('С файлами');
    const relayed = await desk.shows(phone, 'С файлами');
    for (const [kind, name, content] of FILES) {
      phone.sendFile(kind, { name, bytes: content }, { replyTo: relayed, caption: `от оператора: ${kind}` });
      const message = await until(
        async () => (await customer.messages()).messages.find(({ body }) => body === `от оператора: ${kind}`),
        { ...WAIT, what: kind },
      );
      const [file] = message.attachments;
      if (file === undefined) throw new Error('no file');
      expect([message.sender_type, (await bytesOf(file)).equals(content)]).toEqual(['operator', true]);
    }
    for (const [kind, name, content] of FILES) {
      const own = Buffer.concat([content, Buffer.from(`\n${kind} of the page`)]);
      const { id } = await customer.uploaded(name, own);
      await customer.post(`со страницы: ${kind}`, { attachments: [id] });
      expect((await fileShownTo(phone, own)).kind).toBe(kind);
    }
  });

  it('[TG30] a file that Telegram no longer has, or that is too big, blocks nothing, and its sender is informed', async () => {
    const phone = desk.person('Тяжёлый');
    phone.send('Начнём');
    const row = await rowOf('Тяжёлый');
    api.faults.next('getFile', { kind: 'error', code: 404, description: 'Not Found' });
    phone.sendFile('document', { name: 'пропал.pdf', bytes: PDF });
    await desk.shows(phone, '«пропал.pdf» не принят');
    api.faults.next('getFile', { kind: 'error', code: 400, description: 'Bad Request: file is too big' });
    phone.sendFile('document', { name: 'большой.pdf', bytes: PDF }, { caption: 'текст к нему' });
    await desk.shows(phone, '«большой.pdf» не принят');
    await desk.inChat(anna, row.id, 'текст к нему');
    phone.sendFile('document', { name: 'огромный.pdf', bytes: Buffer.alloc(11_000_000) });
    await desk.shows(phone, '«огромный.pdf» больше 10 МБ');
    phone.send('Дальше');
    await desk.inChat(anna, row.id, 'Дальше');
  });
});

describe('buttons', () => {
  it('[TG8] take, note, close, reopen and close again; lists of chats, duty and help', async () => {
    const phone = await desk.bound(anna);
    const customer = await desk.customer();
    await customer.post('Все кнопки');
    const relayed = await desk.shows(phone, 'Все кнопки');
    const becomes = (status: string) =>
      until(async () => (await customer.session()).status === status, { ...WAIT, what: status });
    const toast = (text: string) => until(() => api.toasts.some((one) => one.text === text), { ...WAIT, what: text });

    phone.press(relayed, 'Взять');
    await becomes('active');
    await toast('Чат ваш');
    expect((await customer.session()).assigned_user_id).toBe(anna.userId);
    phone.press(relayed, 'Заметка');
    const prompt = await desk.shows(phone, `Заметка к чату ${customer.sessionId}`);
    const note = phone.send('Проверить склад', { replyTo: prompt });
    await desk.shows(phone, 'Заметка записана');
    phone.edit(note.message_id, 'Склад пуст');
    await desk.shows(phone, 'исправленный текст записан новой заметкой');
    expect((await anna.notes(customer.sessionId)).map(({ body }) => body).toSorted()).toEqual([
      'Проверить склад',
      '✎ Склад пуст',
    ]);

    const answer = phone.send('Два дня', { replyTo: relayed });
    await desk.inChat(anna, customer.sessionId, 'Два дня');
    phone.edit(answer.message_id, 'Три дня');
    await desk.inChat(anna, customer.sessionId, '✎ Три дня');
    await desk.shows(phone, 'исправленный текст ушёл новым сообщением');

    phone.press(relayed, 'Закрыть');
    await becomes('closed');
    const closed = await desk.shows(phone, `Чат ${customer.sessionId} · закрыт`);
    phone.press(closed, 'Открыть снова');
    await becomes('active');
    await toast('Чат открыт');

    phone.send('/mine');
    await desk.shows(
      phone,
      ({ text, buttons }) => text.includes(`Чат ${customer.sessionId}`) && /Три дня/.test(text) && buttons.length > 0,
    );
    phone.send('/help');
    await desk.shows(phone, '/callbacks — заявки на звонок');
    phone.send('/status');
    const duty = await desk.shows(phone, 'Вы на дежурстве: ');
    phone.press(duty, 'Отошёл');
    await until(async () => (await anna.operators()).find(({ id }) => id === anna.userId)?.status === 'away', {
      ...WAIT,
      what: 'away',
    });
    phone.press(duty, 'На связи');
    await until(async () => (await anna.operators()).find(({ id }) => id === anna.userId)?.status === 'online', {
      ...WAIT,
      what: 'online',
    });
  });

  it('[TG31] buttons take a callback request through taken, calling and done; a colleague is refused until it is assigned to them', async () => {
    const boris = await desk.staff('boris');
    const [annasPhone, borisPhone] = [await desk.bound(anna), await desk.bound(boris)];
    const request = async (name: string): Promise<number> => {
      const json = { phone: '+7 900 123-45-67', name, consent: true };
      expect((await http.post('/chat/callback', { json })).status).toBe(201);
      const { callbacks } = (await anna.request('GET', '/chat/callbacks')).as(callbacksResponseSchema);
      return callbacks.find((one) => one.name === name)?.id ?? expect.fail(`no request of ${name}`);
    };
    const shows = (phone: FakePerson, name: string, button: string) =>
      desk.shows(phone, ({ text, buttons }) => text.includes(name) && buttons.some((one) => one.text === button));
    const becomes = (id: number, status: string) =>
      until(
        async () => {
          const { callbacks } = (await anna.request('GET', '/chat/callbacks')).as(callbacksResponseSchema);
          return callbacks.find((one) => one.id === id)?.status === status;
        },
        { ...WAIT, what: status },
      );
    const toast = (text: string) => until(() => api.toasts.some((one) => one.text === text), { ...WAIT, what: text });

    const first = await request('Олег');
    const [offered, offeredToBoris] = [
      await shows(annasPhone, 'Олег', 'Беру'),
      await shows(borisPhone, 'Олег', 'Беру'),
    ];
    annasPhone.press(offered, 'Беру');
    await becomes(first, 'assigned');
    borisPhone.press(offeredToBoris, 'Беру');
    await toast('Заявка уже у другого оператора.');
    annasPhone.press(await shows(annasPhone, 'Олег', 'Звоню'), 'Звоню');
    await becomes(first, 'calling');
    annasPhone.press(await shows(annasPhone, 'Олег', 'Сделано'), 'Сделано');
    await becomes(first, 'done');
    // Whoever took it was not told that it is theirs.
    expect(annasPhone.shown.filter(({ text }) => text.includes('передана вам'))).toEqual([]);

    const second = await request('Пётр');
    const given = await anna.request('PATCH', `/chat/callbacks/${second}`, {
      json: { assigned_user_id: boris.userId },
    });
    expect(given.status).toBe(200);
    const told = await desk.shows(borisPhone, ({ text }) => text.includes('Пётр') && text.includes('передана вам'));
    borisPhone.press(told, 'Звоню');
    await becomes(second, 'calling');
  });
});
