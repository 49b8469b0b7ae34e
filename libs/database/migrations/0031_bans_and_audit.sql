-- Who may not write, and a log of who changed what.

-- Where a chat's customer wrote from last. Kept for some weeks, so that an address can be banned; no other use.
CREATE TABLE chat_client_address (
  session_id bigint PRIMARY KEY REFERENCES chat_session ON DELETE CASCADE,
  address    text NOT NULL,
  seen_at    timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX chat_client_address_seen ON chat_client_address (seen_at);

CREATE TABLE chat_ban (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind            text NOT NULL CHECK (kind IN ('session', 'customer', 'address')),
  -- The chat that gave the cause. It is the banned one where kind is `session`.
  session_id      bigint NOT NULL REFERENCES chat_session ON DELETE CASCADE,
  customer_id     text,
  -- An IPv4 address, or the /64 of an IPv6 address.
  network         text,
  reason          text,
  -- Null: until somebody lifts it.
  until           timestamptz(3),
  created_at      timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  created_by      text NOT NULL,
  created_by_name text,
  CHECK ((kind = 'customer') = (customer_id IS NOT NULL)),
  CHECK ((kind = 'address') = (network IS NOT NULL))
);
CREATE UNIQUE INDEX chat_ban_session ON chat_ban (session_id) WHERE kind = 'session';
CREATE UNIQUE INDEX chat_ban_customer ON chat_ban (customer_id) WHERE kind = 'customer';
CREATE UNIQUE INDEX chat_ban_network ON chat_ban (network) WHERE kind = 'address';
CREATE INDEX chat_ban_until ON chat_ban (until) WHERE until IS NOT NULL;

CREATE FUNCTION chat_is_banned(p_session_id bigint, p_network text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT 1 FROM chat_ban b
     WHERE (b.until IS NULL OR b.until > clock_timestamp())
       AND ((b.kind = 'session' AND b.session_id = p_session_id)
         OR (b.kind = 'customer' AND b.customer_id = (SELECT s.customer_id FROM chat_session s WHERE s.id = p_session_id))
         OR (b.kind = 'address' AND b.network = p_network)))
$$;

-- A customer's post asks for bans first, in the same round trip. A message that is stored already is answered as ever.
CREATE FUNCTION chat_post_checked(
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
  IF r_outcome = 'stored' AND p_address IS NOT NULL THEN
    INSERT INTO chat_client_address AS a (session_id, address) VALUES (p_session_id, p_address)
    ON CONFLICT (session_id) DO UPDATE SET address = EXCLUDED.address, seen_at = EXCLUDED.seen_at
     WHERE a.address <> EXCLUDED.address OR a.seen_at < clock_timestamp() - interval '1 hour';
  END IF;
END
$$;

-- `details` never holds a message, a contact or a secret.
CREATE TABLE chat_audit (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  actor_id   text NOT NULL,
  actor_name text,
  -- Such as `ban.created`.
  action     text NOT NULL,
  -- What was changed, such as `session:123` or `operator:7`.
  subject    text,
  details    jsonb NOT NULL DEFAULT '{}'
);
