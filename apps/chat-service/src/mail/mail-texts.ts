import { type Language, type Message, shortened } from '@chat-realtime/protocol';
import { letterHtml, type LetterPart, letterText } from './letter-parts.ts';
import { REPLY_LINES } from './written-text.ts';

export interface Letter {
  readonly subject: string;
  readonly text: string;
  /** The same, for programs that show it. */
  readonly html: string;
}

const TEXTS = {
  ru: {
    replySubject: (site: string) => `Ответ на ваш вопрос — ${site}`,
    hello: (name: string | null) => (name === null ? 'Здравствуйте!' : `Здравствуйте, ${name}!`),
    wrote: 'Пока вас не было, вам написали:',
    operator: 'Оператор',
    more: (count: number) => `…и ещё сообщений: ${count}.`,
    file: (name: string) => `[файл: ${name}]`,
    back: 'Продолжить чат (ссылка открывается один раз и действует 7 дней):',
    backButton: 'Продолжить чат',
    open: 'Открыть сайт с чатом:',
    openButton: 'Открыть сайт',
    canReply: 'Можно просто ответить на это письмо: ответ придёт в чат.',
    unsubscribe: 'Не получать писем из чата:',
    transcriptSubject: (id: number, site: string) => `Переписка, чат ${id} — ${site}`,
    transcript: 'Переписка во вложении. Письмо отправлено по просьбе из чата; если просили не вы, просто удалите его.',
    waitingSubject: (id: number | null) => `Клиент ждёт ответа${id === null ? '' : ` (чат ${id})`}`,
    waiting: 'Клиент ждёт ответа, и никто ему ещё не написал.',
    callbackSubject: 'Просят перезвонить',
    callback: 'Пришла новая заявка на звонок.',
    console: 'Открыть консоль:',
    consoleButton: 'Открыть консоль',
    own: 'Какие письма получать, вы выбираете в консоли: Настройки → Уведомления.',
  },
  en: {
    replySubject: (site: string) => `An answer to your question — ${site}`,
    hello: (name: string | null) => (name === null ? 'Hello,' : `Hello ${name},`),
    wrote: 'you received new messages while you were away:',
    operator: 'Operator',
    more: (count: number) => `…and ${count} more.`,
    file: (name: string) => `[file: ${name}]`,
    back: 'Continue the chat (the link works once and expires after 7 days):',
    backButton: 'Continue the chat',
    open: 'Open the site with the chat:',
    openButton: 'Open the site',
    canReply: 'You can simply reply to this mail: your answer comes to the chat.',
    unsubscribe: 'To stop mail from this chat:',
    transcriptSubject: (id: number, site: string) => `Transcript of chat ${id} — ${site}`,
    transcript: 'The transcript is attached. Somebody in the chat asked for it; if that was not you, delete this mail.',
    waitingSubject: (id: number | null) => `A customer is waiting${id === null ? '' : ` (chat ${id})`}`,
    waiting: 'A customer is waiting, and nobody has answered yet.',
    callbackSubject: 'A callback was requested',
    callback: 'There is a new callback request.',
    console: 'Open the console:',
    consoleButton: 'Open the console',
    own: 'You choose which mail you get in the console: Settings → Notifications.',
  },
} as const satisfies Record<Language, unknown>;

/** Enough to know what it is about; the rest is read in the chat. */
export const SHOWN_MESSAGES = 20;
const SHOWN_CHARACTERS = 4_000;

export interface ReplyLetter {
  readonly language: Language;
  readonly site: string;
  readonly name: string | null;
  /** The first missed messages, oldest first. */
  readonly messages: readonly Message[];
  /** How much was missed altogether. */
  readonly count: number;
  /** Into the chat, or to the site where the chat opens by itself. */
  readonly link: { readonly kind: 'chat' | 'site'; readonly url: string };
  readonly canReply: boolean;
  readonly unsubscribeUrl: string;
}

function quoted(message: Message, language: Language): LetterPart {
  const { body } = message;
  const text = shortened(body, SHOWN_CHARACTERS);
  const files = message.attachments.map(({ name }) => TEXTS[language].file(name));
  const lines = [...(text === '' ? [] : text.split('\n')), ...files];
  return { kind: 'message', from: message.sender_name ?? TEXTS[language].operator, lines };
}

function letterOf(language: Language, subject: string, parts: readonly LetterPart[]): Letter {
  return { subject, text: letterText(parts), html: letterHtml(language, parts) };
}

export function replyLetter(letter: ReplyLetter): Letter {
  const { language, site, name, messages, link, canReply, unsubscribeUrl } = letter;
  const texts = TEXTS[language];
  const shown = messages.slice(0, SHOWN_MESSAGES);
  const left = letter.count - shown.length;
  const said = (text: string): LetterPart => ({ kind: 'text', text });
  const isChat = link.kind === 'chat';
  return letterOf(language, texts.replySubject(site), [
    ...(canReply ? [{ kind: 'mark', text: REPLY_LINES[language] } as const] : []),
    said(`${texts.hello(name)}\n${texts.wrote}`),
    ...shown.map((message) => quoted(message, language)),
    ...(left > 0 ? [said(texts.more(left))] : []),
    {
      kind: 'link',
      label: isChat ? texts.back : texts.open,
      button: isChat ? texts.backButton : texts.openButton,
      url: link.url,
    },
    ...(canReply ? [said(texts.canReply)] : []),
    { kind: 'end', text: site, link: { label: texts.unsubscribe, url: unsubscribeUrl } },
  ]);
}

export function transcriptLetter(language: Language, sessionId: number, site: string): Letter {
  const texts = TEXTS[language];
  return letterOf(language, texts.transcriptSubject(sessionId, site), [
    { kind: 'text', text: texts.transcript },
    { kind: 'end', text: site },
  ]);
}

/** To an operator: that something is there, and not what it says. */
export function alertLetter(
  language: Language,
  reason: string | null,
  sessionId: number | null,
  consoleUrl: string,
): Letter {
  const texts = TEXTS[language];
  const isCallback = reason === 'callback_requested';
  return letterOf(language, isCallback ? texts.callbackSubject : texts.waitingSubject(sessionId), [
    { kind: 'text', text: isCallback ? texts.callback : texts.waiting },
    { kind: 'link', label: texts.console, button: texts.consoleButton, url: consoleUrl },
    { kind: 'end', text: texts.own },
  ]);
}
