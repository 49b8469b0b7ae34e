-- Which chats are the demo's, and whose bytes lie on the disk without being sent.

-- Written by the server alone. What a customer says of a chat (`attributes`) marks nothing.
CREATE TABLE demo_chat (
  session_id bigint PRIMARY KEY REFERENCES chat_session ON DELETE CASCADE
);
-- The seeded chats of a database from before. They were made within seconds of its mark, when nobody else knew of it.
INSERT INTO demo_chat (session_id)
SELECT s.id FROM chat_session s JOIN chat_meta m ON m.name = 'demo_seeded_at'
WHERE s.attributes @> '{"demo": true}'::jsonb
  AND s.created_at <= m.value::timestamptz + interval '1 minute';

-- Where an upload came from, as a keyed hash of the address; gone as soon as the file is sent.
ALTER TABLE chat_attachment ADD COLUMN uploaded_from text;
CREATE INDEX chat_attachment_unsent_from ON chat_attachment (uploaded_from) WHERE event_id IS NULL;

CREATE FUNCTION chat_attachment_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.uploaded_from := NULL;
  RETURN NEW;
END
$$;
CREATE TRIGGER chat_attachment_sent BEFORE UPDATE OF event_id ON chat_attachment
FOR EACH ROW WHEN (NEW.event_id IS NOT NULL) EXECUTE FUNCTION chat_attachment_sent();
