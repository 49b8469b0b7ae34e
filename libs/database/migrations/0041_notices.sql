-- Who is told of what, by which channel.

-- What was decided, once: the key names the event.
CREATE TABLE notice (
  key        text PRIMARY KEY,
  decided_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX notice_decided_at ON notice (decided_at);

-- What waits to be told to a device. What it says is made when it is sent.
CREATE TABLE push_notice (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  notice          text NOT NULL,
  subscription_id bigint NOT NULL REFERENCES push_subscription ON DELETE CASCADE,
  kind            text NOT NULL CHECK (kind IN ('message', 'waiting', 'callback_requested', 'reply', 'test')),
  session_id      bigint REFERENCES chat_session ON DELETE CASCADE,
  message_id      bigint,
  attempts        integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  sending_at      timestamptz(3),
  ended_at        timestamptz(3),
  outcome         text,
  created_at      timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (notice, subscription_id)
);
CREATE INDEX push_notice_due ON push_notice (next_attempt_at) WHERE ended_at IS NULL;
CREATE INDEX push_notice_created ON push_notice (created_at);

-- What an operator chose; one who chose nothing has no row.
CREATE TABLE notify_setting (
  user_id    text PRIMARY KEY,
  value      jsonb NOT NULL,
  role       text NOT NULL,
  scope      text NOT NULL,
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

-- Of an alert: what it is about.
ALTER TABLE mail ADD COLUMN reason text;

CREATE OR REPLACE FUNCTION reach_forget_operator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.active THEN
      RETURN NULL;
    END IF;
  END IF;
  DELETE FROM push_subscription WHERE user_id = OLD.id;
  DELETE FROM notify_setting WHERE user_id = OLD.id;
  DELETE FROM mail WHERE user_id = OLD.id AND sent_at IS NULL;
  RETURN NULL;
END $$;
