-- A site's events come in calls of many, and most of a call are of one chat. Its row was written again for each of them: a
-- hundred versions, through which each next look had to find its way. It is kept in hand while events of the same chat
-- follow, and written once. An event's number is known before its keys are noted, so that they are written once, too; a
-- number that is given to an event from before is left out. Otherwise it does what it did.
-- lives-with: 0053_mail_tokens

-- What one call of the intake has made of a session.
CREATE FUNCTION chat_keep_taken(v_s chat_session) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE chat_session s SET
    status = v_s.status, assigned_user_id = v_s.assigned_user_id, assigned_user_name = v_s.assigned_user_name,
    assigned_at = v_s.assigned_at, created_at = v_s.created_at, updated_at = v_s.updated_at, closed_at = v_s.closed_at,
    last_seq = v_s.last_seq, version = v_s.version, client_msgs = v_s.client_msgs,
    team_client_msgs = v_s.team_client_msgs, team_read_id = v_s.team_read_id, last_message_id = v_s.last_message_id,
    last_client_message_at = v_s.last_client_message_at, waiting_since = v_s.waiting_since,
    closed_waiting_since = v_s.closed_waiting_since, waiting_round = v_s.waiting_round,
    callback_pending = v_s.callback_pending, name = v_s.name, email = v_s.email, phone = v_s.phone
   WHERE s.id = v_s.id;
END
$$;

CREATE OR REPLACE FUNCTION chat_take_events(p_events jsonb)
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
  v_new     bigint;
  -- The sequence of the events' ids.
  v_ids     regclass := pg_get_serial_sequence('chat_event', 'id');
  -- What v_s holds is not in its row yet.
  v_ahead   boolean := false;
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
    v_new := nextval(v_ids);
    INSERT INTO intake_key (key, event_id) SELECT k, v_new FROM unnest(v_e.keys) AS k ON CONFLICT (key) DO NOTHING;
    GET DIAGNOSTICS v_keys = ROW_COUNT;
    IF v_keys < COALESCE(cardinality(v_e.keys), 0) THEN
      SELECT COALESCE(e.message_id, e.id), e.id, e.seq INTO r_message_id, v_event, r_seq
        FROM intake_key k JOIN chat_event e ON e.id = k.event_id
       WHERE k.key = ANY (v_e.keys) LIMIT 1;
      IF v_keys > 0 THEN
        UPDATE intake_key k SET event_id = v_event WHERE k.key = ANY (v_e.keys) AND k.event_id = v_new;
      END IF;
      RETURN NEXT;
      CONTINUE;
    END IF;

    v_now := clock_timestamp()::timestamptz(3);
    -- A site's clock may be ahead of ours; nothing has happened in the future.
    v_at := LEAST(COALESCE(v_e.at, v_now), v_now);
    IF v_ahead AND v_s.id <> v_e.session_id THEN
      PERFORM chat_keep_taken(v_s);
      v_ahead := false;
    END IF;
    IF NOT v_ahead THEN
      SELECT * INTO v_s FROM chat_session s WHERE s.id = v_e.session_id;
      IF NOT FOUND THEN
        INSERT INTO chat_session (id, site_owned, created_at, updated_at) OVERRIDING SYSTEM VALUE
        VALUES (v_e.session_id, true, v_at, v_at) RETURNING * INTO v_s;
      END IF;
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
    INSERT INTO chat_event (id, session_id, seq, type, created_at, actor_id, actor_name, sender_type, body, client_message_id,
                            attachments, client_msgs, data, staff_data, assigned_user_id, previous_user_id, message_id)
    OVERRIDING SYSTEM VALUE
    VALUES (v_new, v_s.id, r_seq, v_e.type, v_at, v_e.actor_id, v_e.actor_name, v_e.sender_type, v_e.body, v_cmid,
            v_e.attachments, v_client, v_data, v_e.staff_data, v_s.assigned_user_id, v_prev, v_e.message_id);
    INSERT INTO outbox (event_id, traceparent) VALUES (v_new, v_e.traceparent);

    IF v_s.status = 'closed' AND v_s.waiting_since IS NOT NULL THEN
      v_s.closed_waiting_since := v_s.waiting_since;
      v_s.waiting_since := NULL;
    END IF;
    v_s.updated_at := GREATEST(v_s.updated_at, v_at);
    IF v_e.type = 'chat.message' THEN
      v_public := COALESCE(v_e.message_id, v_new);
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
    v_ahead := true;
    r_outcome := 'stored';
    RETURN NEXT;
  END LOOP;
  IF v_ahead THEN
    PERFORM chat_keep_taken(v_s);
  END IF;
END
$$;
