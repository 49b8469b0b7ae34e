import { type ChatError, eventsResponseSchema, type SessionEvent } from '@chat-realtime/protocol';
import type { Content } from '../domain/content.ts';
import { chatButtons, messageContents, textAndFiles } from '../domain/render.ts';
import type { Texts } from '../texts.ts';

/** A text for an operator about a chat, and the event up to which they then know it. */
export interface Told {
  readonly content: Content;
  readonly seq?: number | undefined;
  readonly messageId?: number | undefined;
}

export interface MissedParts {
  readonly userId: string;
  readonly texts: Texts;
  /** Whether it is already queued. */
  readonly isQueued: (seq: number) => boolean;
}

/**
 * The missed events in a `stale` refusal. Without them the operator could never answer this chat again: Telegram shows
 * nobody what colleagues do in chats that are not theirs.
 */
export function missedOf(error: ChatError, { userId, texts, isQueued }: MissedParts): Told[] {
  const details = eventsResponseSchema.safeParse(error.details);
  if (!details.success) return [];
  return details.data.events
    .filter(({ seq }) => !isQueued(seq))
    .flatMap((event) =>
      contentsOf(event, userId, texts).map((content) => ({
        content,
        seq: event.seq,
        messageId: event.type === 'chat.message' ? event.data.id : undefined,
      })),
    );
}

/** The number of the last of them: the refusal itself brings the operator up to it. */
export function lastMissed(error: ChatError): number | undefined {
  const details = eventsResponseSchema.safeParse(error.details);
  return details.success ? details.data.events.at(-1)?.seq : undefined;
}

function contentsOf(event: SessionEvent, userId: string, texts: Texts): Content[] {
  const { session_id: id } = event;
  switch (event.type) {
    case 'chat.message': {
      const { sender_type: sender, sender_name: name } = event.data;
      const detail = sender === 'operator' ? texts.colleague(name ?? null) : undefined;
      return messageContents({ title: texts.chat(id), detail }, event.data);
    }
    case 'chat.session.assigned': {
      const { assigned_user_id: to, assigned_user_name: name } = event.data;
      if (to === userId) return [];
      return textAndFiles(
        { title: texts.chat(id), detail: to === null ? texts.toQueue : texts.takenAway(name ?? null) },
        '',
        [],
      );
    }
    case 'chat.session.status':
      if (event.data.status !== 'closed') return [];
      return textAndFiles({ title: texts.chat(id), detail: texts.closedBy }, '', [], chatButtons(texts, id, 'closed'));
    default:
      return [];
  }
}
