import type { Tables } from '@chat-realtime/database';
import type { Answer, CustomField, GivenAnswers } from '@chat-realtime/protocol';
import type { Transaction } from 'kysely';
import { fieldError } from '../field-error.ts';

/**
 * The answers in the order of the questions, with their labels. An unknown name is left out: the page may be older than
 * the questions. Nothing is required, as with name and e-mail: a chat from an app may have no form. @throws ChatError
 * 422 for an answer of another kind, and for an unknown option.
 */
export function answersTo(fields: readonly CustomField[], given: GivenAnswers): Answer[] {
  const entries = new Map(Object.entries(given));
  return fields.flatMap((field) => {
    const value = entries.get(field.name);
    return value === undefined ? [] : answerTo(field, value);
  });
}

function answerTo({ name, kind, label, options }: CustomField, value: string | boolean): Answer[] {
  const path = `answers.${name}`;
  if (kind === 'checkbox') {
    if (typeof value !== 'boolean') throw fieldError(path, 'must be true or false');
    return [{ name, kind, label, value }];
  }
  if (typeof value !== 'string') throw fieldError(path, 'must be a text');
  const text = value.trim();
  if (text === '') return [];
  if (kind === 'text') return [{ name, kind, label, value: text }];
  const option = options?.find((one) => one.value === text);
  if (option === undefined) throw fieldError(path, 'must be one of the options');
  return [{ name, kind, label, value: text, text: option.label }];
}

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
