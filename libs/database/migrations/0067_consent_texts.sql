-- Of what a visitor agreed to only the version was kept, and another text could take its place under the same version.
-- The words are kept here as they were in force; a yes names them by their hash, so that nothing can be put in their place.
-- lives-with: 0053_mail_tokens
CREATE TABLE consent_text (
  version text NOT NULL,
  -- SHA-256 of text, url and texts.
  hash    text NOT NULL,
  text    text NOT NULL,
  url     text,
  -- What the widget shows instead, by language.
  texts   jsonb NOT NULL,
  since   timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (version, hash)
);
