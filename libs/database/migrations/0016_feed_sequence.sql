-- The staff feed as one dense sequence. The relay leader moves events from the outbox into the feed and gives each the
-- next number there, before anything is published. The number comes from a locked row and never from a sequence: a
-- transaction that is rolled back leaves no hole.
CREATE TABLE feed (
  feed_seq    bigint PRIMARY KEY,
  -- No foreign key, as with the outbox: the feed may name an event that was deleted since.
  event_id    bigint NOT NULL UNIQUE,
  traceparent text
);

CREATE TABLE feed_head (
  -- One row.
  only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- The number given last.
  stamped   bigint NOT NULL,
  -- Everything up to here was confirmed by the broker. Publishing is strictly in order, so one number says it all.
  published bigint NOT NULL,
  CHECK (published <= stamped)
);

-- How far publishing had come and when, about once a second: from which number on events are told again when the broker
-- has lost its queue.
CREATE TABLE feed_mark (
  published bigint PRIMARY KEY,
  marked_at timestamptz(3) NOT NULL
);
CREATE INDEX feed_mark_time ON feed_mark (marked_at);

-- What was published before keeps the order in which the feed showed it. What was not is left to the relay, as is what
-- a relay of the version before publishes while this runs: it stays in the outbox, is stamped later and told again.
INSERT INTO feed (feed_seq, event_id)
SELECT row_number() OVER (ORDER BY e.xid, e.id), e.id FROM chat_event e
 WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.event_id = e.id AND o.published_at IS NULL);
INSERT INTO feed_head (stamped, published) SELECT count(*), count(*) FROM feed;
INSERT INTO feed_mark (published, marked_at) SELECT published, clock_timestamp() FROM feed_head;
DELETE FROM outbox o WHERE EXISTS (SELECT 1 FROM feed f WHERE f.event_id = o.event_id);

-- Moves what waits in the outbox into the feed, in the order of event ids, which within a session is the order of seq;
-- answers how many. The row is locked first, and each statement sees what was committed before it, so a second leader
-- waits and then finds nothing that the first has stamped.
CREATE FUNCTION chat_stamp_feed(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_stamped bigint;
  v_count   integer;
BEGIN
  -- An idle poll takes no lock and writes nothing.
  IF NOT EXISTS (SELECT 1 FROM outbox) THEN
    RETURN 0;
  END IF;
  SELECT h.stamped INTO v_stamped FROM feed_head h FOR UPDATE;
  WITH waiting AS (
    DELETE FROM outbox o WHERE o.event_id IN (SELECT w.event_id FROM outbox w ORDER BY w.event_id LIMIT p_limit)
    RETURNING o.event_id, o.traceparent)
  INSERT INTO feed (feed_seq, event_id, traceparent)
  SELECT v_stamped + row_number() OVER (ORDER BY w.event_id), w.event_id, w.traceparent FROM waiting w
   WHERE NOT EXISTS (SELECT 1 FROM feed f WHERE f.event_id = w.event_id);
  GET DIAGNOSTICS v_count = ROW_COUNT;
  UPDATE feed_head h SET stamped = v_stamped + v_count;
  RETURN v_count;
END
$$;

-- Confirmed up to p_to, unless somebody moved the mark meanwhile because the broker had lost its queue. A mark that is
-- lost in a crash costs a repeated publication and nothing else, so it does not wait for the disk.
CREATE FUNCTION chat_mark_published(p_from bigint, p_to bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE feed_head h SET published = p_to WHERE h.published = p_from;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM feed_mark m WHERE m.marked_at > clock_timestamp() - interval '1 second') THEN
    INSERT INTO feed_mark (published, marked_at) VALUES (p_to, clock_timestamp())
    ON CONFLICT (published) DO UPDATE SET marked_at = EXCLUDED.marked_at;
    -- The newest of the old ones stays: something is always known to lie far enough back.
    DELETE FROM feed_mark m WHERE m.published < (
      SELECT max(o.published) FROM feed_mark o WHERE o.marked_at < clock_timestamp() - interval '1 hour');
  END IF;
  RETURN true;
END
$$;

-- Everything that was published in the last p_seconds is to be published again; answers how many events that are.
CREATE FUNCTION chat_republish(p_seconds integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_published bigint;
  v_from      bigint;
BEGIN
  SELECT h.published INTO v_published FROM feed_head h FOR UPDATE;
  SELECT m.published INTO v_from FROM feed_mark m
   WHERE m.marked_at <= clock_timestamp() - make_interval(secs => p_seconds) ORDER BY m.marked_at DESC LIMIT 1;
  v_from := LEAST(v_published, COALESCE(v_from, (SELECT min(m.published) FROM feed_mark m), 0));
  UPDATE feed_head h SET published = v_from;
  RETURN v_published - v_from;
END
$$;
