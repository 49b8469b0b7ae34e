-- What the bot looks its texts up by, built beside its work.
-- lives-with: 0053_mail_tokens
-- transaction: none
CREATE UNIQUE INDEX CONCURRENTLY telegram_message_of_bot ON telegram_message (bot_id, chat_id, telegram_message_id);
