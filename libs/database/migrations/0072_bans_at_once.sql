-- Whether a visitor is banned is asked for each message of a customer. A function in SQL is planned anew at each call,
-- which took more time than to store the message; one in PL/pgSQL keeps its plans. Nobody is banned as a rule, and then
-- nothing else is looked up.
-- lives-with: 0053_mail_tokens
CREATE OR REPLACE FUNCTION chat_is_banned(p_session_id bigint, p_network text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM chat_ban) THEN
    RETURN false;
  END IF;
  RETURN EXISTS (
    SELECT 1 FROM chat_ban b
     WHERE (b.until IS NULL OR b.until > clock_timestamp())
       AND ((b.kind = 'session' AND b.session_id = p_session_id)
         OR (b.kind = 'customer' AND b.customer_id = (SELECT s.customer_id FROM chat_session s WHERE s.id = p_session_id))
         OR (b.kind = 'address' AND b.network = p_network)));
END
$$;
