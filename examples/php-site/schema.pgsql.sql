CREATE TABLE manager (
  id        serial PRIMARY KEY,
  login     text NOT NULL UNIQUE,
  full_name text NOT NULL,
  password  text NOT NULL
);
CREATE TABLE chat (
  id               bigserial PRIMARY KEY,
  name             text NOT NULL,
  external_contact text,
  status           text NOT NULL DEFAULT 'new',
  manager_id       integer REFERENCES manager,
  callback_phone   text,
  owner_key        text NOT NULL,
  created_at       timestamptz NOT NULL
);
CREATE TABLE chat_message (
  id         bigserial PRIMARY KEY,
  chat_id    bigint NOT NULL REFERENCES chat,
  sender     text NOT NULL,
  manager_id integer,
  body       text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX chat_message_chat ON chat_message (chat_id, id);
