-- What the Telegram bot must not forget: updates it took, texts it owes, which text in Telegram stands for what, and up
-- to which number of the staff feed it has read.

CREATE TABLE telegram_relay (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  feed_seq bigint NOT NULL
);

-- Telegram gives an update again until it is confirmed: a row is there before that, and stays for some days.
CREATE TABLE telegram_update (
  bot_id      bigint NOT NULL,
  update_id   bigint NOT NULL,
  -- Updates of one chat are handled in their order.
  chat_id     bigint NOT NULL,
  album       text,
  -- Null once it is handled.
  payload     jsonb,
  attempts    integer NOT NULL DEFAULT 0,
  received_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  due_at      timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (bot_id, update_id)
);
CREATE INDEX telegram_update_open ON telegram_update (chat_id, update_id) WHERE payload IS NOT NULL;
CREATE INDEX telegram_update_received_at ON telegram_update (received_at);

-- In each chat one after the other, by id; gone once it was sent. With its binding goes what was not sent yet.
CREATE TABLE telegram_send (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  chat_id     bigint NOT NULL,
  operator_id bigint REFERENCES operator_telegram (id) ON DELETE CASCADE,
  customer_id bigint REFERENCES customer_telegram (id) ON DELETE CASCADE,
  session_id  bigint,
  seq         bigint,
  message_id  bigint,
  -- What a reply to it is: a message, or a note.
  purpose     text NOT NULL DEFAULT 'message' CHECK (purpose IN ('message', 'note')),
  content     jsonb NOT NULL,
  -- Set before the call: a row that has it after a crash may have been sent.
  sending_at  timestamptz(3),
  attempts    integer NOT NULL DEFAULT 0,
  due_at      timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  created_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX telegram_send_chat ON telegram_send (chat_id, id);
CREATE INDEX telegram_send_operator ON telegram_send (operator_id);
CREATE INDEX telegram_send_customer ON telegram_send (customer_id);

-- Which text in which chat of Telegram stands for which message: for replies, and for what was read.
CREATE TABLE telegram_message (
  chat_id             bigint NOT NULL,
  telegram_message_id bigint NOT NULL,
  session_id          bigint NOT NULL,
  seq                 bigint,
  message_id          bigint,
  purpose             text NOT NULL DEFAULT 'message',
  created_at          timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (chat_id, telegram_message_id)
);
CREATE INDEX telegram_message_session ON telegram_message (chat_id, session_id, seq);
CREATE INDEX telegram_message_created_at ON telegram_message (created_at);
