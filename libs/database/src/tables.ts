import type { ColumnType, Generated } from 'kysely';
import type { AuthTables } from './auth-tables.ts';
import type { NotifyTables } from './notify-tables.ts';
import type { TelegramTables } from './telegram-tables.ts';

/** Columns of jsonb: read as a value, written as JSON text, since the two drivers disagree on objects and arrays. */
type JsonDefault<T> = ColumnType<T, string | undefined, string>;
type JsonObject = Record<string, unknown>;
/** Times come back as Date from both drivers. */
type Time = ColumnType<Date, Date, Date>;
type TimeDefault = ColumnType<Date, Date | undefined, Date>;
type NullableTime = ColumnType<Date | null, Date | null | undefined, Date | null>;

export interface MetaTable {
  name: string;
  value: string;
}

export interface SessionTable {
  id: Generated<number>;
  status: Generated<string>;
  assigned_user_id: string | null;
  assigned_user_name: string | null;
  assigned_at: NullableTime;
  created_at: TimeDefault;
  updated_at: TimeDefault;
  closed_at: NullableTime;
  last_seq: Generated<number>;
  version: Generated<number>;
  client_msgs: Generated<number>;
  team_client_msgs: Generated<number>;
  team_read_id: Generated<number>;
  last_message_id: Generated<number>;
  last_client_message_at: NullableTime;
  waiting_since: NullableTime;
  closed_waiting_since: NullableTime;
  waiting_round: Generated<number>;
  callback_pending: Generated<boolean>;
  name: string | null;
  email: string | null;
  phone: string | null;
  locale: string | null;
  page_url: string | null;
  current_page_url: string | null;
  current_page_at: NullableTime;
  attributes: JsonDefault<JsonObject>;
  consent: ColumnType<unknown, string | null | undefined, string | null>;
  resume_key_hash: string | null;
  resume_key_ended_at: NullableTime;
  customer_id: string | null;
  revoked_at: number | null;
  /** A chat that a site keeps. */
  site_owned: Generated<boolean>;
  contact_erased_at: NullableTime;
  texts_erased_seq: Generated<number>;
  files_erased_seq: Generated<number>;
}

export interface StoredAttachment {
  id: string;
  name: string;
  mime: string;
  size: number;
  width?: number;
  height?: number;
  /** The address where a site keeps its file; without one the file is ours. */
  url?: string;
}

export interface IntakeKeyTable {
  key: string;
  event_id: number | null;
}

export interface SiteSessionTable {
  site_id: string;
  session_id: number;
  created_at: TimeDefault;
}

export interface EventTable {
  id: Generated<number>;
  /** A 64-bit number as text. */
  xid: Generated<string>;
  session_id: number | null;
  seq: number | null;
  type: string;
  created_at: TimeDefault;
  actor_id: string | null;
  actor_name: string | null;
  sender_type: string | null;
  body: string | null;
  client_message_id: string | null;
  attachments: ColumnType<StoredAttachment[] | null, string | null | undefined, string | null>;
  client_msgs: number | null;
  data: ColumnType<JsonObject | null, string | null | undefined, string | null>;
  staff_data: ColumnType<JsonObject | null, string | null | undefined, string | null>;
  assigned_user_id: string | null;
  previous_user_id: string | null;
  /** Of a message, if a site gave it one; else `id` is the message's id. */
  message_id: number | null;
  erased_at: NullableTime;
  content_hash: string | null;
}

export interface ConsentTextTable {
  version: string;
  hash: string;
  text: string;
  url: string | null;
  texts: ColumnType<Record<string, string>, string, string>;
  since: TimeDefault;
}

export interface OutboxTable {
  event_id: number;
  created_at: TimeDefault;
  published_at: NullableTime;
  traceparent: string | null;
}

export interface FeedTable {
  feed_seq: number;
  event_id: number;
  traceparent: string | null;
}

export interface FeedHeadTable {
  only_row: boolean;
  stamped: number;
  published: number;
}

export interface FeedMarkTable {
  published: number;
  marked_at: TimeDefault;
}

export interface ReadMarkTable {
  session_id: number;
  participant: string;
  delivered_id: Generated<number>;
  read_id: Generated<number>;
  updated_at: TimeDefault;
}

export interface DemoChatTable {
  session_id: number;
}

export interface AttachmentTable {
  id: string;
  session_id: number;
  uploaded_by: string;
  name: string;
  mime: string;
  size: number;
  width: number | null;
  height: number | null;
  storage_key: string;
  /** Keyed hash of the uploader's address, until the file is sent. */
  uploaded_from: string | null;
  event_id: number | null;
  created_at: TimeDefault;
  erased_at: NullableTime;
}

export interface CallbackTable {
  id: Generated<number>;
  session_id: number | null;
  status: Generated<string>;
  phone: string;
  name: string | null;
  comment: string | null;
  preferred_at: NullableTime;
  due_at: Time;
  assigned_user_id: string | null;
  result: string | null;
  consent: ColumnType<unknown, string | null | undefined, string | null>;
  version: Generated<number>;
  created_at: TimeDefault;
  updated_at: TimeDefault;
  erased_at: NullableTime;
}

export interface AlertTable {
  id: Generated<number>;
  reason: string;
  session_id: number | null;
  callback_id: number | null;
  unread_count: Generated<number>;
  dedupe_key: string;
  data: JsonDefault<JsonObject>;
  created_at: TimeDefault;
}

export interface WebhookDeliveryTable {
  id: Generated<number>;
  alert_id: number;
  url: string;
  attempts: Generated<number>;
  next_attempt_at: TimeDefault;
  delivered_at: NullableTime;
  failed_at: NullableTime;
  last_error: string | null;
  created_at: TimeDefault;
}

export interface OperatorTable {
  id: string;
  name: string | null;
  role: string;
  last_seen_at: TimeDefault;
  last_connected_at: NullableTime;
  status: Generated<string>;
  status_since: NullableTime;
  status_version: Generated<number>;
}

export interface QuickReplyTable {
  id: Generated<number>;
  shortcut: string;
  shortcut_key: string;
  title: string;
  text: string;
  updated_at: TimeDefault;
  updated_by: string;
}

export interface WidgetSettingTable {
  name: string;
  value: ColumnType<JsonObject, string, string>;
  updated_at: TimeDefault;
  updated_by: string;
}

export interface OperatorPictureTable {
  user_id: string;
  key: string;
  mime: string;
  bytes: Buffer;
  changed_at: TimeDefault;
}

/** A visitor's answers to the site's own questions. */
export interface AnswerTable {
  session_id: number;
  answers: ColumnType<StoredAnswer[], string, string>;
  words: string;
}
export interface StoredAnswer {
  name: string;
  kind: 'text' | 'choice' | 'checkbox';
  label: { ru?: string; en?: string };
  value: string | boolean;
  text?: { ru?: string; en?: string };
}

export interface ClientAddressTable {
  session_id: number;
  address: string;
  seen_at: TimeDefault;
}

export interface BanTable {
  id: Generated<number>;
  kind: 'session' | 'customer' | 'address';
  session_id: number;
  customer_id: string | null;
  network: string | null;
  reason: string | null;
  until: NullableTime;
  created_at: TimeDefault;
  created_by: string;
  created_by_name: string | null;
}

export interface SolvedChallengeTable {
  id: string;
  expires_at: Date;
}

export interface AuditTable {
  id: Generated<number>;
  at: TimeDefault;
  actor_id: string;
  actor_name: string | null;
  action: string;
  subject: string | null;
  details: JsonDefault<JsonObject>;
}

export interface PresenceTable {
  gateway_id: string;
  user_id: string;
  name: string | null;
  seen_at: TimeDefault;
}

export interface RevocationTable {
  id: Generated<number>;
  kind: 'session' | 'staff' | 'staff_login';
  subject: string;
  not_after: number;
  created_at: TimeDefault;
}

/** All tables of the schema. auth-service adds its own in `auth-tables.ts`. */
export interface ChatTables {
  chat_meta: MetaTable;
  chat_session: SessionTable;
  chat_event: EventTable;
  outbox: OutboxTable;
  intake_key: IntakeKeyTable;
  site_session: SiteSessionTable;
  demo_chat: DemoChatTable;
  feed: FeedTable;
  feed_head: FeedHeadTable;
  feed_mark: FeedMarkTable;
  chat_read_mark: ReadMarkTable;
  chat_attachment: AttachmentTable;
  chat_callback: CallbackTable;
  chat_alert: AlertTable;
  webhook_delivery: WebhookDeliveryTable;
  chat_operator: OperatorTable;
  operator_presence: PresenceTable;
  quick_reply: QuickReplyTable;
  widget_setting: WidgetSettingTable;
  revocation: RevocationTable;
  chat_answer: AnswerTable;
  consent_text: ConsentTextTable;
  operator_picture: OperatorPictureTable;
  chat_client_address: ClientAddressTable;
  chat_ban: BanTable;
  solved_challenge: SolvedChallengeTable;
  chat_audit: AuditTable;
}

export type Tables = ChatTables & AuthTables & TelegramTables & NotifyTables;
