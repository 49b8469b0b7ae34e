import type { ChatMessage, Note, StaffEvent } from '@chat-realtime/client/staff';
import { describe, expect, it } from 'vitest';
import { PlacedEvents, timeline } from './timeline.ts';

const at = (minute: number): string => new Date(2026, 0, 1, 12, minute).toISOString();

function message(id: number, minute: number, sender: 'client' | 'operator' = 'client'): ChatMessage {
  return {
    ...{ key: `m${id}`, id, sender_type: sender, sender_id: null, sender_name: null, body: `text ${id}` },
    ...{ attachments: [], created_at: at(minute), client_message_id: null, own: sender === 'operator' },
    ...{ delivery: null, error: null },
  };
}
const note = (id: number, minute: number): Note => ({
  ...{ id, session_id: 1, author_id: 'anna', author_name: 'Анна', body: 'note', created_at: at(minute) },
});
const status = (seq: number): StaffEvent => ({
  ...{ type: 'chat.session.status', session_id: 1, seq },
  data: { status: 'closed', previous: 'active', reason: 'operator' },
});
const posted = (seq: number, id: number): StaffEvent => ({
  ...{ type: 'chat.message.client', session_id: 1, seq },
  data: {
    ...{ id, sender_type: 'client', body: 'text', attachments: [], created_at: at(0), client_message_id: null },
  },
});
const kinds = (input: Partial<Parameters<typeof timeline>[0]>): string[] =>
  timeline({ messages: [], notes: [], events: [], unreadAfter: null, complete: true, ...input }).map((item) =>
    item.kind === 'message' ? item.key : item.kind,
  );

describe('timeline', () => {
  it('orders notes by time, and puts changes of state after the message they followed', () => {
    const placed = new PlacedEvents();
    const events = placed.add([posted(2, 20), status(3), posted(4, 40)]);
    expect(kinds({ messages: [message(20, 1), message(40, 9)], notes: [note(5, 5)], events })).toEqual([
      ...['day', 'm20', 'event', 'note', 'm40'],
    ]);
  });

  it('keeps a change in its place when events arrive in parts and twice', () => {
    const placed = new PlacedEvents();
    placed.add([status(3)]);
    placed.add([status(3)]);
    expect(placed.add([posted(2, 20), posted(4, 40)])).toEqual([{ afterMessageId: 20, event: status(3) }]);
  });

  it('draws the line of new messages once, before the first unread message of the customer', () => {
    const messages = [message(10, 1), message(20, 2, 'operator'), message(30, 3), message(40, 4)];
    expect(kinds({ messages, unreadAfter: 20 })).toEqual(['day', 'm10', 'm20', 'unread', 'm30', 'm40']);
  });

  it('omits notes from before the loaded part of the history', () => {
    expect(kinds({ messages: [message(10, 10)], notes: [note(1, 1), note(2, 11)], complete: false })).toEqual([
      ...['day', 'm10', 'note'],
    ]);
  });

  it('groups messages of one sender within three minutes', () => {
    const items = timeline({
      ...{ messages: [message(1, 0), message(2, 1), message(3, 9)], notes: [], events: [] },
      ...{ unreadAfter: null, complete: true },
    });
    expect(items.flatMap((item) => (item.kind === 'message' ? [item.joined] : []))).toEqual([false, true, false]);
  });
});
