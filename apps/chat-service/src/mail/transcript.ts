import { Readable } from 'node:stream';
import { type Attachment, type Language, languageOf, type Message } from '@chat-realtime/protocol';
import type { Actor } from '../actors.ts';
import type { StorageContext } from '../storage/context.ts';
import { requireVisibleSession } from '../storage/visible-session.ts';
import { history } from '../messages/history.ts';

const PAGE = 200;

const TEXTS = {
  ru: {
    chat: (id: number) => `Чат ${id}`,
    begun: (at: string, zone: string) => `Начат ${at} (${zone})`,
    client: 'Клиент',
    operator: 'Оператор',
    system: 'Система',
    empty: 'В этом чате ещё нет сообщений.',
    cut: '[Переписка длиннее, чем помещается в письмо. Целиком её можно скачать в чате.]',
  },
  en: {
    chat: (id: number) => `Chat ${id}`,
    begun: (at: string, zone: string) => `Begun ${at} (${zone})`,
    client: 'Customer',
    operator: 'Operator',
    system: 'System',
    empty: 'There are no messages in this chat yet.',
    cut: '[The conversation is longer than a mail may be. Download the whole of it in the chat.]',
  },
} as const satisfies Record<Language, unknown>;

function fileLine({ name, size }: Attachment): string {
  return `  [${name}, ${Math.max(1, Math.round(size / 1_024))} KB]\n`;
}

/** Languages and their times are told apart by the reader, not by the server's own settings. */
function timeText(at: Date, language: Language, timeZone: string): string {
  return new Intl.DateTimeFormat(language === 'ru' ? 'ru-RU' : 'en-GB', {
    dateStyle: 'short',
    timeStyle: 'medium',
    timeZone,
  }).format(at);
}

export function transcriptEntry(message: Message, language: Language, timeZone: string): string {
  const who = message.sender_name ?? TEXTS[language][message.sender_type];
  const at = timeText(new Date(message.created_at), language, timeZone);
  const body = message.body === '' ? '' : `${message.body}\n`;
  return `[${at}] ${who}:\n${body}${message.attachments.map(fileLine).join('')}\n`;
}

/** The messages of a chat as text, in the customer's language: what both sides saw, and no note. */
export class Transcripts {
  readonly #context: StorageContext;
  readonly #timeZone: () => Promise<string>;

  /** `timeZone`: in which times are written. */
  constructor(context: StorageContext, timeZone: () => Promise<string>) {
    this.#context = context;
    this.#timeZone = timeZone;
  }

  /**
   * `maxBytes`: it ends after the last message that fits, and says so.
   * @throws ChatError before the first byte where the actor sees no such session.
   */
  async open(actor: Actor, sessionId: number, maxBytes = Number.POSITIVE_INFINITY): Promise<Readable> {
    const { locale, createdAt } = await requireVisibleSession(this.#context, actor, sessionId);
    const language = languageOf(locale);
    const parts = bounded(this.#parts(actor, sessionId, language, createdAt), maxBytes, TEXTS[language].cut);
    return Readable.from(parts, { objectMode: false });
  }

  async *#parts(actor: Actor, sessionId: number, language: Language, begun: Date): AsyncGenerator<string> {
    const timeZone = await this.#timeZone();
    const texts = TEXTS[language];
    yield `${texts.chat(sessionId)}\n${texts.begun(timeText(begun, language, timeZone), timeZone)}\n\n`;
    for (let afterId = 0; ; ) {
      const page = await history(this.#context, actor, sessionId, { afterId, limit: PAGE });
      if (afterId === 0 && page.messages.length === 0) yield `${texts.empty}\n`;
      for (const message of page.messages) {
        yield transcriptEntry(message, language, timeZone);
        afterId = message.id;
      }
      if (!page.has_more) return;
    }
  }
}

async function* bounded(parts: AsyncIterable<string>, maxBytes: number, end: string): AsyncGenerator<string> {
  let bytes = 0;
  for await (const part of parts) {
    bytes += Buffer.byteLength(part);
    if (bytes > maxBytes) {
      yield `${end}\n`;
      return;
    }
    yield part;
  }
}
