-- What a visitor answered to the site's own questions before the chat: personal data, erased with the contact. A table
-- of its own, so that lists do not carry it and no column is added to the busiest table.
-- lives-with: 0053_mail_tokens
CREATE TABLE chat_answer (
  session_id bigint PRIMARY KEY REFERENCES chat_session (id) ON DELETE CASCADE,
  answers    jsonb NOT NULL,
  -- The words of it, for the search.
  words      text NOT NULL
);
DO $$
BEGIN
  CREATE INDEX chat_answer_search ON chat_answer USING gin (translate(words, 'Ёё', 'Ее') gin_trgm_ops);
EXCEPTION
  WHEN undefined_object THEN
    RAISE NOTICE 'pg_trgm is not available: search in answers will be slow in a large database';
END
$$;
