import { describe, expect, it } from 'vitest';
import { message, status } from '../../test/intake-suite.ts';
import { parseEvent } from './parse-event.ts';

const problemsOf = (event: object) => {
  const parsed = parseEvent(event);
  return parsed.ok ? [] : parsed.problems;
};

describe('what a plain event is', () => {
  it('[BES6] refuses a routing key as a type, and says which type is meant', () => {
    expect(problemsOf({ ...message(1, 1), type: 'chat.message.sent' })).toEqual([
      { path: 'type', message: 'is a routing key; the type is chat.message' },
    ]);
    expect(problemsOf({ ...status(1, 'active'), type: 'chat.session.updated' })).toEqual([
      { path: 'type', message: 'is a routing key; the type is chat.session.status or chat.session.assigned' },
    ]);
    expect(problemsOf({ type: 'chat.ephemeral', session_id: 1, data: {} })).toHaveLength(1);
    expect(problemsOf({ type: 'chat.message.liked', session_id: 1, data: {} })).toEqual([]);
  });
});
