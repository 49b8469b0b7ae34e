import { sessionTitle } from '../domain/render.ts';
import type { Texts } from '../texts.ts';
import type { Topic } from '../storage/topics.ts';

/** Telegram's limit, in characters. */
const TITLE_MAX = 128;
const NAME_MAX = 60;

/** `Иван · Чат 42 · Анна`; a closed chat has a mark in front. */
export function topicTitle(texts: Texts, session: Topic['session'], sessionId: number): string {
  const name = session.name === null ? null : shortened(session.name, NAME_MAX);
  const whose = session.assignee === null ? texts.newChat : shortened(session.assignee, NAME_MAX / 2);
  const title = `${sessionTitle(texts, sessionId, name)} · ${whose}`;
  return [...(session.status === 'closed' ? `✓ ${title}` : title)].slice(0, TITLE_MAX).join('');
}

function shortened(text: string, max: number): string {
  const characters = [...text.replaceAll(/\s+/g, ' ').trim()];
  return characters.length <= max ? characters.join('') : `${characters.slice(0, max - 1).join('')}…`;
}
