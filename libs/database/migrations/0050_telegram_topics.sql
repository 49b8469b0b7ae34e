-- The staff group with a forum topic per chat. Apart from the texts to people's own chats: a group takes 20 messages a
-- minute, so its queue may grow long, and nobody may wait for it.

-- group_key: the group as it was configured, whatever number Telegram gives it later.
CREATE TABLE telegram_group (
  group_key bigint PRIMARY KEY,
  group_id  bigint NOT NULL
);

CREATE TABLE telegram_topic (
  group_key   bigint NOT NULL,
  session_id  bigint NOT NULL REFERENCES chat_session (id) ON DELETE CASCADE,
  -- Null: there is none yet, or none any more.
  thread_id   bigint,
  -- Set before the call that makes it: after a crash there may be one that nobody knows.
  creating_at timestamptz(3),
  title       text NOT NULL DEFAULT '',
  shown_name  text,
  closed      boolean NOT NULL DEFAULT false,
  -- How often something of the chat has changed, and up to which change the topic shows it.
  changes     bigint NOT NULL DEFAULT 1,
  shown       bigint NOT NULL DEFAULT 0,
  due_at      timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (group_key, session_id)
);
CREATE INDEX telegram_topic_session ON telegram_topic (session_id);
CREATE INDEX telegram_topic_changed ON telegram_topic (group_key, due_at) WHERE changes > shown;
CREATE INDEX telegram_topic_open ON telegram_topic (group_key) WHERE NOT closed;

CREATE TABLE telegram_topic_send (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  group_key  bigint NOT NULL,
  session_id bigint NOT NULL REFERENCES chat_session (id) ON DELETE CASCADE,
  seq        bigint,
  message_id bigint,
  content    jsonb NOT NULL,
  sending_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX telegram_topic_send_group ON telegram_topic_send (group_key, id);
CREATE INDEX telegram_topic_send_session ON telegram_topic_send (session_id, id);
CREATE INDEX telegram_topic_send_created_at ON telegram_topic_send (created_at);
