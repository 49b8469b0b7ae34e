-- Mailgun signs a token and a time, not the mail: each token is good for the one mail that it first came with.
CREATE TABLE mail_token (
  hash        text PRIMARY KEY,
  mail_key    text NOT NULL,
  received_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX mail_token_at ON mail_token (received_at);
