import type { Chat } from '../support/chat.ts';

/** Closes what earlier tests left waiting: the list draws only what is in sight, and a new chat is its last row. */
export async function emptyQueue(chat: Chat): Promise<void> {
  const anna = await chat.staff('anna');
  const { sessions } = await anna.sessions({ assigned: 'none', status: 'new' });
  for (const { id } of sessions) await anna.act(id, 'close');
}
