-- The follower of a site's own tables: where its copies stand, and what of the site's rows the channel could not carry.

CREATE TABLE table_source_place (
  name       text PRIMARY KEY,
  -- The last primary key of the site's table that is done; empty at the beginning of a round.
  place      text NOT NULL,
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE table_source_refused (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- By type, session and id in its data: a row that is met again is not put aside again.
  event_key  text NOT NULL UNIQUE,
  type       text NOT NULL,
  session_id text NOT NULL,
  reason     text NOT NULL,
  event      jsonb NOT NULL,
  refused_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
