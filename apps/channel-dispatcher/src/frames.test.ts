import {
  type BrokerEvent,
  brokerEphemeralSchema,
  controlMessageSchema,
  ephemeralFrameSchema,
  sessionEventSchema,
  staffEventSchema,
} from '@chat-realtime/protocol';
import type { FanoutCommand } from '@chat-realtime/messaging';
import { describe, expect, it } from 'vitest';
import { ephemeralCommands, eventCommands } from './frames.ts';

const base = { v: 1, session_id: 5, seq: 3, occurred_at: '2026-11-23T10:00:00Z' } as const;
const subscribers = { session_id: 5, assigned_user_id: '7' };
const message = (sender: string): BrokerEvent => ({
  ...base,
  type: 'chat.message',
  data: {
    id: 9,
    sender_type: sender,
    body: 'привет "мир" \u2028 </script>',
    attachments: [],
    created_at: '2026-11-23T10:00:00Z',
    client_message_id: null,
  },
  subscribers,
});

interface Sent {
  readonly target: string;
  readonly frame: Record<string, unknown>;
}

function sent(commands: readonly FanoutCommand[]): Sent[] {
  return commands.map((command) => {
    switch (command.kind) {
      case 'publish':
        return { target: command.channel, frame: JSON.parse(command.payload) };
      case 'append':
        return {
          target: `${command.stream} ${command.field} ${command.maxLength}`,
          frame: JSON.parse(command.payload),
        };
      case 'scrub':
        return { target: `${command.stream} ${command.field}`, frame: { ...command } };
    }
  });
}

function dispatched(event: BrokerEvent): Sent[] {
  const result = eventCommands(event);
  if (result.kind === 'bad') throw new Error(result.reason);
  return sent(result.commands);
}

describe('frames of durable events', () => {
  it.each([
    ['session', {}, 7],
    ['before', { through_seq: 4 }, 4],
  ])(
    '[ERA5] publishes an erasure of scope %s, then removes what was erased from the stream',
    (scope, more, throughSeq) => {
      const data = { scope, through_id: 9, kinds: ['messages'], ...more };
      const sentNow = dispatched({ ...message('client'), type: 'chat.erased', seq: 7, data });
      expect(sentNow.map(({ target }) => target)).toEqual([
        'chat:5',
        'chat:staff',
        'chat:staff:stream frame 10000',
        'chat:staff:stream frame',
      ]);
      expect(sentNow.at(-1)?.frame).toMatchObject({ kind: 'scrub', sessionId: 5, throughSeq });
    },
  );

  it('[RDS3] [EVT] sends a customer’s message as chat.message to them and as chat.message.client, with subscribers, to staff', () => {
    const event = message('client');
    const [customer, staff, stream, ...rest] = dispatched(event);
    expect(customer).toEqual({
      target: 'chat:5',
      frame: { type: 'chat.message', session_id: 5, seq: 3, data: event.data },
    });
    expect(staff).toEqual({
      target: 'chat:staff',
      frame: { type: 'chat.message.client', session_id: 5, seq: 3, data: event.data, subscribers },
    });
    expect(stream).toEqual({ target: 'chat:staff:stream frame 10000', frame: staff?.frame });
    expect(rest).toEqual([]);
    expect(sessionEventSchema.safeParse(customer?.frame).success).toBe(true);
    expect(staffEventSchema.safeParse(staff?.frame).success).toBe(true);
  });

  it('[EVT] passes on an operator’s message and other types unchanged', () => {
    expect(dispatched(message('operator'))[1]?.frame['type']).toBe('chat.message');
    const unknown = { ...message('client'), type: 'chat.something.new' };
    expect(dispatched(unknown).map(({ frame }) => frame['type'])).toEqual(Array(3).fill('chat.something.new'));
  });

  it('[EVT] puts personal data of a new session into the staff copy only', () => {
    const contact = { name: 'Ann', email: 'ann@example.org', phone: null };
    const session = { id: 5, status: 'new' };
    const event: BrokerEvent = {
      ...base,
      seq: 1,
      type: 'chat.session.created',
      data: { session },
      staff_data: { contact },
      subscribers,
    };
    const [customer, staff] = dispatched(event);
    expect(customer?.frame['data']).toEqual({ session });
    expect(JSON.stringify(customer)).not.toContain('Ann');
    expect(staff?.frame['data']).toEqual({ session, contact });
  });

  it('[FEED] sends staff-only events only to staff, without seq', () => {
    const note: BrokerEvent = {
      ...message('operator'),
      type: 'chat.note',
      seq: null,
      feed_id: 77,
      data: { id: 77, body: 'secret' },
    };
    expect(dispatched(note)).toEqual(
      ['chat:staff', 'chat:staff:stream frame 10000'].map((target) => ({
        target,
        frame: { type: 'chat.note', session_id: 5, seq: null, feed_id: 77, data: note.data, subscribers },
      })),
    );
    const ownerless = { ...note, type: 'chat.callback.staff', session_id: null };
    expect(dispatched(ownerless)[0]?.frame['session_id']).toBeNull();
  });

  it('[AMQP] rejects a message without a position', () => {
    expect(eventCommands({ ...message('client'), session_id: null })).toEqual({
      kind: 'bad',
      reason: 'missing_session_id',
    });
    expect(eventCommands({ ...message('client'), seq: null })).toEqual({ kind: 'bad', reason: 'missing_feed_seq' });
  });
});

describe('frames of ephemeral messages', () => {
  const frames = (message: object): Sent[] => sent(ephemeralCommands(brokerEphemeralSchema.parse(message)));

  it('[RD] sends read marks to the session and to staff', () => {
    const data = { by: 'staff', delivered_id: 4, read_id: 3 };
    const frame = { type: 'chat.read', session_id: 5, seq: null, data };
    expect(frames({ v: 1, ...frame })).toEqual([
      { target: 'chat:5', frame },
      { target: 'chat:staff', frame },
    ]);
    expect(ephemeralFrameSchema.safeParse(frame).success).toBe(true);
  });

  it('[ALR] sends the badge only to staff', () => {
    const data = { reason: 'badge', unassigned_unread: 1, mine_unread: { 7: 2 }, waiting_count: 1 };
    const frame = { type: 'chat.alert', session_id: null, seq: null, data };
    expect(frames({ v: 1, ...frame })).toEqual([{ target: 'chat:staff', frame }]);
  });

  it('[REV] sends control messages only to the gateways', () => {
    const revoked = { type: 'control.revoked', data: { id: 1, kind: 'session', subject: '5', not_after: 10 } };
    const tick = { type: 'control.tick', data: { revocations_head: 3 } };
    const status = { type: 'control.status', data: { user_id: 'anna', status: 'away', version: 1 } };
    const bans = { type: 'control.bans', data: {} };
    for (const frame of [revoked, tick, status, bans]) {
      expect(frames({ v: 1, ...frame })).toEqual([{ target: 'chat:control', frame }]);
      expect(controlMessageSchema.safeParse(frame).success).toBe(true);
    }
  });
});
