-- The conversation follows people: mail that waits to be sent, mail that came, and the devices that are told by push.

-- Outgoing mail. A row is written in the transaction of its cause and sent later, so that none is lost; dedupe_key names
-- the cause, so that none is written twice. What it says is made when it is sent.
CREATE TABLE mail (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind            text NOT NULL CHECK (kind IN ('transcript', 'reply', 'alert')),
  dedupe_key      text NOT NULL UNIQUE,
  session_id      bigint REFERENCES chat_session ON DELETE CASCADE,
  alert_id        bigint,
  -- The operator it is for; null: the customer.
  user_id         text,
  address         text NOT NULL,
  locale          text,
  -- Of a transcript or a reply: messages after the one and up to the other.
  after_id        bigint NOT NULL DEFAULT 0,
  through_id      bigint NOT NULL DEFAULT 0,
  attempts        integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  -- Since when a process is giving it to the server. Still set after a crash: whether it went is not known.
  sending_at      timestamptz(3),
  sent_at         timestamptz(3),
  failed_at       timestamptz(3),
  last_error      text,
  created_at      timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX mail_due ON mail (next_attempt_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX mail_session ON mail (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX mail_created ON mail (created_at);

-- Addresses that must get nothing more. In lower case.
CREATE TABLE mail_refusal (
  address    text PRIMARY KEY,
  reason     text NOT NULL CHECK (reason IN ('bounced', 'unsubscribed')),
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

-- How far a customer was written to, so that a burst of replies is one mail.
CREATE TABLE mail_mark (
  session_id bigint PRIMARY KEY REFERENCES chat_session ON DELETE CASCADE,
  mailed_id  bigint NOT NULL,
  mailed_at  timestamptz(3) NOT NULL
);

-- A link back into the chat: one use. Only a keyed hash is stored.
CREATE TABLE mail_link (
  hash       text PRIMARY KEY,
  session_id bigint NOT NULL REFERENCES chat_session ON DELETE CASCADE,
  expires_at timestamptz(3) NOT NULL
);
CREATE INDEX mail_link_expires_at ON mail_link (expires_at);

-- What came by mail, by its Message-ID: the same mail by two ways, or again, is taken once.
CREATE TABLE mail_received (
  key         text PRIMARY KEY,
  outcome     text NOT NULL,
  session_id  bigint REFERENCES chat_session ON DELETE CASCADE,
  received_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX mail_received_at ON mail_received (received_at);

-- Made once: a device's subscription is bound to the public half.
CREATE TABLE push_key (
  only_one    boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  public_key  text NOT NULL,
  private_key text NOT NULL,
  created_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

-- One browser on one device, an operator's or a customer's. role and scope: as of the operator's last token; an account
-- of auth-service is read there instead.
CREATE TABLE push_subscription (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  endpoint_hash text NOT NULL UNIQUE,
  endpoint      text NOT NULL,
  p256dh        text NOT NULL,
  auth          text NOT NULL,
  user_id       text,
  role          text,
  scope         text,
  session_id    bigint REFERENCES chat_session ON DELETE CASCADE,
  device        text,
  locale        text,
  created_at    timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  CHECK ((user_id IS NULL) <> (session_id IS NULL))
);
CREATE INDEX push_subscription_user ON push_subscription (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX push_subscription_session ON push_subscription (session_id) WHERE session_id IS NOT NULL;

-- Whoever deactivates or removes an operator, by whatever way: their devices are told nothing more from that moment.
CREATE FUNCTION reach_forget_operator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.active THEN
      RETURN NULL;
    END IF;
  END IF;
  DELETE FROM push_subscription WHERE user_id = OLD.id;
  DELETE FROM mail WHERE user_id = OLD.id AND sent_at IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER reach_forget_operator AFTER UPDATE OF active OR DELETE ON auth_operator
  FOR EACH ROW EXECUTE FUNCTION reach_forget_operator();
