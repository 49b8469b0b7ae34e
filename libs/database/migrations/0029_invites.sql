-- One-time links by which people give themselves a password: the first administrator of a new chat, and operators whom an
-- administrator has invited.
CREATE TABLE auth_invite (
  -- SHA-256 of the key in the link, which has 256 random bits and therefore needs no salt.
  key_hash    text PRIMARY KEY,
  -- Whose account it is; none for the first administrator, whose account is made by the link.
  operator_id text REFERENCES auth_operator (id) ON DELETE CASCADE,
  created_at  timestamptz(3) NOT NULL,
  expires_at  timestamptz(3) NOT NULL,
  CHECK (created_at < expires_at)
);
CREATE INDEX auth_invite_expiry ON auth_invite (expires_at);
CREATE INDEX auth_invite_operator ON auth_invite (operator_id);

-- An account of the demo, which ends with it.
ALTER TABLE auth_operator ADD COLUMN demo boolean NOT NULL DEFAULT false;
