-- What staff keep for themselves: quick replies, look and texts of the widget, and whether somebody is to be counted on.

CREATE TABLE quick_reply (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shortcut     text NOT NULL,
  -- The shortcut in lower case, made by the service: what lower() does with Cyrillic depends on the database's locale.
  shortcut_key text COLLATE "C" NOT NULL UNIQUE,
  title        text NOT NULL,
  text         text NOT NULL,
  updated_at   timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  updated_by   text NOT NULL
);

-- name: `theme` or `texts`. A part that was cleared keeps its row, so that the time of the last change is known.
CREATE TABLE widget_setting (
  name       text PRIMARY KEY,
  value      jsonb NOT NULL,
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  updated_by text NOT NULL
);

-- What an operator said of himself. The version rises with each choice, so that of two messages about one operator the
-- newer one is known; 0 = he never chose.
ALTER TABLE chat_operator
  ADD COLUMN status         text NOT NULL DEFAULT 'online' CHECK (status IN ('online', 'away', 'off')),
  ADD COLUMN status_since   timestamptz(3),
  ADD COLUMN status_version bigint NOT NULL DEFAULT 0;
