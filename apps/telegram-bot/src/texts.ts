import { type CallbackStatus, type Language, languageOf, type OperatorStatus } from '@chat-realtime/protocol';

const STATUS = {
  ru: { online: 'на связи', away: 'отошли', off: 'не дежурите' },
  en: { online: 'online', away: 'away', off: 'off duty' },
} as const satisfies Record<Language, Record<OperatorStatus, string>>;

const CALLBACK = {
  ru: {
    new: 'новая',
    assigned: 'взята',
    calling: 'звонят',
    done: 'сделано',
    no_answer: 'не ответили',
    cancelled: 'отменена',
  },
  en: {
    new: 'new',
    assigned: 'taken',
    calling: 'calling',
    done: 'done',
    no_answer: 'no answer',
    cancelled: 'cancelled',
  },
} as const satisfies Record<Language, Record<CallbackStatus, string>>;

const ru = {
  helpOperator: [
    'Чаты приходят сюда, пока вы на дежурстве. Ответьте на сообщение клиента (свайп или «Ответить»), и он получит ответ.',
    'Текст, фото, документ или голосовое: всё уходит клиенту от вашего имени.',
    '',
    '/open — открытые чаты',
    '/mine — мои чаты',
    '/status — дежурство: online, away, off',
    '/callbacks — заявки на звонок',
    '/logout — отвязать этот аккаунт',
    '',
    'Прочитал ли сообщение человек в Telegram, боты не узнают: отметка «прочитано» ставится, когда он ответит.',
  ].join('\n'),
  helpAnybody:
    'Напишите сообщение, и оператор ответит вам здесь.\n\nОператорам: код для входа даёт консоль (Настройки → Уведомления → Telegram), затем /login <код>.',
  loginNeedsCode: 'Нужен код из консоли: Настройки → Уведомления → Telegram. Затем /login <код>.',
  boundTo: (name: string | null) =>
    `Готово: этот аккаунт отвечает ${name === null ? 'за вас' : `от имени «${name}»`}. Вы на дежурстве; /status это меняет, /help всё объясняет.`,
  unknownCode: 'Код не подходит: он неверный, уже использован или истёк. Новый даёт консоль или чат на сайте.',
  tooMany: 'Слишком много неверных кодов. Попробуйте через 10 минут.',
  loggedOut: 'Аккаунт отвязан. Чаты сюда больше не приходят.',
  linked: 'Чат с сайта продолжается здесь. На сайте он тоже открыт: переписка одна.',
  missedEarlier: (count: number) =>
    `Ответов, которых вы ещё не видели, больше. Ниже ${count} последних; более ранние — в чате на сайте, он открыт и там.`,
  welcome: 'Здравствуйте! Напишите ваш вопрос, и мы ответим здесь.',
  chat: (id: number) => `Чат ${id}`,
  newChat: 'никто не взял',
  you: 'Вы на сайте',
  colleague: (name: string | null) => (name === null ? 'Коллега' : `${name} (коллега)`),
  note: (name: string | null) => (name === null ? 'Заметка' : `Заметка, ${name}`),
  given: (name: string | null) => (name === null ? 'передан вам' : `передан вам. ${name}`),
  toQueue: 'вернулся в очередь',
  takenAway: (name: string | null) => (name === null ? 'теперь у другого оператора' : `теперь у «${name}»`),
  ofOther: 'у другого оператора',
  closedBy: 'закрыт',
  closedForCustomer: 'Чат завершён. Если вопрос остался, просто напишите.',
  callback: (id: number) => `Заявка на звонок ${id}`,
  callbackStatus: (status: CallbackStatus): string => CALLBACK.ru[status],
  callbackGiven: (name: string | null) => (name === null ? 'передана вам' : `передана вам. ${name}`),
  callbackTaken: 'Заявка уже у другого оператора.',
  when: (at: string) => `к ${at}`,
  buttons: {
    take: 'Взять',
    close: 'Закрыть',
    reopen: 'Открыть снова',
    note: 'Заметка',
    takeCall: 'Беру',
    calling: 'Звоню',
    done: 'Сделано',
    noAnswer: 'Не ответили',
    online: 'На связи',
    away: 'Отошёл',
    off: 'Не дежурю',
  },
  taken: 'Чат ваш',
  closed: 'Чат закрыт',
  reopened: 'Чат открыт',
  noted: 'Заметка записана',
  writeNote: (id: number) => `Заметка к чату ${id}: ответьте на это сообщение. Клиент её не увидит.`,
  duty: (onDuty: boolean, status: OperatorStatus) =>
    onDuty ? `Вы на дежурстве: ${STATUS.ru[status]}.` : 'Вы не дежурите в Telegram: чаты сюда не приходят.',
  noSessions: 'Открытых чатов нет.',
  noMine: 'У вас нет чатов.',
  noCallbacks: 'Заявок на звонок нет.',
  more: 'Остальные — в консоли.',
  replyNeeded: 'Кому это? Ответьте на сообщение клиента (свайп или «Ответить»). /open покажет чаты.',
  unknownCommand: 'Такой команды нет. /help',
  unknownMessage: 'Это сообщение ни к какому чату не относится. /open покажет чаты.',
  isOperator: 'Этот аккаунт отвечает от имени оператора и не может быть клиентом. /logout его отвяжет.',
  notYours:
    'Не отправлено: это сообщение из чата, который этому аккаунту больше не открыт. Напишите отдельным сообщением, без «Ответить».',
  unsupported: 'Это сюда не передаётся: текст, фото, документ, видео, аудио и голосовые — можно.',
  edited: 'Правку в чате сделать нельзя: исправленный текст ушёл новым сообщением.',
  editedNote: 'Заметку изменить нельзя: исправленный текст записан новой заметкой.',
  editedFile: 'Файл в чате заменить нельзя: пришлите его новым сообщением.',
  fileTooLarge: (name: string) => `«${name}» больше 10 МБ и не отправлен.`,
  fileRefused: (name: string) => `«${name}» не принят.`,
  fileLost: (name: string) => `«${name}» не дошёл: Telegram не отдаёт этот файл. Пришлите его ещё раз.`,
  failed: {
    stale:
      'Не отправлено: пока вы писали, в чате ответил или его взял коллега. Посмотрите, что выше, и ответьте ещё раз.',
    session_closed: 'Не отправлено: чат закрыт. Откройте его снова.',
    site_owned: 'Не сделано: чат ведёт сайт. Сделайте это там.',
    already_assigned: 'Чат уже у другого оператора.',
    invalid_transition: 'Так сделать уже нельзя: что-то изменилось раньше.',
    session_not_found: 'Этот чат вам больше не виден.',
    forbidden: 'Этот аккаунт не привязан к оператору.',
    other: 'Не получилось.',
  },
  group: {
    hint: 'Ответ на сообщение бота получит клиент. Остальное в этой теме видят только участники группы.',
    customer: 'Клиент',
    operator: 'оператор',
    assigned: (name: string | null) => (name === null ? 'Чат у оператора' : `Чат у «${name}»`),
    queued: 'Чат вернулся в очередь',
    closed: 'Чат закрыт',
    notBound:
      'Не отправлено: ваш аккаунт не привязан к оператору. Код даёт консоль (Настройки → Уведомления → Telegram), его ждёт бот в личном чате. Анонимно отвечать нельзя.',
  },
  customerFailed: 'Сообщение не отправлено.',
  leftOut: (count: number) =>
    `Telegram долго не отвечал или не взял: сюда не попало сообщений: ${count}. Все они есть в чате.`,
  attachment: '📎',
};

export type Texts = typeof ru;

const en: Texts = {
  helpOperator: [
    'Chats arrive here while you are on duty. Reply to a customer’s message (swipe, or “Reply”) and they get your answer.',
    'Text, photo, document or voice: everything goes to the customer in your name.',
    '',
    '/open — open chats',
    '/mine — my chats',
    '/status — duty: online, away, off',
    '/callbacks — callback requests',
    '/logout — disconnect this account',
    '',
    'Bots never learn whether a person in Telegram has read a message: it is marked as read when they answer.',
  ].join('\n'),
  helpAnybody:
    'Write a message, and an operator will answer you here.\n\nOperators: the console gives the code (Settings → Notifications → Telegram), then /login <code>.',
  loginNeedsCode: 'A code from the console is needed: Settings → Notifications → Telegram. Then /login <code>.',
  boundTo: (name) =>
    `Done: this account answers in ${name === null ? 'your name' : `the name of “${name}”`}. You are on duty; /status changes it, /help explains everything.`,
  unknownCode: 'The code is wrong, already used or expired. Get a new one in the console or in the chat on the site.',
  tooMany: 'Too many wrong codes. Try again in 10 minutes.',
  loggedOut: 'The account is disconnected. Chats no longer arrive here.',
  linked: 'The chat from the site goes on here. It stays open there as well: it is one conversation.',
  missedEarlier: (count) =>
    `There are more answers that you have not seen. Below are the last ${count}; the earlier ones are in the chat on the site, which stays open.`,
  welcome: 'Hello! Write your question, and we will answer here.',
  chat: (id) => `Chat ${id}`,
  newChat: 'unassigned',
  you: 'You on the site',
  colleague: (name) => (name === null ? 'A colleague' : `${name} (colleague)`),
  note: (name) => (name === null ? 'Note' : `Note, ${name}`),
  given: (name) => (name === null ? 'given to you' : `given to you. ${name}`),
  toQueue: 'went back to the queue',
  takenAway: (name) => (name === null ? 'is another operator’s now' : `is ${name}’s now`),
  ofOther: 'another operator’s',
  closedBy: 'closed',
  closedForCustomer: 'The chat is closed. If anything is open, just write.',
  callback: (id) => `Callback request ${id}`,
  callbackStatus: (status) => CALLBACK.en[status],
  callbackGiven: (name) => (name === null ? 'given to you' : `given to you. ${name}`),
  callbackTaken: 'Another operator has this request already.',
  when: (at) => `at ${at}`,
  buttons: {
    take: 'Take',
    close: 'Close',
    reopen: 'Reopen',
    note: 'Note',
    takeCall: 'Take',
    calling: 'Calling',
    done: 'Done',
    noAnswer: 'No answer',
    online: 'Online',
    away: 'Away',
    off: 'Off duty',
  },
  taken: 'The chat is yours',
  closed: 'Chat closed',
  reopened: 'Chat reopened',
  noted: 'Note saved',
  writeNote: (id) => `A note on chat ${id}: reply to this message. The customer will not see it.`,
  duty: (onDuty, status) =>
    onDuty ? `You are on duty: ${STATUS.en[status]}.` : 'You are off duty in Telegram: chats do not arrive here.',
  noSessions: 'No open chats.',
  noMine: 'You have no chats.',
  noCallbacks: 'No callback requests.',
  more: 'The rest is in the console.',
  replyNeeded: 'For whom? Reply to a customer’s message (swipe, or “Reply”). /open shows the chats.',
  unknownCommand: 'No such command. /help',
  unknownMessage: 'This message belongs to no chat. /open shows the chats.',
  isOperator: 'This account answers in an operator’s name and cannot be a customer. /logout disconnects it.',
  notYours: 'Not sent: you no longer have access to that chat. Send a new message instead of a reply.',
  unsupported: 'This cannot be passed on: text, photos, documents, video, audio and voice can.',
  edited: 'A message in the chat cannot be changed: the corrected text went as a new one.',
  editedNote: 'A note cannot be changed: the corrected text was saved as a new one.',
  editedFile: 'A file in the chat cannot be replaced: send it as a new message.',
  fileTooLarge: (name) => `“${name}” is larger than 10 MB and was not sent.`,
  fileRefused: (name) => `“${name}” was not accepted.`,
  fileLost: (name) => `“${name}” did not arrive: Telegram does not hand it over. Please send it again.`,
  failed: {
    stale:
      'Not sent: while you were writing, a colleague answered in this chat or took it. Look above and reply again.',
    session_closed: 'Not sent: the chat is closed. Reopen it.',
    site_owned: 'Not done: the site keeps this chat. Do it there.',
    already_assigned: 'Another operator has the chat already.',
    invalid_transition: 'That is not possible any more: something changed before.',
    session_not_found: 'You can no longer see this chat.',
    forbidden: 'This account is not linked to an operator.',
    other: 'That did not work.',
  },
  group: {
    hint: 'A reply to a message of the bot goes to the customer. Anything else in this topic is seen by the group alone.',
    customer: 'Customer',
    operator: 'operator',
    assigned: (name) => (name === null ? 'An operator has the chat' : `${name} has the chat`),
    queued: 'The chat went back to the queue',
    closed: 'Chat closed',
    notBound:
      'Not sent: your account is not linked to an operator. Get a code in the console (Settings → Notifications → Telegram) and send it to the bot in a private chat. Nobody can answer anonymously.',
  },
  customerFailed: 'The message was not sent.',
  leftOut: (count) =>
    count === 1
      ? '1 message could not be delivered here because Telegram was unavailable or rejected it. You can read it in the chat.'
      : `${count} messages could not be delivered here because Telegram was unavailable or rejected them. You can read all of them in the chat.`,
  attachment: '📎',
};

const TEXTS: Record<Language, Texts> = { ru, en };

export function textsFor(locale: string | null | undefined): Texts {
  return TEXTS[languageOf(locale)];
}

/** Shown by Telegram as a menu: only operators are offered operators' commands. */
export function commandsFor(
  language: Language,
  audience: 'anybody' | 'staff',
): { command: string; description: string }[] {
  const staff: readonly (readonly [string, string, string])[] = [
    ['open', 'Открытые чаты', 'Open chats'],
    ['mine', 'Мои чаты', 'My chats'],
    ['status', 'Дежурство', 'Duty'],
    ['callbacks', 'Заявки на звонок', 'Callback requests'],
  ];
  const list = [...(audience === 'staff' ? staff : []), ['help', 'Что умеет бот', 'What the bot can do']] as const;
  return list.map(([command, russian, english]) => ({ command, description: language === 'ru' ? russian : english }));
}
