-- A request that nobody answered is still owed a call: it is looked for when it is due, like any other that is open.
-- The condition of the older index implies this one, so the version before finds its rows here as well.
-- lives-with: 0053_mail_tokens
-- transaction: none
CREATE INDEX CONCURRENTLY chat_callback_owed ON chat_callback (due_at) WHERE status NOT IN ('done', 'cancelled');
