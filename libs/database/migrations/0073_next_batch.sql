-- Marking one batch, numbering what waits, and reading the next batch took three statements, two of which wrote. They are
-- one now: an event is published one round trip earlier, and a busy relay asks the database a third as often.
-- lives-with: 0053_mail_tokens

-- Marks p_from to p_to as published unless p_to is null, gives numbers to what waits in the outbox, and returns what is
-- stamped and not published, in the order of the feed: 500 rows at most, and so many that their texts reach p_bytes. Each
-- row repeats the head of the feed. A row whose event was deleted has none of its columns. The page is cut before events
-- are joined, and each event is looked up by its key: otherwise the planner reckons with a third of the feed.
CREATE FUNCTION chat_next_batch(
  p_from  bigint,
  p_to    bigint,
  p_bytes integer
) RETURNS TABLE (
  published         bigint,
  stamped           bigint,
  feed_seq          bigint,
  traceparent       text,
  id                bigint,
  session_id        bigint,
  seq               bigint,
  type              text,
  created_at        timestamptz,
  actor_id          text,
  actor_name        text,
  sender_type       text,
  body              text,
  client_message_id text,
  attachments       jsonb,
  data              jsonb,
  staff_data        jsonb,
  assigned_user_id  text,
  previous_user_id  text,
  message_id        bigint
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_published bigint;
  v_stamped   bigint;
  v_waits_for text := current_setting('synchronous_commit');
BEGIN
  IF p_to IS NOT NULL THEN
    PERFORM chat_mark_published(p_from, p_to);
  END IF;
  IF (SELECT min(w.event_id) FROM outbox w) IS NOT NULL THEN
    -- The mark turned it off, and a number must not be lost once it is published.
    PERFORM set_config('synchronous_commit', v_waits_for, true);
    PERFORM chat_stamp_feed(500);
  END IF;
  SELECT h.published, h.stamped INTO v_published, v_stamped FROM feed_head h;
  IF v_published = v_stamped THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT v_published, v_stamped, page.feed_seq, page.traceparent, page.id, page.session_id, page.seq, page.type,
    page.created_at, page.actor_id, page.actor_name, page.sender_type, page.body, page.client_message_id,
    page.attachments, page.data, page.staff_data, page.assigned_user_id, page.previous_user_id, page.message_id
  FROM (
    SELECT f.feed_seq, f.traceparent, e.*, sum(e.bytes) OVER (ORDER BY f.feed_seq) - e.bytes AS bytes_before
      FROM (SELECT n.feed_seq, n.event_id, n.traceparent FROM feed n
             WHERE n.feed_seq > v_published ORDER BY n.feed_seq LIMIT 500) f
      LEFT JOIN LATERAL (
        SELECT c.*, 400 + COALESCE(octet_length(c.body), 0) + COALESCE(octet_length(c.data::text), 0)
            + COALESCE(octet_length(c.staff_data::text), 0) + COALESCE(octet_length(c.attachments::text), 0) AS bytes
          FROM chat_event c WHERE c.id = f.event_id OFFSET 0) e ON true) page
   WHERE page.bytes_before IS NULL OR page.bytes_before < p_bytes
   ORDER BY page.feed_seq;
END
$$;
