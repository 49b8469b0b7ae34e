-- Where a customer writes from is looked up before it is written: an upsert that changes nothing still locks its row, and
-- writes that lock down, for each message of every customer.
-- lives-with: 0053_mail_tokens
CREATE OR REPLACE FUNCTION chat_post_checked(
  p_session_id        bigint,
  p_sender_type       text,
  p_actor_id          text,
  p_actor_name        text,
  p_scope_user        text,
  p_body              text,
  p_client_message_id text,
  p_attachments       text[],
  p_expected_seq      bigint,
  p_traceparent       text,
  p_claims            boolean,
  -- Where the customer writes from; null where nobody knows it.
  p_address           text,
  p_network           text,
  -- As chat_post_message, or banned
  OUT r_outcome       text,
  OUT r_id            bigint,
  OUT r_seq           bigint,
  OUT r_created_at    timestamptz,
  OUT r_actor_name    text,
  OUT r_attachments   jsonb,
  OUT r_mark_moved    boolean,
  OUT r_lock_wait     double precision
) LANGUAGE plpgsql AS $$
BEGIN
  IF p_sender_type = 'client' AND chat_is_banned(p_session_id, p_network) AND NOT EXISTS (
    SELECT 1 FROM chat_event e WHERE e.session_id = p_session_id AND e.client_message_id = p_client_message_id
       AND e.sender_type = p_sender_type AND COALESCE(e.actor_id, '') = '')
  THEN
    r_outcome := 'banned';
    r_lock_wait := 0;
    RETURN;
  END IF;
  SELECT p.* INTO r_outcome, r_id, r_seq, r_created_at, r_actor_name, r_attachments, r_mark_moved, r_lock_wait
    FROM chat_post_message(p_session_id, p_sender_type, p_actor_id, p_actor_name, p_scope_user, p_body,
      p_client_message_id, p_attachments, p_expected_seq, p_traceparent, p_claims) p;
  IF r_outcome = 'stored' AND p_address IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM chat_client_address a WHERE a.session_id = p_session_id AND a.address = p_address
       AND a.seen_at >= clock_timestamp() - interval '1 hour')
  THEN
    INSERT INTO chat_client_address (session_id, address) VALUES (p_session_id, p_address)
    ON CONFLICT (session_id) DO UPDATE SET address = EXCLUDED.address, seen_at = EXCLUDED.seen_at;
  END IF;
END
$$;
