import type { Tables } from '@chat-realtime/database';
import type { Answer } from '@chat-realtime/protocol';
import type { Transaction } from 'kysely';

/** What an operator may look for: what was written or chosen, not the question and not a tick. */
function wordsOf(answers: readonly Answer[]): string {
  return answers
    .flatMap(({ value, text }) => (text === undefined ? [value] : Object.values(text)))
    .filter((word) => typeof word === 'string')
    .join('\n');
}

export async function storeAnswers(
  trx: Transaction<Tables>,
  sessionId: number,
  answers: readonly Answer[],
): Promise<void> {
  await trx
    .insertInto('chat_answer')
    .values({ session_id: sessionId, answers: JSON.stringify(answers), words: wordsOf(answers) })
    .execute();
}
