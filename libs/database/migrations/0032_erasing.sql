-- What was written may be taken away again, one person's at their wish or everybody's after some time. Rows and their
-- seq stay: a cursor stays a cursor. Of a message a hash stays, so that a repeated post still finds what it repeats.
ALTER TABLE chat_event
  ADD COLUMN erased_at    timestamptz(3),
  ADD COLUMN content_hash text;

ALTER TABLE chat_session
  ADD COLUMN contact_erased_at  timestamptz(3),
  -- Everything up to here was looked at by the sweep and has no text (files) any more. It saves a look, it decides nothing.
  ADD COLUMN texts_erased_seq   bigint NOT NULL DEFAULT 0,
  ADD COLUMN files_erased_seq   bigint NOT NULL DEFAULT 0;

-- Set before the bytes go, so that a process that dies in between leaves a row to find them by.
ALTER TABLE chat_attachment ADD COLUMN erased_at timestamptz(3);
CREATE INDEX chat_attachment_erased ON chat_attachment (erased_at) WHERE erased_at IS NOT NULL;

ALTER TABLE chat_callback ADD COLUMN erased_at timestamptz(3);
CREATE INDEX chat_callback_kept ON chat_callback (created_at) WHERE erased_at IS NULL;

-- Only to find what was told to staff of a callback request.
CREATE INDEX chat_event_callback ON chat_event (((data ->> 'id')::bigint)) WHERE type = 'chat.callback.staff';

-- Salted with what makes the message itself, so that equal words of two people have nothing in common.
CREATE FUNCTION chat_content_hash(p_session_id bigint, p_client_message_id text, p_body text, p_attachments text[])
RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT encode(sha256(convert_to(concat_ws(E'\n', p_session_id, p_client_message_id, array_to_string(p_attachments, ','), p_body), 'UTF8')), 'hex')
$$;

CREATE FUNCTION chat_attachment_ids(p_attachments jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY(SELECT a.value ->> 'id' FROM jsonb_array_elements(COALESCE(p_attachments, '[]'))
    WITH ORDINALITY AS a(value, place) ORDER BY a.place)
$$;
