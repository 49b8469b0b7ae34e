import type { OutgoingEvent } from '@chat-realtime/messaging';
import { createLogger, type Logger } from '@chat-realtime/service-kit';

export const testLogger: Logger = createLogger({
  service: 'channel-dispatcher',
  level: process.env['CHAT_TEST_LOG'] === undefined ? 'silent' : 'debug',
});

export function messageEvent(sessionId: number, seq: number): OutgoingEvent {
  return {
    routingKey: 'chat.message.sent',
    event: {
      v: 1,
      type: 'chat.message',
      session_id: sessionId,
      seq,
      data: {
        id: sessionId * 100_000 + seq,
        sender_type: 'client',
        body: `message ${seq} of session ${sessionId}, about as long as people write in a support chat`,
        attachments: [],
        created_at: '2026-11-23T10:00:00.000Z',
        client_message_id: '0198c0de-0000-7000-8000-000000000001',
      },
      subscribers: { session_id: sessionId, assigned_user_id: null },
      occurred_at: new Date().toISOString(),
    },
  };
}

/** A whole chat was erased, through this seq. */
export function erasedEvent(sessionId: number, seq: number): OutgoingEvent {
  const { event } = messageEvent(sessionId, seq);
  const data = { scope: 'session', through_seq: seq };
  return { routingKey: 'chat.session.updated', event: { ...event, type: 'chat.erased', data } };
}

/** `count` events of `sessions` sessions, by turns. */
export function interleaved(sessions: number, count: number, firstSeq = 1): OutgoingEvent[] {
  return Array.from({ length: count }, (_, index) =>
    messageEvent((index % sessions) + 1, firstSeq + Math.floor(index / sessions)),
  );
}
