-- The number of a text is one of its bot, so the key names the bot too.
-- lives-with: 0053_mail_tokens
ALTER TABLE telegram_message DROP CONSTRAINT telegram_message_pkey;
ALTER TABLE telegram_message ADD PRIMARY KEY USING INDEX telegram_message_of_bot;
