-- A message took a call within a call and three looks into tables before and after it: together a tenth of what it took to
-- store it. All of that is one function now, and whether anybody is banned and whether the customer's address is known is
-- read with the session. chat_post_message stays for instances from before the upgrade, which know no bans.
-- lives-with: 0053_mail_tokens
CREATE OR REPLACE FUNCTION chat_post_checked(
  p_session_id        bigint,
  p_sender_type       text,
  p_actor_id          text,
  p_actor_name        text,
  -- Set for staff who may see only unassigned and own sessions.
  p_scope_user        text,
  p_body              text,
  p_client_message_id text,
  p_attachments       text[],
  p_expected_seq      bigint,
  p_traceparent       text,
  -- An operator's message in a session that is nobody's is not stored yet: the caller claims the session first.
  p_claims            boolean,
  -- Where the customer writes from; null where nobody knows it.
  p_address           text,
  p_network           text,
  -- not_found | banned | duplicate | conflict | closed | stale | bad_attachments | unclaimed | stored
  OUT r_outcome       text,
  OUT r_id            bigint,
  OUT r_seq           bigint,
  OUT r_created_at    timestamptz,
  OUT r_actor_name    text,
  OUT r_attachments   jsonb,
  -- The message moved the team's read mark over unread messages.
  OUT r_mark_moved    boolean,
  OUT r_lock_wait     double precision
) LANGUAGE plpgsql AS $$
DECLARE
  v_start   timestamptz := clock_timestamp();
  -- The session, and what a customer's message needs to know beside it.
  v_session record;
  v_known   chat_event%ROWTYPE;
  v_client  bigint;
BEGIN
  PERFORM chat_lock_session(p_session_id);
  r_lock_wait := extract(epoch FROM clock_timestamp() - v_start);

  SELECT s.*,
         p_sender_type = 'client' AND EXISTS (SELECT 1 FROM chat_ban) AS may_be_banned,
         p_address IS NULL OR EXISTS (
           SELECT 1 FROM chat_client_address a WHERE a.session_id = p_session_id AND a.address = p_address
              AND a.seen_at >= clock_timestamp() - interval '1 hour') AS address_known
    INTO v_session FROM chat_session s WHERE s.id = p_session_id;
  IF NOT FOUND OR (p_scope_user IS NOT NULL AND v_session.assigned_user_id <> p_scope_user) THEN
    r_outcome := 'not_found';
    RETURN;
  END IF;

  SELECT * INTO v_known FROM chat_event e
   WHERE e.session_id = p_session_id AND e.client_message_id = p_client_message_id
     AND e.sender_type = p_sender_type AND COALESCE(e.actor_id, '') = COALESCE(p_actor_id, '');
  IF FOUND THEN
    r_id := v_known.id;
    r_seq := v_known.seq;
    r_created_at := v_known.created_at;
    r_actor_name := v_known.actor_name;
    r_attachments := v_known.attachments;
    r_outcome := CASE
      WHEN v_known.body = p_body AND p_attachments = ARRAY(
        SELECT a.value ->> 'id' FROM jsonb_array_elements(COALESCE(v_known.attachments, '[]'))
          WITH ORDINALITY AS a(value, place) ORDER BY a.place)
      THEN 'duplicate' ELSE 'conflict' END;
    RETURN;
  END IF;

  IF v_session.may_be_banned AND chat_is_banned(p_session_id, p_network) THEN
    r_outcome := 'banned';
    RETURN;
  END IF;

  IF v_session.status = 'closed' THEN
    r_outcome := 'closed';
    RETURN;
  END IF;

  IF p_expected_seq IS NOT NULL AND EXISTS (
    SELECT 1 FROM chat_event e
     WHERE e.session_id = p_session_id AND e.seq > p_expected_seq AND e.actor_id <> p_actor_id
       AND (e.type IN ('chat.message', 'chat.session.assigned')
            OR (e.type = 'chat.session.status' AND e.data ->> 'status' = 'closed'))
  ) THEN
    r_outcome := 'stale';
    RETURN;
  END IF;

  IF cardinality(p_attachments) > 0 THEN
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
             'id', a.id, 'name', a.name, 'mime', a.mime, 'size', a.size, 'width', a.width, 'height', a.height)) ORDER BY w.place)
      INTO r_attachments
      FROM unnest(p_attachments) WITH ORDINALITY AS w(id, place)
      JOIN chat_attachment a ON a.id = w.id AND a.session_id = p_session_id AND a.event_id IS NULL
       AND a.uploaded_by = CASE p_sender_type WHEN 'client' THEN 'client' ELSE 'staff:' || p_actor_id END;
    IF COALESCE(jsonb_array_length(r_attachments), 0) <> cardinality(p_attachments)
       OR cardinality(p_attachments) <> (SELECT count(DISTINCT w.id) FROM unnest(p_attachments) AS w(id)) THEN
      r_outcome := 'bad_attachments';
      RETURN;
    END IF;
  END IF;

  IF p_claims AND p_sender_type = 'operator' AND v_session.status = 'new' THEN
    r_outcome := 'unclaimed';
    RETURN;
  END IF;

  -- A session's times never go back, even where the clock does.
  r_created_at := GREATEST(clock_timestamp()::timestamptz(3), v_session.updated_at);
  r_seq := v_session.last_seq + 1;
  r_actor_name := p_actor_name;
  v_client := v_session.client_msgs + CASE p_sender_type WHEN 'client' THEN 1 ELSE 0 END;
  INSERT INTO chat_event (session_id, seq, type, created_at, actor_id, actor_name, sender_type, body, client_message_id,
                          attachments, client_msgs, assigned_user_id)
  VALUES (p_session_id, r_seq, 'chat.message', r_created_at, p_actor_id, p_actor_name, p_sender_type, p_body,
          p_client_message_id, r_attachments, v_client, v_session.assigned_user_id)
  RETURNING chat_event.id INTO r_id;
  INSERT INTO outbox (event_id, traceparent) VALUES (r_id, p_traceparent);
  IF r_attachments IS NOT NULL THEN
    UPDATE chat_attachment a SET event_id = r_id WHERE a.id = ANY (p_attachments);
  END IF;

  r_mark_moved := p_sender_type = 'operator' AND v_session.team_client_msgs < v_client;
  UPDATE chat_session s SET
    last_seq = r_seq,
    version = s.version + 1,
    updated_at = r_created_at,
    last_message_id = r_id,
    client_msgs = v_client,
    team_client_msgs = CASE p_sender_type WHEN 'operator' THEN v_client ELSE s.team_client_msgs END,
    team_read_id = CASE p_sender_type WHEN 'operator' THEN r_id ELSE s.team_read_id END,
    last_client_message_at = CASE p_sender_type WHEN 'client' THEN r_created_at ELSE s.last_client_message_at END,
    waiting_since = CASE p_sender_type WHEN 'client' THEN COALESCE(s.waiting_since, r_created_at)
                                       WHEN 'operator' THEN NULL ELSE s.waiting_since END
   WHERE s.id = p_session_id;
  IF NOT v_session.address_known THEN
    INSERT INTO chat_client_address (session_id, address) VALUES (p_session_id, p_address)
    ON CONFLICT (session_id) DO UPDATE SET address = EXCLUDED.address, seen_at = EXCLUDED.seen_at;
  END IF;
  r_outcome := 'stored';
END
$$;
