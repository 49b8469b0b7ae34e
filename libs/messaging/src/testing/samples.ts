import type { BrokerEphemeral } from '@chat-realtime/protocol';
import type { MessagingLogger } from '../logger.ts';
import type { OutgoingEvent } from '../ports/event-queue.ts';

/** A logger for tests: silent unless CHAT_TEST_LOG is set. */
export const testLogger: MessagingLogger = {
  debug: print,
  info: print,
  warn: print,
  error: print,
};

function print(details: object, message: string): void {
  if (process.env['CHAT_TEST_LOG'] !== undefined) console.log(message, details);
}

export function messageEvent(sessionId: number, seq: number, traceparent?: string): OutgoingEvent {
  return {
    routingKey: 'chat.message.sent',
    event: {
      v: 1,
      type: 'chat.message',
      session_id: sessionId,
      seq,
      data: { id: sessionId * 1_000 + seq, sender_type: 'client', body: `message ${seq}`, attachments: [] },
      subscribers: { session_id: sessionId, assigned_user_id: null },
      occurred_at: '2026-11-23T10:00:00.000Z',
    },
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

export function messageEvents(sessionId: number, from: number, to: number): OutgoingEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => messageEvent(sessionId, from + index));
}

export function readMark(sessionId: number, readId: number): BrokerEphemeral {
  return {
    v: 1,
    type: 'chat.read',
    session_id: sessionId,
    seq: null,
    data: { by: 'staff', delivered_id: readId, read_id: readId },
  };
}
