-- «счет» and «счёт» are one word to who searches: the index holds texts with ё as е, as the search asks for them.
DO $$
BEGIN
  CREATE INDEX chat_event_search ON chat_event USING gin (translate(body, 'Ёё', 'Ее') gin_trgm_ops) WHERE type = 'chat.message';
  DROP INDEX IF EXISTS chat_event_body;
EXCEPTION
  WHEN undefined_object THEN
    RAISE NOTICE 'pg_trgm is not available: search in message text will be slow in a large database';
END
$$;

-- Where the customer is now, beside `page_url`, where the chat began.
ALTER TABLE chat_session
  ADD COLUMN current_page_url text,
  ADD COLUMN current_page_at timestamptz(3);
