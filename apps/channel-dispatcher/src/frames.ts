import {
  type BrokerEphemeral,
  type BrokerEvent,
  CONTROL_CHANNEL,
  frameTexts,
  sessionChannel,
  STAFF_CHANNEL,
  STAFF_STREAM_FIELD,
  STAFF_STREAM_KEY,
  STAFF_STREAM_MAX_LENGTH,
} from '@chat-realtime/protocol';
import type { FanoutCommand } from '@chat-realtime/messaging';

/** Why an event that parses can't be dispatched; few and fixed, since they are metric labels. */
export const BAD_EVENTS = ['missing_session_id', 'missing_feed_seq'] as const;
export type BadEvent = (typeof BAD_EVENTS)[number];

export type EventCommands =
  | { readonly kind: 'durable' | 'staff_only'; readonly commands: readonly FanoutCommand[] }
  | { readonly kind: 'bad'; readonly reason: BadEvent };

/** The frames of one durable event. */
export function eventCommands(event: BrokerEvent): EventCommands {
  const { type, session_id: sessionId, seq } = event;
  // One of a relay of version 0.1 has its id alone.
  if (seq === null && event.feed_seq === undefined && event.feed_id === undefined)
    return { kind: 'bad', reason: 'missing_feed_seq' };
  const { customer, staff } = frameTexts(event);
  if (seq === null || customer === null) return { kind: 'staff_only', commands: toStaff(staff) };
  if (sessionId === null) return { kind: 'bad', reason: 'missing_session_id' };
  const commands = [publish(sessionChannel(sessionId), customer), ...toStaff(staff)];
  if (type !== 'chat.erased') return { kind: 'durable', commands };
  return { kind: 'durable', commands: [...commands, scrubOf(sessionId, seq, event.data['through_seq'])] };
}

/** The channel of an ephemeral message. It is not appended to the stream, whose readers only want durable events. */
export function ephemeralCommands(message: BrokerEphemeral): readonly FanoutCommand[] {
  switch (message.type) {
    case 'chat.read': {
      const { type, session_id, seq, data } = message;
      const frame = JSON.stringify({ type, session_id, seq, data });
      return [publish(sessionChannel(session_id), frame), publish(STAFF_CHANNEL, frame)];
    }
    case 'chat.alert': {
      const { type, session_id, seq, data } = message;
      return [publish(STAFF_CHANNEL, JSON.stringify({ type, session_id, seq, data }))];
    }
    case 'control.revoked':
    case 'control.status':
    case 'control.bans':
    case 'control.tick':
      return [publish(CONTROL_CHANNEL, JSON.stringify({ type: message.type, data: message.data }))];
  }
}

/** The stream is a copy of what was said, and must not outlive it. */
function scrubOf(sessionId: number, seq: number, through: unknown): FanoutCommand {
  const throughSeq = typeof through === 'number' ? through : seq;
  return { kind: 'scrub', stream: STAFF_STREAM_KEY, field: STAFF_STREAM_FIELD, sessionId, throughSeq };
}

function publish(channel: string, payload: string): FanoutCommand {
  return { kind: 'publish', channel, payload };
}

function toStaff(frame: string): FanoutCommand[] {
  return [
    publish(STAFF_CHANNEL, frame),
    {
      kind: 'append',
      stream: STAFF_STREAM_KEY,
      field: STAFF_STREAM_FIELD,
      payload: frame,
      maxLength: STAFF_STREAM_MAX_LENGTH,
    },
  ];
}
