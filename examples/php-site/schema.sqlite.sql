CREATE TABLE manager (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  login     TEXT NOT NULL UNIQUE,
  full_name TEXT NOT NULL,
  password  TEXT NOT NULL
);
CREATE TABLE chat (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  name             TEXT NOT NULL,
  external_contact TEXT,
  status           TEXT NOT NULL DEFAULT 'new',
  manager_id       INTEGER REFERENCES manager,
  callback_phone   TEXT,
  owner_key        TEXT NOT NULL,
  created_at       TEXT NOT NULL
);
CREATE TABLE chat_message (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  chat_id    INTEGER NOT NULL REFERENCES chat,
  sender     TEXT NOT NULL,
  manager_id INTEGER,
  body       TEXT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE INDEX chat_message_chat ON chat_message (chat_id, id);
