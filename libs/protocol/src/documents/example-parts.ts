// What several examples have in common: one customer, one operator and their chat.
import type { Hop } from '../trace.ts';
import type { z } from 'zod';
import type { NAMED_SCHEMAS, SchemaName } from '../schemas.ts';

export type Examples = { readonly [N in SchemaName]: readonly Wire<N>[] };

/** As it is in JSON: what a schema accepts, with every optional part allowed. */
export type Wire<N extends SchemaName> = z.input<(typeof NAMED_SCHEMAS)[N]>;

export const AT = '2026-11-08T10:30:11.402+03:00';
export const WRITTEN: Hop = {
  hop: 'written',
  at: AT,
  where: 'channel-gateway-1',
  path: 'live',
  to: 'customer',
  sockets: 1,
  connections: ['pyKx9nD1wQmZ0s3T'],
};
export const LATER = '2026-11-09T10:30:11+03:00';
export const CURSOR = '8412';
export const TOKEN = 'k1.1762587011.12CB2wIZQzgSncNVqukwL52L2rC_Kccv0cY5dNBq5ps';
export const JWT = 'eyJhbGciOiJFZERTQSIsImtpZCI6IjEifQ.eyJzdWIiOiI3In0.c2lnbmF0dXJl';
export const RESUME_KEY = 'q4Jt1bW0pJmR5m7oO2bq9pVnq3wY8s0kLr6tC1xZ2aE';
export const UUID = '6f9619ff-8b86-4011-b42d-00cf4fc964ff';

export const contact = { name: 'Anna', email: 'anna@example.com', phone: '+79161234567' };
export const session = {
  id: 123,
  status: 'active',
  created_at: AT,
  assigned_user_id: '7',
  assigned_user_name: 'Boris',
  last_seq: 6,
  version: 6,
  callback_pending: false,
};
export const fresh = {
  ...session,
  status: 'new',
  assigned_user_id: null,
  assigned_user_name: null,
  last_seq: 2,
  version: 2,
};
export const attachment = {
  id: 'f3c1a9d2',
  name: 'lamp.jpg',
  mime: 'image/jpeg',
  size: 48_213,
  width: 1_200,
  height: 900,
  url: '/chat/attachments/f3c1a9d2?sig=k1.1762673411.pT3f',
};
export const question = {
  id: 456,
  sender_type: 'client' as const,
  sender_id: null,
  sender_name: 'Anna',
  body: 'Hello! Is the lamp in stock?',
  attachments: [],
  created_at: AT,
  client_message_id: UUID,
};
export const reply = {
  ...question,
  id: 457,
  sender_type: 'operator' as const,
  sender_id: '7',
  sender_name: 'Boris',
  body: 'Yes, we have three.',
  attachments: [attachment],
  client_message_id: '0f8fad5b-d9cb-469f-a165-70867728950e',
};
export const note = {
  id: 12,
  session_id: 123,
  author_id: '7',
  author_name: 'Boris',
  body: 'Asks for a discount; I promised to check.',
  created_at: AT,
};
export const callback = { id: 31, status: 'new' as const, preferred_at: LATER };
export const staffCallback = {
  ...callback,
  session_id: 123,
  phone: '+79161234567',
  name: 'Anna',
  comment: 'in the afternoon',
  due_at: LATER,
  assigned_user_id: null,
  result: null,
  created_at: AT,
  updated_at: AT,
};
export const consentProof = {
  given: { version: '2026-01', accepted: true },
  at: AT,
  text: { version: '2026-01', text: 'I agree', url: 'https://shop.example/privacy', texts: {}, since: AT },
};
export const staffSession = {
  ...session,
  contact,
  locale: 'ru',
  page_url: 'https://shop.example/lamps/42',
  attributes: { plan: 'business' },
  consent: consentProof,
  customer_id: null,
  telegram: { blocked_at: null },
  updated_at: AT,
  unread_count: 1,
  waiting_since: AT,
  last_message: question,
  client_last_seen_id: 455,
  client_read_id: 455,
  staff_read_id: 450,
};
export const subscribers = { session_id: 123, assigned_user_id: '7' };
export const badge = { reason: 'badge' as const, unassigned_unread: 2, mine_unread: { '7': 1 }, waiting_count: 3 };
export const users = [
  { id: '7', name: 'Boris', state: 'online' as const, viewing: 123 },
  { id: '8', name: 'Vera', state: 'away' as const },
];
export const marks = { delivered_id: 457, read_id: 455 };
export const customerState = { client: marks, staff: { delivered_id: 456, read_id: 456 }, operators_online: 2 };
export const customerReady = {
  session_id: 123,
  from_seq: 4,
  last_seq: 6,
  epoch: '01K9ZC6W4T',
  ping_interval: 30,
  connection_id: 'gw1-5f2c',
  expires_at: LATER,
  state: customerState,
};
const { session_id: _session, ...readyOfAll } = customerReady;
export const staffReady = {
  ...readyOfAll,
  user_id: '7',
  from_seq: null,
  last_seq: null,
  cursor: CURSOR,
  state: { badge, users },
};
const created = { type: 'chat.session.created' as const, session_id: 123, seq: 1 };
export const erased = {
  scope: 'session' as const,
  through_id: 457,
  kinds: ['messages' as const, 'files' as const, 'contacts' as const, 'callbacks' as const],
};
export const sessionEvents: Wire<'SessionEvent'>[] = [
  { ...created, data: { session: fresh } },
  { type: 'chat.message', session_id: 123, seq: 2, data: question },
  {
    type: 'chat.session.assigned',
    session_id: 123,
    seq: 3,
    data: { assigned_user_id: '7', assigned_user_name: 'Boris', by: '7' },
  },
  {
    type: 'chat.session.status',
    session_id: 123,
    seq: 4,
    data: { status: 'active', previous: 'new', reason: 'operator', by: '7' },
  },
  { type: 'chat.callback', session_id: 123, seq: 6, data: { ...callback, callback_pending: true } },
  { type: 'chat.erased', session_id: 123, seq: 7, data: erased },
];
const ofStaff = { feed_seq: 8_412, cursor: CURSOR, subscribers };
export const staffEvents: Wire<'StaffEvent'>[] = [
  { ...created, data: { session: fresh, contact }, ...ofStaff },
  { type: 'chat.message.client', session_id: 123, seq: 2, data: question, ...ofStaff },
  {
    type: 'chat.session.assigned',
    session_id: 123,
    seq: 3,
    data: { assigned_user_id: '7', assigned_user_name: 'Boris', by: '7' },
    cursor: CURSOR,
    subscribers: { ...subscribers, previous_user_id: null },
  },
  {
    type: 'chat.session.status',
    session_id: 123,
    seq: 4,
    data: { status: 'active', previous: 'new', reason: 'operator', by: '7' },
    ...ofStaff,
  },
  { type: 'chat.message', session_id: 123, seq: 5, data: reply, ...ofStaff },
  { type: 'chat.callback', session_id: 123, seq: 6, data: { ...callback, callback_pending: true }, ...ofStaff },
  { type: 'chat.erased', session_id: 123, seq: 7, data: erased, ...ofStaff },
  { type: 'chat.note', session_id: 123, seq: null, feed_id: 981, data: note, ...ofStaff },
  { type: 'chat.callback.staff', session_id: 123, seq: null, feed_id: 982, data: staffCallback, ...ofStaff },
];
export const ephemeral: Wire<'EphemeralFrame'>[] = [
  {
    type: 'chat.typing',
    session_id: 123,
    seq: null,
    data: { by: 'staff', user_id: '7', name: 'Boris', active: true },
  },
  { type: 'chat.read', session_id: 123, seq: null, data: { by: 'client', ...marks } },
  { type: 'chat.presence', session_id: 123, seq: null, data: { operators_online: 2 } },
  { type: 'chat.presence', session_id: null, seq: null, data: { users } },
  { type: 'chat.alert', session_id: null, seq: null, data: badge },
];
export const control: Wire<'ControlFrame'>[] = [
  { type: 'channel.ready', data: customerReady },
  { type: 'channel.ready', data: staffReady, cursor: CURSOR },
  { type: 'channel.cursor', cursor: CURSOR },
  { type: 'channel.refreshed', data: { expires_at: LATER } },
  { type: 'channel.pong' },
  { type: 'channel.reset', data: { reason: 'cursor_ahead' } },
  { type: 'channel.degraded', data: { reason: 'live_path_silent' } },
  { type: 'channel.restored', data: {} },
  { type: 'channel.goodbye', data: { reconnect_in_ms: 7_400 } },
  { type: 'channel.closed', data: { code: 4401, reason: 'token_expired' } },
  { type: 'error', data: { code: 'malformed_request', message: 'the frame is not JSON' } },
];
export const user = { id: '7', login: 'boris', name: 'Boris', role: 'operator' as const, scope: 'all' as const };
export const signedIn = {
  access_token: JWT,
  token_type: 'Bearer' as const,
  expires_in: 900,
  refresh_token: 'v3Jx0n8r2Q7mX1',
  user,
};
export const quickReply = {
  id: 5,
  shortcut: 'delivery',
  title: 'Delivery',
  text: '{{name}}, delivery takes two days.',
  updated_at: AT,
  updated_by: '7',
};
export const ban = {
  id: 3,
  by: 'address' as const,
  session_id: 123,
  customer_id: null,
  address: '203.0.113.7',
  reason: 'spam',
  until: LATER,
  created_at: AT,
  created_by: '7',
  created_by_name: 'Boris',
};
export const operatorAccount = {
  id: '7',
  login: 'boris',
  name: 'Boris',
  role: 'operator' as const,
  scope: 'all' as const,
  active: true,
  second_factor: false,
  oidc: false,
  created_at: AT,
  updated_at: AT,
};
export const auditEntry = {
  id: 41,
  at: AT,
  actor_id: '7',
  actor_name: 'Boris',
  action: 'ban.created',
  subject: 'session:123',
  details: { ban_id: 3, by: 'address', until: LATER },
};
export const savedTheme = { accent: '#2f5d50', scheme: 'auto' as const, title: 'Quiet Home' };
export const openingHours = {
  timezone: 'Europe/Moscow',
  hours: { mon: ['09:00-18:00'], sat: ['10:00-16:00'] },
  holidays: ['2027-01-01'],
};
export const rules = {
  saved: {
    schedule: openingHours,
    attachments: { max_bytes: 5_242_880, types: ['image/*', 'application/pdf'] },
    retention: { messages: 365 },
  },
  effective: {
    schedule: openingHours,
    consent: { version: '1', text: 'I agree to the processing of my personal data', url: null },
    prechat_fields: [{ name: 'message' as const, required: true }],
    custom_fields: [],
    alerts: { waiting_seconds: 60, reply_unseen_seconds: 120, callback_due_minutes: 120 },
    attachments: {
      enabled: true,
      max_bytes: 5_242_880,
      types: ['image/*', 'application/pdf'],
      limit: { max_bytes: 10_485_760, types: [] },
    },
    retention: { messages: 365, files: 0, contacts: 0, callbacks: 0, alerts: 30 },
    origins: ['https://shop.example'],
    tokens: { channel_seconds: 86_400 },
  },
  fixed: ['alerts.waiting_seconds'],
};
export const keys = [
  { variable: 'SITE_API_KEY', set: true },
  { variable: 'EVENTS_API_KEY', set: false },
];
export const parts = { retention: { updated_at: AT, updated_by: '7' } };
export const webhook = { urls: ['https://shop.example/hooks/chat'], secret: 'saved' as const, saved: true };
export const texts = { 'greeting.ru': 'Здравствуйте! Чем помочь?', 'greeting.en': 'Hello! How can we help?' };
export const revocation = { id: 9, kind: 'session' as const, subject: '123', not_after: 1_762_590_611 };
export const chosen = { user_id: '7', status: 'away' as const, version: 4 };
export const caughtUp = {
  id: 123,
  last_seq: 6,
  events: sessionEvents.slice(3),
  has_more: false,
  state: customerState,
  assigned_user_id: '7',
  revoked_at: null,
};

export const sessionExport: Wire<'SessionExport'> = {
  exported_at: LATER,
  session: staffSession,
  consent: consentProof,
  address: { address: '203.0.113.7', seen_at: AT },
  telegram: { telegram_user_id: 7_000_000_001, linked_at: AT, blocked_at: null },
  devices: [{ endpoint: 'https://push.example/send/1', device: 'Firefox', locale: 'ru', created_at: AT }],
  mails: [{ kind: 'reply', address: 'maria@mail.example', created_at: AT, sent_at: LATER }],
  read: { ...marks, at: LATER },
  bans: [ban],
  alerts: [{ reason: 'waiting', created_at: AT }],
  callbacks: [{ ...staffCallback, consent: consentProof }],
  messages: [question, reply],
  notes: [note],
};
