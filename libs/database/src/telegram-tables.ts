import type { ColumnType, Generated } from 'kysely';

type Time = ColumnType<Date, Date, Date>;
type TimeDefault = ColumnType<Date, Date | undefined, Date>;
type NullableTime = ColumnType<Date | null, Date | null | undefined, Date | null>;

export interface TelegramBotTable {
  only_one: Generated<boolean>;
  bot_id: number;
  username: string;
  seen_at: TimeDefault;
}

export interface OperatorTelegramTable {
  id: Generated<number>;
  user_id: string;
  user_name: string | null;
  role: string;
  scope: string;
  telegram_user_id: number;
  username: string | null;
  name: string | null;
  locale: string | null;
  on_duty: Generated<boolean>;
  blocked_at: NullableTime;
  bound_at: TimeDefault;
  code_hash: string | null;
}

export interface CustomerTelegramTable {
  id: Generated<number>;
  session_id: number;
  telegram_user_id: number;
  locale: string | null;
  blocked_at: NullableTime;
  linked_at: TimeDefault;
  linked_seq: Generated<number>;
  linked_message_id: Generated<number>;
  code_hash: string | null;
}

export interface TelegramCodeTable {
  hash: string;
  user_id: string | null;
  user_name: string | null;
  role: string | null;
  scope: string | null;
  session_id: number | null;
  expires_at: Time;
}

export interface TelegramRequestTable {
  id: string;
  created_at: TimeDefault;
}

/** Accounts in Telegram: written by chat-service, read by the bot. */
export interface TelegramTables {
  telegram_bot: TelegramBotTable;
  operator_telegram: OperatorTelegramTable;
  customer_telegram: CustomerTelegramTable;
  telegram_code: TelegramCodeTable;
  telegram_request: TelegramRequestTable;
}
