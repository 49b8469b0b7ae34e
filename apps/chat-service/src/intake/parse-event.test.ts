import { describe, expect, it } from 'vitest';
import { message, status } from '../../test/intake-suite.ts';
import { parseEvent } from './parse-event.ts';

const problemsOf = (event: object) => {
  const parsed = parseEvent(event);
  return parsed.ok ? [] : parsed.problems;
};

describe('a plain event', () => {
  it('[BES6] with a routing key as its type is refused, and the right type is named', () => {
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
