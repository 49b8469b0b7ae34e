import { FakeBotApi, type FakeForum, HttpClient, type ShownMessage, type Staff, until } from '@chat-realtime/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStandalone, type StandaloneTarget } from '../support/standalone-target.ts';
import { TelegramDesk } from '../support/telegram-desk.ts';

const GROUP = -1_001_234_567;
const WAIT_MS = 20_000;

let api: FakeBotApi;
let forum: FakeForum;
let target: StandaloneTarget;
let http: HttpClient;
let desk: TelegramDesk;
let anna: Staff;
let boris: Staff;

beforeAll(async () => {
  api = await FakeBotApi.start();
  forum = api.forums.open(GROUP);
  target = await startStandalone(
    { profile: 'main', webhookUrl: '', siteOrigin: '' },
    {
      TELEGRAM_BOT_TOKEN: api.token,
      TELEGRAM_API_ROOT: api.url,
      TELEGRAM_STAFF_GROUP_ID: String(GROUP),
    },
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

const inGroup = (text: string): ShownMessage[] => api.shownTo(GROUP).filter((message) => message.text.includes(text));
const appears = (text: string): Promise<ShownMessage> =>
  until(() => inGroup(text)[0], { timeoutMs: WAIT_MS, what: `${text} in the group` });

it('[TG17] a linked operator replies from the topic in their own name; an unlinked member gets a hint, and nothing is sent', async () => {
  const phone = await desk.bound(anna);
  const stranger = desk.person('Стажёр');
  const customer = await desk.customer();
  await customer.post('Работаете в воскресенье?');
  const relayed = await appears('Работаете в воскресенье?');
  const inTopic = { group: GROUP, thread: relayed.thread_id };
  stranger.send('Нет, конечно', { replyTo: relayed, ...inTopic });
  const notice = await appears('не привязан к оператору');
  expect(notice.thread_id).toBe(relayed.thread_id);
  phone.send('Кто сегодня дежурит?', inTopic);
  phone.send('Да, с десяти', { replyTo: relayed, ...inTopic });
  const [answer] = await desk.inChat(anna, customer.sessionId, 'Да, с десяти');
  expect(answer).toMatchObject({ sender_type: 'operator', sender_id: anna.userId });
  expect((await customer.session()).assigned_user_id).toBe(anna.userId);
  await until(() => forum.topics[0]?.name.includes('anna') || forum.topics[0]?.name.includes('Анна'), {
    timeoutMs: WAIT_MS,
    what: 'the topic says whose the chat is',
  });
  expect((await anna.messages(customer.sessionId)).messages).toHaveLength(2);
  // It stands in the topic as Anna wrote it, and is not told there again.
  expect(inGroup('Да, с десяти')).toEqual([]);
});

it('[TG17] a reply in a topic is accepted before the bot has received the id of its message', async () => {
  const phone = await desk.bound(anna);
  const customer = await desk.customer();
  const usual = api.faults.next('sendMessage', { kind: 'late', ms: 1_500 }, 9);
  await customer.post('Есть кто-нибудь?');
  const relayed = await appears('Есть кто-нибудь?');
  phone.send('Есть, сразу', { replyTo: relayed, group: GROUP, thread: relayed.thread_id });
  await desk.inChat(anna, customer.sessionId, 'Есть, сразу');
  usual();
});

it('[TG17] [TG10] the topic shows that a reply came too late; a button acts for the operator who presses it', async () => {
  const phone = await desk.bound(anna);
  const customer = await desk.customer();
  await customer.post('Кто возьмёт?');
  const relayed = await appears('Кто возьмёт?');
  const lift = api.faults.next('sendMessage', { kind: 'error', code: 429, parameters: { retry_after: 2 } }, 100);
  await boris.post(customer.sessionId, 'Я возьму');
  phone.send('Нет, я', { replyTo: relayed, group: GROUP, thread: relayed.thread_id });
  await until(async () => api.pending === 0, { timeoutMs: WAIT_MS, what: 'the update is taken' });
  lift();
  const notice = await appears('пока вы писали');
  expect(notice.thread_id).toBe(relayed.thread_id);
  expect((await anna.messages(customer.sessionId)).messages.map(({ body }) => body)).toEqual([
    'Кто возьмёт?',
    'Я возьму',
  ]);
  await appears('Я возьму');
  phone.press(relayed, 'Закрыть');
  const topic = await until(() => forum.topic(relayed.thread_id ?? 0), { timeoutMs: WAIT_MS, what: 'the topic' });
  await until(() => topic.closed, { timeoutMs: WAIT_MS, what: 'the topic is closed with its chat' });
  expect((await customer.session()).status).toBe('closed');
});

it('[TG18] a group that does not answer keeps nobody waiting in their own chat', async () => {
  const phone = await desk.bound(anna);
  const customer = await desk.customer();
  api.faults.next('createForumTopic', { kind: 'silent', done: false });
  await customer.post('Срочно');
  const begun = performance.now();
  await desk.shows(phone, 'Срочно');
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(inGroup('Срочно')).toEqual([]);
});
