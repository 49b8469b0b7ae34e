import { describe, expect, it } from 'vitest';
import { customerFrame, type FramedEvent, frameTexts, staffFrame } from './event-frames.ts';
import { sessionEventSchema, staffEventSchema } from './events.ts';

const subscribers = { session_id: 5, assigned_user_id: '7' };
const message = (sender: string): FramedEvent => ({
  ...{ type: 'chat.message', session_id: 5, seq: 3, feed_seq: 41, subscribers },
  data: {
    ...{ id: 9, sender_type: sender, sender_id: null, sender_name: null, body: 'привет "мир" \u2028 </script>' },
    ...{ attachments: [], created_at: '2026-11-23T10:00:00Z', client_message_id: null },
  },
});
const created: FramedEvent = {
  ...{ type: 'chat.session.created', session_id: 5, seq: 1, feed_seq: 39, subscribers },
  data: { session: { id: 5 } },
  staff_data: { contact: { name: 'Ivan', email: null, phone: null } },
};
const assigned: FramedEvent = {
  ...{ type: 'chat.session.assigned', session_id: 5, seq: 2, feed_seq: 40 },
  data: { assigned_user_id: '7', assigned_user_name: 'Anna', by: '7' },
  subscribers: { ...subscribers, previous_user_id: null },
};
const note: FramedEvent = {
  ...{ type: 'chat.note', session_id: 5, seq: null, feed_seq: 42, feed_id: 77, subscribers },
  data: { id: 77, session_id: 5, author_id: '7', author_name: null, body: 'x', created_at: '2026-11-23T10:00:00Z' },
};
const ofTheSites: FramedEvent = {
  ...{ type: 'shop.order.paid', session_id: 5, seq: 4, subscribers },
  data: { sum: '12.50' },
};
const EVENTS = { message: message('operator'), question: message('client'), created, assigned, note, ofTheSites };

describe('the frames of an event', () => {
  it.each(Object.entries(EVENTS))('have identical bytes live and on a page: %s', (_, event) => {
    const { customer, staff } = frameTexts(event);
    expect(staff).toBe(JSON.stringify(staffFrame(event)));
    expect(customer ?? JSON.stringify(customerFrame(event))).toBe(JSON.stringify(customerFrame(event)));
  });

  it('give a customer’s message a type of its own for staff', () => {
    const { customer, staff } = frameTexts(message('client'));
    expect(sessionEventSchema.parse(JSON.parse(String(customer))).type).toBe('chat.message');
    expect(staffEventSchema.parse(JSON.parse(staff)).type).toBe('chat.message.client');
  });

  it('[STF4] carry the number in the feed, which is also the cursor', () => {
    expect(staffFrame(message('client'))).toMatchObject({ feed_seq: 41, cursor: '41' });
    expect('cursor' in staffFrame(ofTheSites)).toBe(false);
  });

  it('hide staff data from customers', () => {
    expect(frameTexts(note).customer).toBeNull();
    expect(frameTexts(created).customer).not.toContain('contact');
    expect(staffFrame(created).data).toHaveProperty('contact');
  });

  it('[EVT7] carry the id of a staff-only event, and of no other', () => {
    expect(staffFrame(note)).toMatchObject({ seq: null, feed_id: 77 });
    expect('feed_id' in staffFrame({ ...message('client'), feed_id: 9 })).toBe(false);
  });
});
