-- Its place was taken by chat_callback_owed, which also serves the version before.
-- lives-with: 0053_mail_tokens
-- transaction: none
DROP INDEX CONCURRENTLY IF EXISTS chat_callback_open;
