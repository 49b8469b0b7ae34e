-- Up to where a chat had come when an account was linked: what is older is answered with the link itself, what is newer
-- is told by the bot, and nothing by both. The hash of the code that bound an account stays with it: the bot whose answer
-- was lost asks again, and is answered the same.
ALTER TABLE customer_telegram
  ADD COLUMN linked_seq bigint NOT NULL DEFAULT 0,
  ADD COLUMN linked_message_id bigint NOT NULL DEFAULT 0,
  ADD COLUMN code_hash text;
ALTER TABLE operator_telegram ADD COLUMN code_hash text;
