-- Whom the bot has told of which callback request. One that is nobody's chat's stands in no telegram_message, and without
-- this a request from before somebody's duty counted as told by Telegram, which sends what comes after.
-- lives-with: 0053_mail_tokens
CREATE TABLE telegram_callback_told (
  callback_id bigint NOT NULL REFERENCES chat_callback (id) ON DELETE CASCADE,
  -- Of the binding: another account has been told nothing.
  operator_id bigint NOT NULL REFERENCES operator_telegram (id) ON DELETE CASCADE,
  told_at     timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (callback_id, operator_id)
);
CREATE INDEX telegram_callback_told_operator ON telegram_callback_told (operator_id);
CREATE INDEX telegram_callback_told_at ON telegram_callback_told (told_at);
