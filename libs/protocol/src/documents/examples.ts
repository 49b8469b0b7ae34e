// Long because every named schema has its example here, and the examples share their parts.
import type { Hop } from '../trace.ts';
import type { z } from 'zod';
import type { NAMED_SCHEMAS, SchemaName } from '../schemas.ts';

/** As it is in JSON: what a schema accepts, with every optional part allowed. */
type Wire<N extends SchemaName> = z.input<(typeof NAMED_SCHEMAS)[N]>;

const AT = '2026-11-08T10:30:11.402+03:00';
const WRITTEN: Hop = {
  hop: 'written',
  at: AT,
  where: 'channel-gateway-1',
  path: 'live',
  to: 'customer',
  sockets: 1,
  connections: ['pyKx9nD1wQmZ0s3T'],
};
const LATER = '2026-11-09T10:30:11+03:00';
const CURSOR = '8412';
const TOKEN = 'k1.1762587011.12CB2wIZQzgSncNVqukwL52L2rC_Kccv0cY5dNBq5ps';
const JWT = 'eyJhbGciOiJFZERTQSIsImtpZCI6IjEifQ.eyJzdWIiOiI3In0.c2lnbmF0dXJl';
const RESUME_KEY = 'q4Jt1bW0pJmR5m7oO2bq9pVnq3wY8s0kLr6tC1xZ2aE';
const UUID = '6f9619ff-8b86-4011-b42d-00cf4fc964ff';

const contact = { name: 'Anna', email: 'anna@example.com', phone: '+79161234567' };
const session = {
  id: 123,
  status: 'active',
  created_at: AT,
  assigned_user_id: '7',
  assigned_user_name: 'Boris',
  last_seq: 6,
  version: 6,
  callback_pending: false,
};
const fresh = { ...session, status: 'new', assigned_user_id: null, assigned_user_name: null, last_seq: 2, version: 2 };
const attachment = {
  id: 'f3c1a9d2',
  name: 'lamp.jpg',
  mime: 'image/jpeg',
  size: 48_213,
  width: 1_200,
  height: 900,
  url: '/chat/attachments/f3c1a9d2?sig=k1.1762673411.pT3f',
};
const question = {
  id: 456,
  sender_type: 'client' as const,
  sender_id: null,
  sender_name: 'Anna',
  body: 'Hello! Is the lamp in stock?',
  attachments: [],
  created_at: AT,
  client_message_id: UUID,
};
const reply = {
  ...question,
  id: 457,
  sender_type: 'operator' as const,
  sender_id: '7',
  sender_name: 'Boris',
  body: 'Yes, we have three.',
  attachments: [attachment],
  client_message_id: '0f8fad5b-d9cb-469f-a165-70867728950e',
};
const note = {
  id: 12,
  session_id: 123,
  author_id: '7',
  author_name: 'Boris',
  body: 'Asks for a discount; I promised to check.',
  created_at: AT,
};
const callback = { id: 31, status: 'new' as const, preferred_at: LATER };
const staffCallback = {
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
const consentProof = {
  given: { version: '2026-01', accepted: true },
  at: AT,
  text: { version: '2026-01', text: 'I agree', url: 'https://shop.example/privacy', texts: {}, since: AT },
};
const staffSession = {
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
const subscribers = { session_id: 123, assigned_user_id: '7' };
const badge = { reason: 'badge' as const, unassigned_unread: 2, mine_unread: { '7': 1 }, waiting_count: 3 };
const users = [
  { id: '7', name: 'Boris', state: 'online' as const, viewing: 123 },
  { id: '8', name: 'Vera', state: 'away' as const },
];
const marks = { delivered_id: 457, read_id: 455 };
const customerState = { client: marks, staff: { delivered_id: 456, read_id: 456 }, operators_online: 2 };
const customerReady = {
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
const staffReady = {
  ...readyOfAll,
  user_id: '7',
  from_seq: null,
  last_seq: null,
  cursor: CURSOR,
  state: { badge, users },
};
const created = { type: 'chat.session.created' as const, session_id: 123, seq: 1 };
const erased = {
  scope: 'session' as const,
  through_id: 457,
  kinds: ['messages' as const, 'files' as const, 'contacts' as const, 'callbacks' as const],
};
const sessionEvents: Wire<'SessionEvent'>[] = [
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
const staffEvents: Wire<'StaffEvent'>[] = [
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
const ephemeral: Wire<'EphemeralFrame'>[] = [
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
const control: Wire<'ControlFrame'>[] = [
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
const user = { id: '7', login: 'boris', name: 'Boris', role: 'operator' as const, scope: 'all' as const };
const signedIn = {
  access_token: JWT,
  token_type: 'Bearer' as const,
  expires_in: 900,
  refresh_token: 'v3Jx0n8r2Q7mX1',
  user,
};
const quickReply = {
  id: 5,
  shortcut: 'delivery',
  title: 'Delivery',
  text: '{{name}}, delivery takes two days.',
  updated_at: AT,
  updated_by: '7',
};
const ban = {
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
const operatorAccount = {
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
const auditEntry = {
  id: 41,
  at: AT,
  actor_id: '7',
  actor_name: 'Boris',
  action: 'ban.created',
  subject: 'session:123',
  details: { ban_id: 3, by: 'address', until: LATER },
};
const savedTheme = { accent: '#2f5d50', scheme: 'auto' as const, title: 'Quiet Home' };
const openingHours = {
  timezone: 'Europe/Moscow',
  hours: { mon: ['09:00-18:00'], sat: ['10:00-16:00'] },
  holidays: ['2027-01-01'],
};
const rules = {
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
const keys = [
  { variable: 'SITE_API_KEY', set: true },
  { variable: 'EVENTS_API_KEY', set: false },
];
const parts = { retention: { updated_at: AT, updated_by: '7' } };
const webhook = { urls: ['https://shop.example/hooks/chat'], secret: 'saved' as const, saved: true };
const texts = { 'greeting.ru': 'Здравствуйте! Чем помочь?', 'greeting.en': 'Hello! How can we help?' };
const revocation = { id: 9, kind: 'session' as const, subject: '123', not_after: 1_762_590_611 };
const chosen = { user_id: '7', status: 'away' as const, version: 4 };
const caughtUp = {
  id: 123,
  last_seq: 6,
  events: sessionEvents.slice(3),
  has_more: false,
  state: customerState,
  assigned_user_id: '7',
  revoked_at: null,
};

/**
 * At least one example of every named schema, and for a frame one of each type. `openapi.json`, `asyncapi.json` and
 * SPEC.md print them; a test checks each against its schema.
 */
const sessionExport: Wire<'SessionExport'> = {
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

export const EXAMPLES: { readonly [N in SchemaName]: readonly Wire<N>[] } = {
  Error: [
    {
      error: {
        code: 'validation_failed',
        message: 'the request is invalid',
        request_id: '0b1c5e7a',
        details: { fields: [{ path: 'body', message: 'must not be empty' }] },
      },
    },
  ],
  Session: [session],
  StaffSession: [staffSession],
  SessionOrStaffSession: [session, staffSession],
  Contact: [contact],
  Message: [question, reply],
  Attachment: [attachment],
  Note: [note],
  Callback: [callback],
  StaffCallback: [staffCallback],
  SessionEvent: sessionEvents,
  StaffEvent: staffEvents,
  EphemeralFrame: ephemeral,
  Subscribers: [subscribers],
  Typing: [{ by: 'client', active: true }],
  ReadMarks: [{ by: 'client', ...marks }],
  Badge: [badge],
  StaffPresence: [{ users }],
  CustomerState: [customerState],
  StaffState: [{ badge, users }],
  ChannelReady: [customerReady, staffReady],
  ControlFrame: control,
  CustomerAuthFrame: [{ type: 'auth', session_id: 123, token: TOKEN, last_seq: 4, replaces: 'gw1-4e11' }],
  StaffAuthFrame: [{ type: 'auth', access_token: JWT, cursor: CURSOR, replaces: 'gw1-4e12' }],
  AckFrame: [
    { type: 'ack', last_id: 457 },
    { type: 'ack', items: [{ session_id: 123, last_id: 456 }] },
  ],
  TypingFrame: [
    { type: 'typing', active: true },
    { type: 'typing', session_id: 123, active: true },
  ],
  ViewingFrame: [
    { type: 'viewing', session_id: 123 },
    { type: 'viewing', session_id: null },
  ],
  PingFrame: [{ type: 'ping' }],
  CreateSessionRequest: [
    {
      ...contact,
      locale: 'ru',
      page_url: 'https://shop.example/lamps/42',
      attributes: { plan: 'business' },
      answers: { order: 'A-1042', topic: 'delivery' },
      consent: { version: '2026-01', accepted: true },
      resume_key: RESUME_KEY,
      message: { body: question.body, client_message_id: UUID },
    },
  ],
  CreateSessionResponse: [
    { session: fresh, token: TOKEN, expires_at: LATER, resume_key: RESUME_KEY, message: question },
  ],
  IdentityRequest: [{ identity_token: JWT, token: TOKEN, session_id: 123 }],
  IdentityResponse: [{ sessions: [session], session, token: TOKEN, expires_at: LATER }],
  IdentityLogoutRequest: [{ identity_token: JWT }],
  ChannelToken: [{ token: TOKEN, expires_at: LATER }],
  StreamLinkRequest: [{ expires_in: 3_600 }],
  StreamLink: [
    { url: '/chat/123/stream?sig=k1.1762590611.5vMH0FInY_XK_OI-jf3maPNYKGq-Tf5BUTGLWgh_3nE', expires_at: LATER },
  ],
  PostMessageRequest: [{ body: reply.body, client_message_id: UUID, attachments: ['f3c1a9d2'], expected_seq: 4 }],
  PostMessageResponse: [{ message: question }],
  Messages: [{ messages: [question, reply], has_more: false }],
  Events: [{ events: sessionEvents.slice(0, 2), last_seq: 6, has_more: true }],
  ReadRequest: [{ last_id: 457 }],
  ReadResponse: [{ read_id: 457 }],
  SessionList: [{ sessions: [staffSession], next_page: null, feed_cursor: CURSOR }],
  Feed: [{ events: staffEvents.slice(1, 2), cursor: CURSOR, has_more: false }],
  AssignRequest: [{ user_id: '8' }],
  SessionResponse: [{ session }],
  ContactRequest: [{ name: contact.name, phone: contact.phone }],
  ContactResponse: [{ session: staffSession }],
  PageRequest: [{ page_url: 'https://shop.example/lamps/42' }],
  NoteRequest: [{ body: note.body }],
  NoteResponse: [{ note }],
  Notes: [{ notes: [note], has_more: false }],
  Operators: [
    {
      operators: [
        { id: '7', name: 'Boris', role: 'operator', presence: 'online', status: 'online', active_sessions: 4 },
      ],
      next_page: null,
    },
  ],
  Alerts: [
    {
      unread_count: 3,
      unassigned_unread: 2,
      mine_unread: 1,
      waiting_count: 3,
      oldest_waiting_since: AT,
      callbacks_due: 0,
      has_new_dialogs: true,
      has_my_updates: false,
      alerts: [{ id: 77, reason: 'waiting', session_id: 123, contact, created_at: AT }],
    },
  ],
  AlertWebhook: [
    {
      id: 'a1f0c2',
      type: 'chat.alert',
      reason: 'waiting',
      session_id: 123,
      unread_count: 1,
      created_at: AT,
      contact,
    },
  ],
  AlertTestWebhook: [{ id: 'test:5f0f3f0e-7c1e-4a52-9a54-0b8a2f1c9d11', type: 'chat.alert.test', created_at: AT }],
  WebhookTargets: [webhook],
  WebhookTest: [
    {
      results: [
        { url: 'https://shop.example/hooks/chat', delivered: true, reason: null },
        { url: 'https://old.example/hook', delivered: false, reason: 'HTTP 404' },
      ],
    },
  ],
  CallbackRequest: [
    {
      phone: '8 916 123-45-67',
      name: 'Anna',
      preferred_at: LATER,
      comment: 'in the afternoon',
      session_id: 123,
      consent: true,
    },
  ],
  CallbackPatch: [{ status: 'done', result: 'agreed on Tuesday' }],
  CallbackResponse: [{ callback: staffCallback }],
  CustomerCallbackResponse: [{ callback }],
  ConsentProof: [{ consent: consentProof }, { consent: null }],
  Callbacks: [{ callbacks: [staffCallback], next_page: null }],
  Config: [
    {
      online: false,
      reopens_at: LATER,
      reply_time_text: 'We usually reply within 30 minutes',
      elsewhere: { mail: true, telegram: true },
      prechat_fields: [{ name: 'name', required: false }],
      custom_fields: [
        { name: 'order', kind: 'text', label: { ru: 'Номер заказа', en: 'Order number' }, required: true },
      ],
      consent: {
        version: '2026-01',
        text: 'I agree to the processing of my data',
        url: 'https://shop.example/privacy',
      },
      texts,
      theme: savedTheme,
      attachments: { max_bytes: 10_485_760, max_per_message: 5, mime: ['image/jpeg', 'application/pdf'] },
    },
  ],
  NewBan: [{ session_id: 123, by: 'address', reason: 'spam' }],
  Ban: [ban],
  BanResponse: [{ ban }],
  Bans: [{ bans: [ban], next_page: null }],
  Erased: [erased, { scope: 'before', through_seq: 4, through_id: 456, kinds: ['messages'] }],
  SessionExport: [sessionExport],
  CustomerExport: [{ exported_at: LATER, customer_id: 'c-17', sessions: [sessionExport] }],
  SessionOrCustomerExport: [sessionExport, { exported_at: LATER, customer_id: 'c-17', sessions: [sessionExport] }],
  EraseRequest: [{}, { scope: 'customer' }],
  EraseResponse: [{ session, erased_sessions: 3 }],
  OperatorAccount: [operatorAccount],
  PictureRequest: [{ image: 'iVBORw0KGgo=' }],
  Picture: [{ picture: '/chat/pictures/pXo2Vd1bQ0mJ3kYtG7uAZw' }],
  Pictures: [{ pictures: { '7': '/chat/pictures/pXo2Vd1bQ0mJ3kYtG7uAZw' } }],
  OperatorAccounts: [{ operators: [operatorAccount] }],
  OperatorAccountResponse: [{ operator: operatorAccount }],
  NewOperator: [{ login: 'boris', name: 'Boris', role: 'operator' }],
  OperatorPatch: [{ active: false }],
  OperatorInvite: [
    {
      operator: operatorAccount,
      invite_url: 'https://chat.example/operator/#invite=w0c2ZJ3nq8Q7mX1',
      expires_at: LATER,
    },
  ],
  PasswordChange: [{ current_password: 'the old one', new_password: 'a longer new one' }],
  OwnAccount: [{ ...user, second_factor: true, recovery_codes_left: 9, oidc: false }],
  TotpSetup: [
    {
      secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
      otpauth_url: 'otpauth://totp/shop.example:boris?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=shop.example',
    },
  ],
  TotpCode: [{ code: '492039' }],
  TotpEnd: [{ code: '492039' }],
  RecoveryCodes: [{ recovery_codes: ['k3wq-7d2m-x9hf-4snb', 'p6ra-v8ce-2gty-9jzu'] }],
  SignInWays: [{ oidc: { name: 'id.example', url: '/auth/oidc/login' } }, { oidc: null }],
  AuditEntry: [auditEntry],
  Audit: [{ entries: [auditEntry], next_page: null }],
  Demo: [{ demo: true }],
  DemoRemoved: [{ removed: 12 }],
  DemoEnded: [
    { removed: 12, invite_url: 'https://chat.example/operator/#invite=Pf0c1TqJmGpYwV3kq6X9aK2rS8dLzB4nE7hU5oC1iQw' },
    { removed: 12, invite_url: null },
  ],
  QuickReply: [quickReply],
  QuickReplies: [{ quick_replies: [quickReply], next_page: null }],
  NewQuickReply: [{ shortcut: 'delivery', title: 'Delivery', text: quickReply.text }],
  QuickReplyPatch: [{ title: 'Delivery and payment' }],
  SavedTheme: [savedTheme],
  SavedTexts: [texts],
  SettingsPatch: [
    { theme: savedTheme, texts },
    { schedule: openingHours, retention: { messages: 365 } },
    { webhook: { urls: ['https://shop.example/hooks/chat'], secret: 'a-secret-of-the-receiver' } },
  ],
  Settings: [
    { settings: { theme: savedTheme, texts }, effective: { theme: savedTheme, texts }, rules, updated_at: AT, parts },
    {
      settings: { theme: {}, texts: {} },
      effective: { theme: {}, texts: {} },
      rules,
      webhook,
      keys,
      updated_at: null,
      parts: {},
    },
  ],
  SettingRules: [rules],
  OriginCheck: [
    {
      origin: 'https://shop.example',
      allowed: false,
      reason: 'not_listed',
      setting: 'ALLOWED_ORIGINS=https://shop.example',
    },
  ],
  OperatorStatusRequest: [{ status: 'away' }],
  OperatorStatus: [{ status: 'away', since: AT }],
  HandoverRequest: [{ to_user_id: '8' }, { to_user_id: null }],
  Handover: [{ sessions: [123, 140] }],
  ChosenStatus: [chosen],
  InviteRequest: [{ key: '4Wb0cKfS2n3JcX8JmXr0h1m0b7dYy0mKc1r7pZ2qv9E' }],
  Invite: [
    { kind: 'first_admin', expires_at: AT },
    { kind: 'operator', login: 'boris', name: 'Boris', expires_at: AT },
  ],
  AcceptInviteRequest: [
    {
      key: '4Wb0cKfS2n3JcX8JmXr0h1m0b7dYy0mKc1r7pZ2qv9E',
      login: 'vera',
      name: 'Vera',
      password: 'correct horse battery staple',
    },
    { key: '4Wb0cKfS2n3JcX8JmXr0h1m0b7dYy0mKc1r7pZ2qv9E', password: 'correct horse battery staple' },
  ],
  LoginRequest: [{ login: 'boris', password: 'correct horse battery staple' }],
  LoginResponse: [signedIn],
  RefreshRequest: [{ refresh_token: signedIn.refresh_token }],
  LogoutRequest: [{ refresh_token: signedIn.refresh_token }],
  AuthUser: [user],
  Jwks: [
    {
      keys: [
        {
          kty: 'OKP',
          crv: 'Ed25519',
          kid: '1',
          alg: 'EdDSA',
          use: 'sig',
          x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
        },
      ],
    },
  ],
  PollResponse: [
    { events: sessionEvents.slice(1, 2), last_seq: 6, has_more: true },
    { events: staffEvents.slice(1, 2), last_seq: null, has_more: false, cursor: CURSOR },
  ],
  AckRequest: [{ last_id: 457 }, { items: [{ session_id: 123, last_id: 456 }] }],
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
