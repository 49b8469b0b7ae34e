-- What was solved to begin a chat begins no second one; kept for as long as the challenge would hold.
-- lives-with: 0053_mail_tokens
CREATE TABLE solved_challenge (
  id text PRIMARY KEY,
  expires_at timestamptz NOT NULL
);
CREATE INDEX solved_challenge_expires ON solved_challenge (expires_at);
