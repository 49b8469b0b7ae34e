import { createHash } from 'node:crypto';

/** The first eight digits of every `client_message_id` that the bot makes: by them it knows its own messages again. */
const MARK = '7e1e62a0';
/** Ids of the staff group: a text written in a topic is already there. */
const GROUP_MARK = '7e1e62a1';

/** The same for the same message in Telegram, whenever and however often it is sent on. */
export function clientMessageId(botId: number, chatId: number, message: string, isOfGroup = false): string {
  const hash = createHash('sha256').update(`${botId}\n${chatId}\n${message}`).digest('hex');
  return `${isOfGroup ? GROUP_MARK : MARK}-${hash.slice(0, 4)}-8${hash.slice(4, 7)}-8${hash.slice(7, 10)}-${hash.slice(10, 22)}`;
}

export function isOwnMessage(id: string | null): boolean {
  return id?.startsWith(`${MARK}-`) === true;
}

export function isOfStaffGroup(id: string | null): boolean {
  return id?.startsWith(`${GROUP_MARK}-`) === true;
}
