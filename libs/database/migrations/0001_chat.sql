-- The chat itself: sessions, their events (messages are events), the outbox, marks, callbacks, alerts.
-- PostgreSQL 15 or later and PGlite; nothing here needs an extension.

CREATE TABLE chat_meta (
  name  text PRIMARY KEY,
  value text NOT NULL
);

CREATE TABLE chat_session (
  id                     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  status                 text NOT NULL DEFAULT 'new',
  assigned_user_id       text,
  assigned_user_name     text,
  assigned_at            timestamptz(3),
  created_at             timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  -- Time of the last event.
  updated_at             timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  closed_at              timestamptz(3),
  last_seq               bigint NOT NULL DEFAULT 0,
  version                bigint NOT NULL DEFAULT 0,
  -- Customer messages ever, and how many of them stood at or before the team's read mark: both only rise, so that
  -- unread = difference cannot drift.
  client_msgs            bigint NOT NULL DEFAULT 0,
  team_client_msgs       bigint NOT NULL DEFAULT 0,
  team_read_id           bigint NOT NULL DEFAULT 0,
  last_message_id        bigint NOT NULL DEFAULT 0,
  last_client_message_at timestamptz(3),
  waiting_since          timestamptz(3),
  callback_pending       boolean NOT NULL DEFAULT false,
  name                   text,
  email                  text,
  phone                  text,
  locale                 text,
  page_url               text,
  attributes             jsonb NOT NULL DEFAULT '{}',
  consent                jsonb,
  resume_key_hash        text,
  customer_id            text,
  -- Channel tokens made at or before this unix second are refused.
  revoked_at             bigint,
  CONSTRAINT unread_is_not_negative CHECK (team_client_msgs <= client_msgs),
  -- A foreign chat's own states pass through; ours say who has the session.
  CONSTRAINT status_fits_assignee CHECK (
    CASE status WHEN 'new' THEN assigned_user_id IS NULL WHEN 'active' THEN assigned_user_id IS NOT NULL ELSE true END)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX chat_session_resume_key ON chat_session (resume_key_hash);
CREATE INDEX chat_session_activity ON chat_session (updated_at, id);
CREATE INDEX chat_session_waiting ON chat_session (waiting_since, id) WHERE waiting_since IS NOT NULL;
CREATE INDEX chat_session_unread ON chat_session (assigned_user_id) WHERE status <> 'closed' AND client_msgs > team_client_msgs;
CREATE INDEX chat_session_assigned ON chat_session (assigned_user_id) WHERE status <> 'closed';
CREATE INDEX chat_session_customer ON chat_session (customer_id) WHERE customer_id IS NOT NULL;

-- seq is null for facts that only staff may see; they have no place in the session's own sequence.
CREATE TABLE chat_event (
  id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid               xid8 NOT NULL DEFAULT pg_current_xact_id(),
  session_id        bigint REFERENCES chat_session,
  seq               bigint,
  type              text NOT NULL,
  created_at        timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  -- Who did it: the operator's `sub` for staff, null for the customer and the system.
  actor_id          text,
  actor_name        text,
  -- Messages and notes.
  sender_type       text,
  body              text,
  client_message_id text,
  attachments       jsonb,
  -- Customer messages of the session up to and with this event.
  client_msgs       bigint,
  -- Everything else.
  data              jsonb,
  staff_data        jsonb,
  -- Subscribers at the time of the event.
  assigned_user_id  text,
  previous_user_id  text,
  CONSTRAINT seq_needs_session CHECK (seq IS NULL OR session_id IS NOT NULL)
);
CREATE UNIQUE INDEX chat_event_seq ON chat_event (session_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX chat_event_feed ON chat_event (xid, id);
CREATE INDEX chat_event_message ON chat_event (session_id, id) WHERE type = 'chat.message';
CREATE INDEX chat_event_note ON chat_event (session_id, id) WHERE type = 'chat.note';
CREATE UNIQUE INDEX chat_event_once ON chat_event (session_id, client_message_id, sender_type, COALESCE(actor_id, ''))
  WHERE client_message_id IS NOT NULL;

-- No foreign key: rows are written beside their event in one statement, events are never deleted, and the check would
-- lock and dirty the event's row on the hottest path.
CREATE TABLE outbox (
  event_id     bigint PRIMARY KEY,
  created_at   timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  published_at timestamptz(3),
  traceparent  text
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX outbox_pending ON outbox (event_id) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

-- participant: `client` or `staff:<user id>`.
CREATE TABLE chat_read_mark (
  session_id   bigint NOT NULL REFERENCES chat_session,
  participant  text NOT NULL,
  delivered_id bigint NOT NULL DEFAULT 0,
  read_id      bigint NOT NULL DEFAULT 0,
  updated_at   timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (session_id, participant)
) WITH (fillfactor = 80);

CREATE TABLE chat_attachment (
  id          text PRIMARY KEY,
  session_id  bigint NOT NULL REFERENCES chat_session,
  -- Participant who uploaded it; only he may send it.
  uploaded_by text NOT NULL,
  name        text NOT NULL,
  mime        text NOT NULL,
  size        integer NOT NULL,
  width       integer,
  height      integer,
  storage_key text NOT NULL,
  -- The message that carries it; null until it is sent.
  event_id    bigint REFERENCES chat_event,
  created_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX chat_attachment_session ON chat_attachment (session_id);
CREATE INDEX chat_attachment_unsent ON chat_attachment (created_at) WHERE event_id IS NULL;

CREATE TABLE chat_callback (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id       bigint REFERENCES chat_session,
  status           text NOT NULL DEFAULT 'new',
  phone            text NOT NULL,
  name             text,
  comment          text,
  preferred_at     timestamptz(3),
  due_at           timestamptz(3) NOT NULL,
  assigned_user_id text,
  result           text,
  consent          jsonb,
  version          bigint NOT NULL DEFAULT 1,
  created_at       timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  updated_at       timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX chat_callback_open ON chat_callback (due_at) WHERE status NOT IN ('done', 'no_answer', 'cancelled');
CREATE INDEX chat_callback_session ON chat_callback (session_id) WHERE session_id IS NOT NULL;

-- dedupe_key makes a sweep that runs twice raise one alert: `waiting:<session>:<waiting since>`.
CREATE TABLE chat_alert (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  reason       text NOT NULL,
  session_id   bigint REFERENCES chat_session,
  callback_id  bigint REFERENCES chat_callback,
  unread_count bigint NOT NULL DEFAULT 0,
  dedupe_key   text NOT NULL UNIQUE,
  data         jsonb NOT NULL DEFAULT '{}',
  created_at   timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX chat_alert_created ON chat_alert (created_at);

CREATE TABLE webhook_delivery (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  alert_id        bigint NOT NULL REFERENCES chat_alert,
  url             text NOT NULL,
  attempts        integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  delivered_at    timestamptz(3),
  failed_at       timestamptz(3),
  last_error      text,
  created_at      timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (alert_id, url)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (next_attempt_at) WHERE delivered_at IS NULL AND failed_at IS NULL;

-- Directory of operators, learned from the staff tokens they show.
CREATE TABLE chat_operator (
  id                text PRIMARY KEY,
  name              text,
  role              text NOT NULL,
  last_seen_at      timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  last_connected_at timestamptz(3)
);

-- Who is connected to which gateway, as the gateways last said.
CREATE TABLE operator_presence (
  gateway_id text NOT NULL,
  user_id    text NOT NULL,
  name       text,
  seen_at    timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (gateway_id, user_id)
);

CREATE TABLE revocation (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind       text NOT NULL CHECK (kind IN ('session', 'staff', 'staff_login')),
  subject    text NOT NULL,
  -- Tokens made at or before this unix second are refused.
  not_after  bigint NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX revocation_subject ON revocation (kind, subject);
