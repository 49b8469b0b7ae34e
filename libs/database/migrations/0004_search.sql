-- Search in message text reads every message unless trigrams are indexed. The extension comes with PostgreSQL's contrib
-- package and any owner of the database may create it; without it search is the same, only slower.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX chat_event_body ON chat_event USING gin (body gin_trgm_ops) WHERE type = 'chat.message';
EXCEPTION
  WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
    RAISE NOTICE 'pg_trgm is not available: search in message text will be slow in a large database';
END
$$;
