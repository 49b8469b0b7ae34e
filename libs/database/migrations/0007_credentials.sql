-- A resume key that has ended keeps its hash, so that nobody can begin another session with it.
ALTER TABLE chat_session ADD COLUMN resume_key_ended_at timestamptz(3);
UPDATE chat_session SET resume_key_ended_at = clock_timestamp()
 WHERE resume_key_hash IS NOT NULL AND (customer_id IS NOT NULL OR revoked_at IS NOT NULL);

-- Secrets that auth-service makes for itself and shares among its instances.
CREATE TABLE auth_secret (
  name       text PRIMARY KEY,
  -- 32 random bytes in base64url.
  value      text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
