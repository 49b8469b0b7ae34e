import { describe, expect, it } from 'vitest';
import type { Message } from './api/protocol.ts';
import { NO_MARKS } from './sync/marks.ts';
import { createThread } from './sync/thread.ts';

const message = (id: number): Message => ({
  id,
  sender_type: 'client',
  sender_id: null,
  sender_name: null,
  body: `text ${id}`,
  attachments: [{ id: `f${id}`, name: 'a.png', mime: 'image/png', size: 1 }],
  created_at: '2026-11-08T10:30:11.402+03:00',
  client_message_id: null,
});
const shown = (thread: ReturnType<typeof createThread>) =>
  thread.view([], NO_MARKS.client).map(({ body, attachments }) => [body, attachments.length]);

describe('erased data', () => {
  it('[ERA2] is forgotten up to the named message, by kind', () => {
    const thread = createThread('client');
    thread.replace([message(1), message(2), message(3)]);
    expect(shown(thread)).toEqual([
      ['text 1', 1],
      ['text 2', 1],
      ['text 3', 1],
    ]);
    thread.erase({ scope: 'before', through_seq: 2, through_id: 1, kinds: ['files'] });
    expect(shown(thread)[0]).toEqual(['text 1', 0]);
    thread.erase({ scope: 'session', through_id: 2, kinds: ['messages', 'files', 'contacts', 'callbacks'] });
    expect(shown(thread)).toEqual([
      ['', 0],
      ['', 0],
      ['text 3', 1],
    ]);
  });
});
