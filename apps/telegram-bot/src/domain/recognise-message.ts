import { parseId } from '@chat-realtime/protocol';
import type { Message } from 'grammy/types';
import { textsFor } from '../texts.ts';
import { parseButton } from './commands.ts';

/** The chat that a text in Telegram refers to. */
export interface KnownMessage {
  readonly sessionId: number;
  readonly seq: number | null;
  readonly messageId: number | null;
  readonly purpose: string;
}

const PROMPTS = (['ru', 'en'] as const).map((language) => {
  const [before = '', after = ''] = textsFor(language).writeNote(0).split('0');
  return { before, after };
});

/**
 * Identifies a message of the bot by its appearance. If the call that sent it ended without a response, its id is
 * unknown, but its buttons or the words that ask for a note still identify the chat.
 */
export function recogniseMessage(answered: Message | undefined): KnownMessage | undefined {
  if (answered?.from?.is_bot !== true) return undefined;
  for (const row of answered.reply_markup?.inline_keyboard ?? [])
    for (const button of row) {
      const action = 'callback_data' in button ? parseButton(button.callback_data) : null;
      if (action !== null && 'sessionId' in action) return standsFor(action.sessionId, 'message');
    }
  const text = answered.text ?? '';
  for (const { before, after } of PROMPTS) {
    if (!text.startsWith(before) || !text.endsWith(after)) continue;
    const id = parseId(text.slice(before.length, text.length - after.length));
    if (id !== undefined) return standsFor(id, 'note');
  }
  return undefined;
}

function standsFor(sessionId: number, purpose: 'message' | 'note'): KnownMessage {
  return { sessionId, seq: null, messageId: null, purpose };
}
