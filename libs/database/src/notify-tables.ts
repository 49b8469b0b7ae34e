import type { ColumnType, Generated } from 'kysely';

type Time = ColumnType<Date, Date, Date>;
type TimeDefault = ColumnType<Date, Date | undefined, Date>;
type NullableTime = ColumnType<Date | null, Date | null | undefined, Date | null>;

export interface MailTable {
  id: Generated<number>;
  kind: 'transcript' | 'reply' | 'alert';
  dedupe_key: string;
  session_id: number | null;
  alert_id: number | null;
  user_id: string | null;
  reason: Generated<string | null>;
  address: string;
  locale: string | null;
  after_id: Generated<number>;
  through_id: Generated<number>;
  attempts: Generated<number>;
  next_attempt_at: TimeDefault;
  sending_at: NullableTime;
  sent_at: NullableTime;
  failed_at: NullableTime;
  last_error: string | null;
  created_at: TimeDefault;
}

export interface MailRefusalTable {
  address: string;
  reason: 'bounced' | 'unsubscribed';
  created_at: TimeDefault;
}

export interface MailMarkTable {
  session_id: number;
  mailed_id: number;
  mailed_at: Time;
}

export interface MailLinkTable {
  hash: string;
  session_id: number;
  expires_at: Time;
}

export interface MailReceivedTable {
  key: string;
  outcome: string;
  session_id: number | null;
  received_at: TimeDefault;
}

export interface PushKeyTable {
  only_one: Generated<boolean>;
  public_key: string;
  private_key: string;
  created_at: TimeDefault;
}

export interface PushSubscriptionTable {
  id: Generated<number>;
  endpoint_hash: string;
  endpoint: string;
  p256dh: string;
  auth: string;
  user_id: string | null;
  role: string | null;
  scope: string | null;
  session_id: number | null;
  device: string | null;
  locale: string | null;
  created_at: TimeDefault;
}

export interface NoticeTable {
  key: string;
  decided_at: TimeDefault;
}

export interface PushNoticeTable {
  id: Generated<number>;
  notice: string;
  subscription_id: number;
  kind: 'message' | 'waiting' | 'callback_requested' | 'reply' | 'test';
  session_id: number | null;
  message_id: number | null;
  attempts: Generated<number>;
  next_attempt_at: TimeDefault;
  sending_at: NullableTime;
  ended_at: NullableTime;
  outcome: string | null;
  created_at: TimeDefault;
}

export interface MailTokenTable {
  hash: string;
  mail_key: string;
  received_at: TimeDefault;
}

export interface NotifySettingTable {
  user_id: string;
  value: ColumnType<Record<string, unknown>, string, string>;
  role: string;
  scope: string;
  updated_at: TimeDefault;
}

/** Tables of mail and push, for people who are not connected. */
export interface NotifyTables {
  mail: MailTable;
  mail_refusal: MailRefusalTable;
  mail_mark: MailMarkTable;
  mail_link: MailLinkTable;
  mail_received: MailReceivedTable;
  mail_token: MailTokenTable;
  push_key: PushKeyTable;
  push_subscription: PushSubscriptionTable;
  notice: NoticeTable;
  push_notice: PushNoticeTable;
  notify_setting: NotifySettingTable;
}
