import type { PushNoticeTable } from '@chat-realtime/database';
import { type Language, languageOf, shortened } from '@chat-realtime/protocol';

const TEXTS = {
  ru: {
    message: 'Новое сообщение от клиента',
    waiting: 'Клиент ждёт ответа',
    callback_requested: 'Просят перезвонить',
    reply: 'Вам ответили в чате',
    test: 'Проверка: уведомления приходят',
    chat: (id: number) => `Чат ${id}`,
  },
  en: {
    message: 'A new message from a customer',
    waiting: 'A customer is waiting',
    callback_requested: 'A callback was requested',
    reply: 'You have an answer in the chat',
    test: 'A test: notifications arrive',
    chat: (id: number) => `Chat ${id}`,
  },
} as const satisfies Record<Language, unknown>;

const SHOWN_CHARACTERS = 180;

export interface PushContent {
  readonly kind: PushNoticeTable['kind'];
  readonly sessionId: number | null;
  readonly locale: string | null;
  /** Author and text: only if the administrator allows texts to leave the server. */
  readonly shown: { readonly name: string | null; readonly body: string } | null;
  /** The target of a tap. */
  readonly url: string;
}

/** What the service worker shows. Without `shown` it says that there is something, and nothing of it. */
export function pushPayload({ kind, sessionId, locale, shown, url }: PushContent): string {
  const texts = TEXTS[languageOf(locale)];
  const body = shown?.body ?? '';
  const cut = shortened(body, SHOWN_CHARACTERS);
  const plain = sessionId === null || kind === 'reply' ? '' : texts.chat(sessionId);
  return JSON.stringify({
    title: texts[kind],
    body: shown === null || cut === '' ? plain : [shown.name, cut].filter((part) => part !== null).join(': '),
    tag: `${kind}:${sessionId ?? ''}`,
    url,
  });
}
