-- The ledger beside a site's own chat: events that the site publishes are kept here under the site's own ids.

ALTER TABLE chat_event
  -- The message's id where a site gave one; without it the event's own id is the message's.
  ADD COLUMN message_id bigint CHECK (message_id BETWEEN 1 AND 9007199254740991);
CREATE UNIQUE INDEX chat_event_site_message ON chat_event (session_id, message_id) WHERE message_id IS NOT NULL;

ALTER TABLE chat_session
  -- A chat that a site keeps: its states, and their order, are the site's.
  ADD COLUMN site_owned boolean NOT NULL DEFAULT false,
  DROP CONSTRAINT status_fits_assignee,
  ADD CONSTRAINT status_fits_assignee CHECK (site_owned OR
    CASE status WHEN 'new' THEN assigned_user_id IS NULL WHEN 'active' THEN assigned_user_id IS NOT NULL ELSE true END);

-- By what an event is known again, as a hash: its message_id, and its type with the id in its data.
CREATE TABLE intake_key (
  key        uuid PRIMARY KEY,
  -- Null for a moment only, in the transaction that stores the event.
  event_id   bigint
);

-- Ids of sessions that are no positive integers, and the numbers they have here.
CREATE TABLE site_session (
  site_id    text COLLATE "C" PRIMARY KEY,
  session_id bigint NOT NULL UNIQUE,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

-- Numbers made here begin far above every number that a site counts up to, and below 2^53. False where chats of its own
-- have such small numbers already: they would be taken for the site's.
CREATE FUNCTION chat_begin_ledger() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  c_first CONSTANT bigint := 4503599627370496;
BEGIN
  PERFORM pg_advisory_xact_lock(1129595222, 0);
  IF EXISTS (SELECT 1 FROM chat_session s WHERE NOT s.site_owned AND s.id < c_first) THEN
    RETURN false;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM chat_meta m WHERE m.name = 'ledger_since') THEN
    PERFORM setval(pg_get_serial_sequence('chat_session', 'id'), c_first, true);
    PERFORM setval(pg_get_serial_sequence('chat_event', 'id'), c_first, true);
    INSERT INTO chat_meta (name, value) VALUES ('ledger_since', clock_timestamp()::text);
  END IF;
  RETURN true;
END
$$;

-- The number of a session whose id is no number; made when it is first asked for.
CREATE FUNCTION chat_site_session(p_site_id text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint;
BEGIN
  SELECT m.session_id INTO v_id FROM site_session m WHERE m.site_id = p_site_id;
  IF NOT FOUND THEN
    INSERT INTO site_session (site_id, session_id)
    VALUES (p_site_id, nextval(pg_get_serial_sequence('chat_session', 'id'))) ON CONFLICT (site_id) DO NOTHING;
    SELECT m.session_id INTO v_id FROM site_session m WHERE m.site_id = p_site_id;
  END IF;
  RETURN v_id;
END
$$;

-- Takes a site's events in the order given, all or none, each once. What they hold was checked before.
-- Fields of an element: session_id, keys[], type, at?, message_id?, sender_type?, actor_id?, actor_name?, body?,
-- client_message_id?, attachments?, data?, staff_data?, status?, assigns?, assigned_user_id?, assigned_user_name?,
-- subscriber?, contact?, callback_pending?, traceparent?
CREATE FUNCTION chat_take_events(p_events jsonb)
RETURNS TABLE (
  r_place        integer,
  -- stored | duplicate
  r_outcome      text,
  r_session_id   bigint,
  r_seq          bigint,
  -- Of a message: its public id.
  r_message_id   bigint,
  -- The message moved the team's read mark over unread messages.
  r_mark_moved   boolean
) LANGUAGE plpgsql AS $$
DECLARE
  v_lock    bigint;
  v_e       record;
  v_s       chat_session%ROWTYPE;
  v_now     timestamptz;
  v_at      timestamptz;
  v_keys    integer;
  v_data    jsonb;
  v_event   bigint;
  v_public  bigint;
  v_cmid    text;
  v_client  bigint;
  v_prev    text;
  v_told    boolean;
BEGIN
  -- All locks first, and in one order for everybody: nobody waits in a circle, and within a session ids rise with seq.
  FOR v_lock IN
    SELECT DISTINCT (e.value ->> 'session_id')::bigint & 2147483647 FROM jsonb_array_elements(p_events) e ORDER BY 1
  LOOP
    PERFORM chat_lock_session(v_lock);
  END LOOP;

  FOR v_e IN
    SELECT x.place, r.* FROM jsonb_array_elements(p_events) WITH ORDINALITY AS x(value, place)
    CROSS JOIN LATERAL jsonb_to_record(x.value) AS r(
      session_id bigint, keys uuid[], type text, at timestamptz, message_id bigint, sender_type text, actor_id text,
      actor_name text, body text, client_message_id text, attachments jsonb, data jsonb, staff_data jsonb, status text,
      assigns boolean, assigned_user_id text, assigned_user_name text, subscriber text, contact jsonb,
      callback_pending boolean, traceparent text)
    ORDER BY x.place
  LOOP
    r_place := v_e.place - 1;
    r_session_id := v_e.session_id;
    r_seq := NULL;
    r_message_id := NULL;
    r_mark_moved := false;
    r_outcome := 'duplicate';

    -- Known by any of its keys: another one that is new is noted as well. Whoever stores it at the same time is waited for.
    INSERT INTO intake_key (key) SELECT k FROM unnest(v_e.keys) AS k ON CONFLICT (key) DO NOTHING;
    GET DIAGNOSTICS v_keys = ROW_COUNT;
    IF v_keys < COALESCE(cardinality(v_e.keys), 0) THEN
      SELECT COALESCE(e.message_id, e.id), e.id, e.seq INTO r_message_id, v_event, r_seq
        FROM intake_key k JOIN chat_event e ON e.id = k.event_id
       WHERE k.key = ANY (v_e.keys) AND k.event_id IS NOT NULL LIMIT 1;
      UPDATE intake_key k SET event_id = v_event WHERE k.key = ANY (v_e.keys) AND k.event_id IS NULL;
      RETURN NEXT;
      CONTINUE;
    END IF;

    v_now := clock_timestamp()::timestamptz(3);
    -- A site's clock may be ahead of ours; nothing has happened in the future.
    v_at := LEAST(COALESCE(v_e.at, v_now), v_now);
    SELECT * INTO v_s FROM chat_session s WHERE s.id = v_e.session_id;
    IF NOT FOUND THEN
      INSERT INTO chat_session (id, site_owned, created_at, updated_at) OVERRIDING SYSTEM VALUE
      VALUES (v_e.session_id, true, v_at, v_at) RETURNING * INTO v_s;
    END IF;
    v_prev := NULL;
    v_data := v_e.data;

    -- An event that nothing tells from the one before it, and that says the same: the site's broker gave it again.
    IF v_e.keys IS NULL AND v_e.type IN ('chat.session.assigned', 'chat.session.status') THEN
      SELECT CASE v_e.type WHEN 'chat.session.status' THEN e.data ->> 'status' = v_e.status
                           ELSE (e.data ->> 'assigned_user_id') IS NOT DISTINCT FROM v_e.assigned_user_id END
        INTO v_told FROM chat_event e
       WHERE e.session_id = v_s.id AND e.type = v_e.type ORDER BY e.seq DESC LIMIT 1;
      IF FOUND AND v_told THEN
        RETURN NEXT;
        CONTINUE;
      END IF;
    END IF;

    -- What the session is from now on.
    IF v_e.type = 'chat.session.created' THEN
      v_s.created_at := LEAST(v_s.created_at, v_at);
      -- It may come after what it precedes: what was told since is newer.
      IF v_e.status IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM chat_event e WHERE e.session_id = v_s.id AND e.type = 'chat.session.status') THEN
        v_s.status := v_e.status;
      END IF;
      IF v_e.assigned_user_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM chat_event e WHERE e.session_id = v_s.id AND e.type = 'chat.session.assigned') THEN
        v_s.assigned_user_id := v_e.assigned_user_id;
        v_s.assigned_user_name := v_e.assigned_user_name;
        v_s.assigned_at := v_at;
      END IF;
      v_s.name := COALESCE(v_e.contact ->> 'name', v_s.name);
      v_s.email := COALESCE(v_e.contact ->> 'email', v_s.email);
      v_s.phone := COALESCE(v_e.contact ->> 'phone', v_s.phone);
    ELSIF v_e.assigns THEN
      v_prev := v_s.assigned_user_id;
      IF v_s.assigned_user_id IS DISTINCT FROM v_e.assigned_user_id THEN
        v_s.assigned_at := CASE WHEN v_e.assigned_user_id IS NOT NULL THEN v_at END;
      END IF;
      v_s.assigned_user_id := v_e.assigned_user_id;
      v_s.assigned_user_name := v_e.assigned_user_name;
    ELSIF v_e.status IS NOT NULL THEN
      v_data := jsonb_build_object('status', v_e.status, 'previous', v_s.status) || v_data;
      IF v_e.status = 'closed' AND v_s.status <> 'closed' THEN
        v_s.closed_at := v_at;
        v_s.closed_waiting_since := v_s.waiting_since;
        v_s.waiting_since := NULL;
      ELSIF v_e.status <> 'closed' AND v_s.status = 'closed' THEN
        v_s.closed_at := NULL;
        v_s.waiting_since := v_s.closed_waiting_since;
        v_s.closed_waiting_since := NULL;
        v_s.waiting_round := v_s.waiting_round + 1;
      END IF;
      v_s.status := v_e.status;
    ELSIF v_e.subscriber IS NOT NULL AND v_e.subscriber IS DISTINCT FROM v_s.assigned_user_id AND NOT EXISTS (
      SELECT 1 FROM chat_event e WHERE e.session_id = v_s.id AND e.type = 'chat.session.assigned') THEN
      -- A site that tells of no assignments says by its subscribers whose the session is.
      v_prev := v_s.assigned_user_id;
      v_s.assigned_user_id := v_e.subscriber;
      v_s.assigned_user_name := NULL;
      v_s.assigned_at := v_at;
    END IF;
    v_s.callback_pending := COALESCE(v_e.callback_pending, v_s.callback_pending);

    r_seq := v_s.last_seq + 1;
    v_s.last_seq := r_seq;
    v_s.version := v_s.version + 1;
    v_client := NULL;
    v_cmid := NULL;
    IF v_e.type = 'chat.message' THEN
      v_client := v_s.client_msgs + CASE v_e.sender_type WHEN 'client' THEN 1 ELSE 0 END;
      -- A second message under the same client_message_id is the site's doing; the first one keeps it.
      IF v_e.client_message_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM chat_event e WHERE e.session_id = v_s.id AND e.client_message_id = v_e.client_message_id
           AND e.sender_type = v_e.sender_type AND COALESCE(e.actor_id, '') = COALESCE(v_e.actor_id, '')) THEN
        v_cmid := v_e.client_message_id;
      END IF;
    ELSIF v_e.type = 'chat.session.created' THEN
      v_data := jsonb_build_object('session', jsonb_build_object(
        'id', v_s.id, 'status', v_s.status, 'created_at', to_char(v_s.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'assigned_user_id', v_s.assigned_user_id, 'assigned_user_name', v_s.assigned_user_name,
        'last_seq', v_s.last_seq, 'version', v_s.version, 'callback_pending', v_s.callback_pending));
    END IF;
    INSERT INTO chat_event (session_id, seq, type, created_at, actor_id, actor_name, sender_type, body, client_message_id,
                            attachments, client_msgs, data, staff_data, assigned_user_id, previous_user_id, message_id)
    VALUES (v_s.id, r_seq, v_e.type, v_at, v_e.actor_id, v_e.actor_name, v_e.sender_type, v_e.body, v_cmid,
            v_e.attachments, v_client, v_data, v_e.staff_data, v_s.assigned_user_id, v_prev, v_e.message_id)
    RETURNING id INTO v_event;
    INSERT INTO outbox (event_id, traceparent) VALUES (v_event, v_e.traceparent);
    UPDATE intake_key k SET event_id = v_event WHERE k.key = ANY (v_e.keys);

    IF v_s.status = 'closed' AND v_s.waiting_since IS NOT NULL THEN
      v_s.closed_waiting_since := v_s.waiting_since;
      v_s.waiting_since := NULL;
    END IF;
    v_s.updated_at := GREATEST(v_s.updated_at, v_at);
    IF v_e.type = 'chat.message' THEN
      v_public := COALESCE(v_e.message_id, v_event);
      r_message_id := v_public;
      v_s.last_message_id := GREATEST(v_s.last_message_id, v_public);
      v_s.client_msgs := v_client;
      IF v_e.sender_type = 'client' THEN
        v_s.last_client_message_at := GREATEST(v_s.last_client_message_at, v_at);
        IF v_s.status = 'closed' THEN
          v_s.closed_waiting_since := COALESCE(v_s.closed_waiting_since, v_at);
        ELSE
          v_s.waiting_since := COALESCE(v_s.waiting_since, v_at);
        END IF;
      ELSIF v_e.sender_type = 'operator' THEN
        r_mark_moved := v_s.team_client_msgs < v_client;
        v_s.team_client_msgs := v_client;
        v_s.team_read_id := GREATEST(v_s.team_read_id, v_public);
        v_s.waiting_since := NULL;
        v_s.closed_waiting_since := NULL;
      END IF;
    END IF;
    UPDATE chat_session s SET
      status = v_s.status, assigned_user_id = v_s.assigned_user_id, assigned_user_name = v_s.assigned_user_name,
      assigned_at = v_s.assigned_at, created_at = v_s.created_at, updated_at = v_s.updated_at, closed_at = v_s.closed_at,
      last_seq = v_s.last_seq, version = v_s.version, client_msgs = v_s.client_msgs,
      team_client_msgs = v_s.team_client_msgs, team_read_id = v_s.team_read_id, last_message_id = v_s.last_message_id,
      last_client_message_at = v_s.last_client_message_at, waiting_since = v_s.waiting_since,
      closed_waiting_since = v_s.closed_waiting_since, waiting_round = v_s.waiting_round,
      callback_pending = v_s.callback_pending, name = v_s.name, email = v_s.email, phone = v_s.phone
     WHERE s.id = v_s.id;
    r_outcome := 'stored';
    RETURN NEXT;
  END LOOP;
END
$$;

-- Where a message stands in its session, by the id under which the outside knows it. Messages of a site may have come in
-- another order than that of their ids: what counts is which one is meant, and the order in which they came.
CREATE OR REPLACE FUNCTION chat_mark_read(
  p_session_id  bigint,
  p_participant text,
  -- `sub` of the operator; null for the customer.
  p_user_id     text,
  p_scope_user  text,
  p_last_id     bigint,
  OUT r_found        boolean,
  OUT r_read_id      bigint,
  OUT r_delivered_id bigint,
  -- What the other side sees has changed.
  OUT r_changed      boolean
) LANGUAGE plpgsql AS $$
DECLARE
  v_session chat_session%ROWTYPE;
  v_target  bigint;
  v_count   bigint;
BEGIN
  PERFORM chat_lock_session(p_session_id);
  SELECT * INTO v_session FROM chat_session s WHERE s.id = p_session_id;
  r_found := FOUND AND (p_scope_user IS NULL OR v_session.assigned_user_id IS NULL OR v_session.assigned_user_id = p_scope_user);
  IF NOT r_found THEN
    RETURN;
  END IF;
  v_target := LEAST(p_last_id, v_session.last_message_id);

  SELECT m.read_id, m.delivered_id INTO r_read_id, r_delivered_id
    FROM chat_read_mark m WHERE m.session_id = p_session_id AND m.participant = p_participant;
  r_changed := p_user_id IS NULL AND v_target > COALESCE(r_read_id, 0);
  IF v_target > COALESCE(r_read_id, 0) THEN
    INSERT INTO chat_read_mark AS m (session_id, participant, delivered_id, read_id)
    VALUES (p_session_id, p_participant, v_target, v_target)
    ON CONFLICT (session_id, participant) DO UPDATE
      SET read_id = GREATEST(m.read_id, EXCLUDED.read_id), delivered_id = GREATEST(m.delivered_id, EXCLUDED.delivered_id),
          updated_at = clock_timestamp()
    RETURNING m.read_id, m.delivered_id INTO r_read_id, r_delivered_id;
  END IF;
  r_read_id := COALESCE(r_read_id, 0);
  r_delivered_id := COALESCE(r_delivered_id, 0);

  IF p_user_id IS NOT NULL AND v_session.assigned_user_id = p_user_id THEN
    IF v_session.site_owned THEN
      SELECT e.client_msgs INTO v_count FROM chat_event e
       WHERE e.session_id = p_session_id AND e.type = 'chat.message' AND COALESCE(e.message_id, e.id) <= v_target
       ORDER BY e.id DESC LIMIT 1;
    ELSIF v_target > v_session.team_read_id THEN
      SELECT e.client_msgs INTO v_count FROM chat_event e
       WHERE e.session_id = p_session_id AND e.type = 'chat.message' AND e.id <= v_target ORDER BY e.id DESC LIMIT 1;
    END IF;
    IF v_target > v_session.team_read_id OR COALESCE(v_count, 0) > v_session.team_client_msgs THEN
      UPDATE chat_session s SET
        team_read_id = GREATEST(s.team_read_id, v_target),
        team_client_msgs = GREATEST(s.team_client_msgs, COALESCE(v_count, 0))
       WHERE s.id = p_session_id;
      r_changed := true;
    END IF;
  END IF;
END
$$;
