-- Each bot numbers its texts anew: after a bot was replaced, a reply to a text of the new one must not be taken for a
-- reply to what the old one had sent under the same number. 0: from before, or of a version that does not say it.
-- lives-with: 0053_mail_tokens
ALTER TABLE telegram_message ADD COLUMN bot_id bigint NOT NULL DEFAULT 0;
