-- A second factor at the sign-in, for operators who want one.

CREATE TABLE auth_totp (
  operator_id  text PRIMARY KEY REFERENCES auth_operator (id) ON DELETE CASCADE,
  -- RFC 6238 secret in base32; it never leaves auth-service after it was confirmed.
  secret       text NOT NULL,
  -- Null: begun, and not asked for at a sign-in.
  confirmed_at timestamptz(3),
  -- The time step of the last code that was taken: a code that somebody has watched opens nothing.
  last_step    bigint NOT NULL DEFAULT 0,
  created_at   timestamptz(3) NOT NULL
);

CREATE TABLE auth_recovery_code (
  operator_id text NOT NULL REFERENCES auth_totp (operator_id) ON DELETE CASCADE,
  -- SHA-256 of the code, which has 80 random bits and therefore needs no salt.
  code_hash   text NOT NULL,
  PRIMARY KEY (operator_id, code_hash)
);

-- When the sign-in last showed the second factor.
ALTER TABLE auth_login ADD COLUMN proved_at timestamptz(3);
