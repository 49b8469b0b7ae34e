-- Small and few: at most one for each operator, so they lie in the database and are in every backup of it. The key is in
-- the public address and new with each picture; it says nothing of whose it is.
-- lives-with: 0053_mail_tokens
CREATE TABLE operator_picture (
  user_id    text PRIMARY KEY,
  key        text NOT NULL UNIQUE,
  mime       text NOT NULL,
  bytes      bytea NOT NULL,
  changed_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
