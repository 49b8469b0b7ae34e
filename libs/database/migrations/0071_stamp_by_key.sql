-- What the relay leader does for each batch reads what it needs and no more. The number of an event was looked for in
-- the whole feed, and the mark of the last second in all marks of an hour: a function that changes while a statement
-- runs, as clock_timestamp() does, cannot be looked up in an index.
-- lives-with: 0053_mail_tokens
CREATE OR REPLACE FUNCTION chat_stamp_feed(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_stamped bigint;
  v_count   integer;
  v_ids     bigint[];
BEGIN
  -- An idle poll takes no lock and writes nothing.
  IF (SELECT min(w.event_id) FROM outbox w) IS NULL THEN
    RETURN 0;
  END IF;
  SELECT h.stamped INTO v_stamped FROM feed_head h FOR UPDATE;
  v_ids := ARRAY(SELECT w.event_id FROM outbox w ORDER BY w.event_id LIMIT p_limit);
  WITH waiting AS (
    DELETE FROM outbox o WHERE o.event_id = ANY (v_ids) RETURNING o.event_id, o.traceparent)
  INSERT INTO feed (feed_seq, event_id, traceparent)
  SELECT v_stamped + row_number() OVER (ORDER BY w.event_id), w.event_id, w.traceparent FROM waiting w
   -- Not NOT EXISTS, which may be a join with the whole feed.
   WHERE (SELECT f.feed_seq FROM feed f WHERE f.event_id = w.event_id) IS NULL;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  UPDATE feed_head h SET stamped = v_stamped + v_count;
  RETURN v_count;
END
$$;

CREATE OR REPLACE FUNCTION chat_mark_published(p_from bigint, p_to bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE feed_head h SET published = p_to WHERE h.published = p_from;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM feed_mark m WHERE m.marked_at > v_now - interval '1 second') THEN
    INSERT INTO feed_mark (published, marked_at) VALUES (p_to, v_now)
    ON CONFLICT (published) DO UPDATE SET marked_at = EXCLUDED.marked_at;
    -- The newest of the old ones stays: something is always known to lie far enough back.
    DELETE FROM feed_mark m WHERE m.published < (
      SELECT max(o.published) FROM feed_mark o WHERE o.marked_at < v_now - interval '1 hour');
  END IF;
  RETURN true;
END
$$;
