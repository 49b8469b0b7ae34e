export type Language = 'ru' | 'en';

/** The Russian texts are in the page itself, which is therefore complete before any script has run. */
export const ENGLISH: Readonly<Record<string, string>> = {
  title: 'Break it and count',
  lead: 'Customer, operator and a message’s real way between them: break it and watch the count.',
  pages: 'Other pages',
  shop: 'Shop',
  console: 'Console',
  customer: 'Customer',
  operator: 'Operator',
  customerFrame: 'The customer’s widget',
  operatorFrame: 'The operator’s console',
  bench: 'The path, the faults and the score',
  transportGroup: 'Customer’s line',
  messages: 'Send 100 messages',
  messagesMore: '80 replies, 20 questions',
  network: 'Cut the network',
  networkMore: 'for 6 seconds',
  drop: 'Lose an event',
  dropMore: 'on its way to the gateway',
  dispatcher: 'Stop the dispatcher',
  dispatcherMore: 'for 10 seconds',
  wipe: 'Wipe the queue',
  wipeMore: 'and the fan-out as well',
  score: 'Score of this chat’s messages',
  listener: 'Listener without a cursor',
  how: 'How this is counted',
  howMore:
    '“Stored” is the server’s history, read by REST. “Shown” are the messages that really stand on the page of the widget and of the console. The listener without a cursor subscribes to the same fan-out as the gateway and gets everything while it is connected, but it knows no numbers and never catches up. Lost is what was stored and not shown within 15 seconds, or after a newer one.',
};

export interface Words {
  readonly pageTitle: string;
  readonly other: string;
  readonly greeting: string;
  readonly rows: Readonly<Record<'stored' | 'shown' | 'lost' | 'doubled' | 'disordered' | 'ms', string>>;
  readonly msHint: string;
  readonly notOpen: string;
  readonly nodes: Readonly<Record<'chat' | 'queue' | 'dispatcher' | 'fanout' | 'gateway' | 'browser', string>>;
  readonly check: string;
  readonly cut: string;
  readonly wiped: string;
  readonly dropped: string;
  readonly backIn: (seconds: number) => string;
  readonly waiting: (count: number) => string;
  readonly picture: string;
  readonly allWell: string;
  readonly dispatcherDown: string;
  readonly networkDown: string;
  readonly carriers: Readonly<Record<'websocket' | 'sse' | 'poll' | 'rest' | 'none', string>>;
  readonly verdictBefore: string;
  readonly verdictUnderway: (count: number) => string;
  readonly verdictClean: (stored: number, listenerLost: number, listenerDoubled: number) => string;
  readonly verdictBad: string;
  readonly failedToBegin: string;
  readonly failedExperiment: string;
}

const ruCount = (count: number, one: string, few: string, many: string): string => {
  const form = new Intl.PluralRules('ru').select(count);
  return `${count} ${form === 'one' ? one : form === 'few' ? few : many}`;
};
const enCount = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

export const WORDS: Readonly<Record<Language, Words>> = {
  ru: {
    pageTitle: 'Chat Realtime: сломайте и посчитайте',
    other: 'English',
    greeting: 'Здравствуйте! Проверим связь?',
    rows: {
      stored: 'Сохранено',
      shown: 'Показано',
      lost: 'Потеряно',
      doubled: 'Удвоено',
      disordered: 'Не по порядку',
      ms: 'Миллисекунды',
    },
    msHint: 'медиана и последнее',
    notOpen: 'этот чат в консоли закрыт',
    nodes: {
      chat: 'Чат и база',
      queue: 'Очередь',
      dispatcher: 'Диспетчер',
      fanout: 'Рассылка',
      gateway: 'Шлюз',
      browser: 'Браузер',
    },
    check: 'сверка с базой',
    cut: 'обрыв',
    wiped: 'стёрто',
    dropped: 'потеряно',
    backIn: (seconds) => `ещё ${seconds} с`,
    waiting: (count) => `ждут: ${count}`,
    picture: 'Путь сообщения: чат и база, очередь, диспетчер, рассылка, шлюз, браузер. В обход — сверка шлюза с базой.',
    allWell: 'Все части работают.',
    dispatcherDown: 'Диспетчер остановлен: шлюз сверяется с базой сам.',
    networkDown: 'Сеть оборвана: сообщения ждут в базе.',
    carriers: { websocket: 'WebSocket', sse: 'SSE', poll: 'Long poll', rest: 'REST', none: 'нет связи' },
    verdictBefore: 'Нажмите кнопку: счёт начнётся сразу.',
    verdictUnderway: (count) => `В пути ${ruCount(count, 'сообщение', 'сообщения', 'сообщений')}…`,
    verdictClean: (stored, lost, doubled) =>
      `Показано ${stored} из ${stored}: каждое один раз и по порядку.` +
      (lost + doubled === 0 ? '' : ` Слушатель без курсора: потеряно ${lost}, удвоено ${doubled}.`),
    verdictBad: 'Счёт не сошёлся. Пожалуйста, сообщите нам, что вы нажимали.',
    failedExperiment: 'Кнопка сработала не до конца. Причина — в терминале, где идёт npm start.',
    failedToBegin:
      'Страница не смогла начать. Перезагрузите её; если не поможет, посмотрите в терминал, где идёт npm start.',
  },
  en: {
    pageTitle: 'Chat Realtime: break it and count',
    other: 'Русский',
    greeting: 'Hello! Shall we test the line?',
    rows: {
      stored: 'Stored',
      shown: 'Shown',
      lost: 'Lost',
      doubled: 'Doubled',
      disordered: 'Out of order',
      ms: 'Milliseconds',
    },
    msHint: 'median and last',
    notOpen: 'this chat is not open in the console',
    nodes: {
      chat: 'Chat service',
      queue: 'Queue',
      dispatcher: 'Dispatcher',
      fanout: 'Fan-out',
      gateway: 'Gateway',
      browser: 'Browser',
    },
    check: 'check with the database',
    cut: 'cut',
    wiped: 'wiped',
    dropped: 'lost',
    backIn: (seconds) => `${seconds} s more`,
    waiting: (count) => `waiting: ${count}`,
    picture:
      'A message’s way: chat service and database, queue, dispatcher, fan-out, gateway, browser. Around it, the gateway’s check with the database.',
    allWell: 'All parts are up.',
    dispatcherDown: 'The dispatcher is down: the gateway checks with the database by itself.',
    networkDown: 'The network is cut: messages wait in the database.',
    carriers: { websocket: 'WebSocket', sse: 'SSE', poll: 'Long poll', rest: 'REST', none: 'no connection' },
    verdictBefore: 'Press a button: counting begins at once.',
    verdictUnderway: (count) => `${enCount(count, 'message', 'messages')} underway…`,
    verdictClean: (stored, lost, doubled) =>
      `${stored} of ${stored} shown: each once, and in order.` +
      (lost + doubled === 0 ? '' : ` The listener without a cursor: ${lost} lost, ${doubled} doubled.`),
    verdictBad: 'The count does not add up. Please tell us what you pressed.',
    failedExperiment: 'A button did not do all of its work. The reason is in the terminal where npm start runs.',
    failedToBegin:
      'The page could not begin. Reload it; if that does not help, look into the terminal where npm start runs.',
  },
};
