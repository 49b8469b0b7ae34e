import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { brokerEphemeralSchema, brokerEventSchema, brokerMessageId } from './broker.ts';
import * as channel from './channel.ts';
import * as query from './channel-query.ts';
import * as events from './events.ts';
import * as fanout from './fanout.ts';
import * as internal from './internal.ts';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;
const now = '2025-11-08T10:30:11+03:00';
const message = {
  id: 456,
  sender_type: 'client',
  body: '…',
  attachments: [],
  created_at: now,
  client_message_id: null,
};
const session = {
  id: 123,
  status: 'new',
  created_at: now,
  assigned_user_id: null,
  last_seq: 1,
  version: 1,
  callback_pending: false,
};
const contact = { name: 'Ann', email: 'ann@example.com', phone: '+49' };

describe('events', () => {
  it.each([
    ['chat.session.created', { session }],
    ['chat.message', message],
    ['chat.session.assigned', { assigned_user_id: '7', assigned_user_name: 'Anna', by: '7' }],
    ['chat.session.assigned', { assigned_user_id: null, by: 'system' }],
    ['chat.session.status', { status: 'closed', previous: 'active', reason: 'operator', by: '7' }],
    ['chat.callback', { id: 3, status: 'new', preferred_at: null }],
  ])('[EVT4] %s for customer and staff', (type, data) => {
    const frame = { type, session_id: 123, seq: 2, data };
    expect(events.sessionEventSchema.parse(frame)).toEqual(frame);
    expect(accepts(events.staffEventSchema, frame)).toBe(true);
    for (const bad of [
      { seq: 0 },
      { seq: null },
      { seq: '2' },
      { session_id: null },
      { data: null },
      { data: {} },
      { type: 'chat.unknown' },
    ]) {
      expect(accepts(events.sessionEventSchema, { ...frame, ...bad }), JSON.stringify(bad)).toBe(false);
    }
  });

  it("[EVT6] a customer's copy has no contact, cursor or subscribers", () => {
    const subscribers = { session_id: 123, assigned_user_id: null };
    const staff = {
      type: 'chat.session.created',
      session_id: 123,
      seq: 1,
      data: { session, contact },
      cursor: '56',
      feed_seq: 56,
      subscribers,
    };
    expect(events.staffEventSchema.parse(staff)).toEqual(staff);
    expect(events.sessionEventSchema.parse(staff)).toEqual({
      type: 'chat.session.created',
      session_id: 123,
      seq: 1,
      data: { session },
    });
  });

  it("[EVT5] a customer's message is chat.message.client for staff", () => {
    expect(events.staffEventType('chat.message', 'client')).toBe('chat.message.client');
    expect(events.staffEventType('chat.message', 'operator')).toBe('chat.message');
    expect(events.staffEventType('chat.message', 'system')).toBe('chat.message');
    expect(events.staffEventType('chat.session.status', undefined)).toBe('chat.session.status');
    expect(
      accepts(events.sessionEventSchema, { type: 'chat.message.client', session_id: 1, seq: 1, data: message }),
    ).toBe(false);
  });

  it('[EVT7] staff-only events have feed_id and no seq, and are never sent to customers', () => {
    const note = { id: 9, session_id: 123, author_id: '7', author_name: null, body: 'x', created_at: now };
    const frame = { type: 'chat.note', session_id: 123, seq: null, feed_id: 9, data: note };
    expect(events.staffEventSchema.parse(frame)).toEqual(frame);
    expect(accepts(events.staffEventSchema, { ...frame, seq: 3 })).toBe(false);
    expect(accepts(events.staffEventSchema, { ...frame, feed_id: undefined })).toBe(false);
    expect(accepts(events.sessionEventSchema, frame)).toBe(false);
  });

  it('[FRM3] ephemeral frames have seq null', () => {
    const good = [
      { type: 'chat.typing', session_id: 1, seq: null, data: { by: 'client', active: true } },
      { type: 'chat.read', session_id: 1, seq: null, data: { by: 'staff', delivered_id: 2, read_id: 1 } },
      { type: 'chat.presence', session_id: 1, seq: null, data: { operators_online: 0 } },
      {
        type: 'chat.presence',
        session_id: null,
        seq: null,
        data: { users: [{ id: '7', name: null, state: 'online', viewing: 3 }] },
      },
      {
        type: 'chat.alert',
        session_id: null,
        seq: null,
        data: { reason: 'badge', unassigned_unread: 1, mine_unread: { 7: 2 }, waiting_count: 3 },
      },
    ];
    for (const frame of good) {
      expect(events.ephemeralFrameSchema.parse(frame)).toEqual(frame);
      expect(accepts(events.ephemeralFrameSchema, { ...frame, seq: 1 })).toBe(false);
      expect(events.EPHEMERAL_TYPES.has(frame.type)).toBe(true);
    }
  });
});

it('[FRM2] no frame that carries events or state has a last_id', () => {
  const down = [
    events.sessionEventSchema,
    events.staffEventSchema,
    events.ephemeralFrameSchema,
    channel.controlFrameSchema,
  ];
  for (const schema of down) expect(JSON.stringify(z.toJSONSchema(schema))).not.toContain('last_id');
  expect(JSON.stringify(z.toJSONSchema(channel.ackFrameSchema))).toContain('last_id');
});

describe('inbound frames', () => {
  it.each([
    [{ type: 'auth', session_id: 123, token: 't', last_seq: 7 }],
    [{ type: 'auth', session_id: 123, token: 't', replaces: 'c1' }],
    [{ type: 'auth', access_token: 't', cursor: '12' }],
    [{ type: 'ack', last_id: 456 }],
    [{ type: 'ack', items: [{ session_id: 1, last_id: 2 }] }],
    [{ type: 'typing', active: true }],
    [{ type: 'typing', session_id: 5, active: false }],
    [{ type: 'viewing', session_id: 5 }],
    [{ type: 'viewing', session_id: null }],
    [{ type: 'ping' }],
  ])('[FRM1] %j is accepted', (frame) => expect(channel.clientFrameSchema.parse(frame)).toEqual(frame));

  it('[ERR11] unknown fields are ignored', () => {
    expect(channel.clientFrameSchema.parse({ type: 'ping', at: 5 })).toEqual({ type: 'ping' });
  });

  it.each([
    [null],
    [[]],
    ['ping'],
    [5],
    [{}],
    [{ type: '__proto__' }],
    [{ type: 'subscribe' }],
    [{ type: 'ack' }],
    [{ type: 'ack', last_id: '456' }],
    [{ type: 'ack', last_id: -1 }],
    [{ type: 'ack', last_id: 1.5 }],
    [{ type: 'ack', items: {} }],
    [{ type: 'typing' }],
    [{ type: 'typing', active: 'yes' }],
    [{ type: 'typing', active: true, session_id: '5' }],
    [{ type: 'viewing' }],
    [{ type: 'auth' }],
    [{ type: 'auth', token: 't' }],
    [{ type: 'auth', session_id: '123', token: 't' }],
    [{ type: 'auth', access_token: 't', cursor: 'x' }],
  ])('[FRM8] %j is refused', (frame) => expect(accepts(channel.clientFrameSchema, frame)).toBe(false));

  it('[ACK1] an ack has at most 100 items', () => {
    const items = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ session_id: index + 1, last_id: 1 }));
    expect(accepts(channel.ackFrameSchema, { type: 'ack', items: items(100) })).toBe(true);
    expect(accepts(channel.ackFrameSchema, { type: 'ack', items: items(101) })).toBe(false);
  });
});

describe('outbound frames', () => {
  it('[WS8] [WS14] [STF2] channel.ready is valid for both kinds', () => {
    const common = { epoch: 'e', ping_interval: 30, connection_id: 'c1', expires_at: now };
    const marks = { delivered_id: 0, read_id: 0 };
    const customer = {
      session_id: 123,
      from_seq: 0,
      last_seq: 7,
      ...common,
      state: { client: marks, staff: marks, operators_online: 1 },
    };
    const badge = { reason: 'badge', unassigned_unread: 0, mine_unread: {}, waiting_count: 0 };
    const staff = {
      user_id: '7',
      from_seq: null,
      last_seq: null,
      cursor: '12',
      ...common,
      state: { badge, users: [] },
    };
    for (const data of [customer, staff]) {
      expect(channel.controlFrameSchema.parse({ type: 'channel.ready', data })).toEqual({
        type: 'channel.ready',
        data,
      });
      expect(accepts(channel.channelReadyDataSchema, { ...data, epoch: undefined })).toBe(false);
      expect(accepts(channel.channelReadyDataSchema, { ...data, from_seq: -1 })).toBe(false);
    }
  });

  it('[FRM1] frames about the connection have no seq', () => {
    const good = [
      { type: 'channel.cursor', cursor: '8412' },
      { type: 'channel.refreshed', data: { expires_at: now } },
      { type: 'channel.pong' },
      { type: 'channel.reset', data: { reason: 'cursor_ahead' } },
      { type: 'channel.degraded', data: { reason: 'live_path_silent' } },
      { type: 'channel.restored', data: {} },
      { type: 'channel.goodbye', data: { reconnect_in_ms: 0 } },
      { type: 'channel.closed', data: { code: 4401, reason: 'token_expired' } },
      { type: 'error', data: { code: 'malformed_request', message: 'no JSON' } },
    ];
    for (const frame of good) expect(channel.controlFrameSchema.parse(frame)).toEqual(frame);
    expect(accepts(channel.controlFrameSchema, { type: 'channel.reset', data: { reason: 'because' } })).toBe(false);
  });
});

describe('queries of the channel', () => {
  it('[POLL1] [POLL5] wait is 0–30, and 0 by default', () => {
    expect(query.pollQuerySchema.parse({ session: '5', last_seq: '0' })).toEqual({ session: 5, last_seq: 0, wait: 0 });
    expect(query.pollQuerySchema.parse({ wait: '30' })).toEqual({ wait: 30 });
    for (const bad of [
      { wait: '31' },
      { wait: '-1' },
      { wait: '1.5' },
      { last_seq: '-1' },
      { last_seq: '9007199254740993' },
      { cursor: 'x' },
      { type: 'admin' },
    ]) {
      expect(accepts(query.pollQuerySchema, bad), JSON.stringify(bad)).toBe(false);
    }
  });
});

describe('calls between services', () => {
  it('[INT2] [INT4] the catch-up request is limited', () => {
    expect(accepts(internal.catchupRequestSchema, { sessions: [{ id: 1, after_seq: 0 }, { id: 2 }], limit: 500 })).toBe(
      true,
    );
    const heads = Array.from({ length: 10_001 }, (_, index) => ({ id: index + 1 }));
    const resumes = heads.slice(0, 513).map(({ id }) => ({ id, after_seq: 0 }));
    expect(accepts(internal.catchupRequestSchema, { sessions: heads.slice(1), limit: 1 })).toBe(true);
    expect(accepts(internal.catchupRequestSchema, { sessions: heads, limit: 1 })).toBe(false);
    expect(accepts(internal.catchupRequestSchema, { sessions: resumes.slice(1), limit: 1 })).toBe(true);
    expect(accepts(internal.catchupRequestSchema, { sessions: resumes, limit: 1 })).toBe(false);
    for (const limit of [0, 501, '5', undefined])
      expect(accepts(internal.catchupRequestSchema, { sessions: [], limit }), String(limit)).toBe(false);
  });

  it('[INT2] [INT6] the minimal answer of a foreign chat-service is valid', () => {
    const event = { type: 'chat.message', session_id: 1, seq: 2, data: message };
    const answer = { sessions: [{ id: 1, last_seq: 2, events: [event], has_more: false }] };
    expect(internal.catchupResponseSchema.parse(answer)).toEqual(answer);
    expect(accepts(internal.catchupResponseSchema, { sessions: [{ id: 1, events: [], has_more: false }] })).toBe(false);
  });

  it('[INT7] acks name their participant', () => {
    const ack = (participant: string) => ({ acks: [{ session_id: 1, participant, last_id: 5, at: now }] });
    for (const good of ['client', 'staff:7', 'staff:a:b'])
      expect(accepts(internal.acksRequestSchema, ack(good)), good).toBe(true);
    for (const bad of ['', 'staff', 'staff:', 'operator:7', 'client:1'])
      expect(accepts(internal.acksRequestSchema, ack(bad)), bad).toBe(false);
  });

  it('[AMQP2] an event in the queue has version, subscribers and time', () => {
    const subscribers = { session_id: 123, assigned_user_id: '7' };
    const event = { v: 1, type: 'chat.message', session_id: 123, seq: 5, data: message, subscribers, occurred_at: now };
    expect(brokerEventSchema.parse(event)).toEqual(event);
    for (const bad of [{ v: 2 }, { subscribers: undefined }, { data: [] }, { occurred_at: 'now' }, { seq: 0 }]) {
      expect(accepts(brokerEventSchema, { ...event, ...bad }), JSON.stringify(bad)).toBe(false);
    }
  });

  it('[AMQP3] the message id of an event is its session and seq, or its number in the feed', () => {
    expect(brokerMessageId({ session_id: 123, seq: 5, feed_seq: 9 })).toBe('123:5');
    expect(brokerMessageId({ session_id: null, seq: null, feed_seq: 9 })).toBe('feed:9');
  });

  it('[AMQP8] a tick contains the newest revocation', () => {
    expect(accepts(brokerEphemeralSchema, { v: 1, type: 'control.tick', data: { revocations_head: 0 } })).toBe(true);
  });

  it('[AMQP4] a message of a chat is never ephemeral', () => {
    expect(accepts(brokerEphemeralSchema, { v: 1, type: 'chat.message', session_id: 1, seq: 1, data: message })).toBe(
      false,
    );
  });

  it('[RDS2] [RDS4] names in Redis follow the contract', () => {
    expect(fanout.sessionChannel(123)).toBe('chat:123');
    expect(fanout.lastSeenKey(123)).toBe('chat:last_seen:123');
    expect([fanout.STAFF_CHANNEL, fanout.CONTROL_CHANNEL, fanout.STAFF_STREAM_KEY, fanout.STAFF_STREAM_FIELD]).toEqual([
      'chat:staff',
      'chat:control',
      'chat:staff:stream',
      'frame',
    ]);
  });

  it('[RDS6] control messages have a known type', () => {
    expect(accepts(fanout.controlMessageSchema, { type: 'control.displaced', data: { connection_id: 'c' } })).toBe(
      true,
    );
    expect(accepts(fanout.controlMessageSchema, { type: 'control.reboot', data: {} })).toBe(false);
  });
});
