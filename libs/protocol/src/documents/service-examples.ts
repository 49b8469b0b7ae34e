import {
  AT,
  badge,
  caughtUp,
  CURSOR,
  customerReady,
  marks,
  question,
  revocation,
  subscribers,
  WRITTEN,
  type Examples,
} from './example-parts.ts';

/** Examples of what the services, the broker and a site's own backend send each other. */
export const SERVICE_EXAMPLES: Pick<
  Examples,
  | 'ShadowReport'
  | 'PlainEvent'
  | 'IntakeRequest'
  | 'IntakeResponse'
  | 'IntakeSessionsRequest'
  | 'IntakeSessions'
  | 'CatchupRequest'
  | 'CatchupSession'
  | 'CatchupResponse'
  | 'AcksRequest'
  | 'Revocation'
  | 'Hops'
  | 'Trace'
  | 'DrainStatus'
  | 'BrokerEvent'
  | 'BrokerEphemeral'
  | 'GatewayControl'
> = {
  ShadowReport: [{ both: 2, channel_only: 0, polling_only: 0, ahead_ms: [2140, 3871] }],
  PlainEvent: [
    {
      type: 'chat.message',
      session_id: 123,
      data: { id: 456, sender_type: 'client', body: 'Hello!', created_at: AT },
    },
    { type: 'chat.session.assigned', session_id: 123, data: { assigned_user_id: '7' }, message_id: 'b7e2c1d0-1' },
  ],
  IntakeRequest: [
    {
      events: [
        { type: 'chat.message', session_id: 123, data: { id: 456, sender_type: 'client', body: 'Hello!' } },
        { type: 'chat.session.status', session_id: 123, data: { status: 'closed' }, message_id: 'b7e2c1d0-2' },
      ],
    },
  ],
  IntakeResponse: [
    { accepted: 2, duplicate: 0 },
    { accepted: 1, duplicate: 1, ids: { sessions: { 'chat-5f3a': 4503599627370498 }, messages: {} } },
  ],
  IntakeSessionsRequest: [{ sessions: ['chat-5f3a', 123] }],
  IntakeSessions: [{ sessions: { 'chat-5f3a': 4503599627370498, 123: 123 } }],
  CatchupRequest: [
    {
      sessions: [{ id: 123, after_seq: 4 }, { id: 140 }],
      limit: 500,
      feed: { after: CURSOR, limit: 500 },
      presence: { gateway_id: 'gw1', operators: [{ id: '7', name: 'Boris' }] },
      revocations_after: 8,
    },
  ],
  CatchupSession: [caughtUp],
  CatchupResponse: [
    {
      sessions: [caughtUp, { id: 140, last_seq: 2, events: [], has_more: false }],
      all_sessions: true,
      epoch: customerReady.epoch,
      badge,
      operators_online: 2,
      revocations: [revocation],
      revocations_head: 9,
    },
  ],
  AcksRequest: [{ acks: [{ session_id: 123, participant: 'client', last_id: 457, at: AT }] }],
  Revocation: [revocation],
  Hops: [{ where: 'channel-gateway-1', hops: [WRITTEN] }],
  Trace: [
    {
      session_id: 123,
      seq: 2,
      type: 'chat.message',
      hops: [
        { hop: 'stored', at: AT, where: 'database' },
        WRITTEN,
        { hop: 'read', at: AT, where: 'database', to: 'client' },
      ],
      silent: ['http://channel-gateway-2:8103'],
    },
  ],
  DrainStatus: [{ draining: true, connections: 42, drain_seconds: 20 }],
  BrokerEvent: [
    {
      v: 1,
      type: 'chat.message',
      session_id: 123,
      seq: 2,
      data: question,
      subscribers,
      occurred_at: AT,
    },
  ],
  BrokerEphemeral: [
    { v: 1, type: 'chat.read', session_id: 123, seq: null, data: { by: 'client', ...marks } },
    { v: 1, type: 'control.tick', data: { revocations_head: 9 } },
    { v: 1, type: 'control.bans', data: {} },
  ],
  GatewayControl: [
    { type: 'control.revoked', data: revocation },
    { type: 'control.displaced', data: { connection_id: 'gw1-4e11' } },
  ],
};
