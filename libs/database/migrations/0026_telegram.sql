-- Which Telegram account is which operator's or customer's. Both are written by chat-service alone; the bot reads them,
-- so that a text never goes to an account that was unbound a moment ago.

-- The bot that last introduced itself: addresses (t.me/<username>) are made of it.
CREATE TABLE telegram_bot (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  bot_id   bigint NOT NULL,
  username text NOT NULL,
  seen_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

-- role and scope: as of the operator's last token; an account of auth-service is read there instead.
CREATE TABLE operator_telegram (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id          text NOT NULL UNIQUE,
  user_name        text,
  role             text NOT NULL,
  scope            text NOT NULL,
  telegram_user_id bigint NOT NULL UNIQUE,
  username         text,
  name             text,
  locale           text,
  on_duty          boolean NOT NULL DEFAULT true,
  -- Telegram refused a text: the operator has stopped the bot.
  blocked_at       timestamptz(3),
  bound_at         timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

-- One chat has one Telegram account, and one account one chat at a time.
CREATE TABLE customer_telegram (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id       bigint NOT NULL UNIQUE REFERENCES chat_session (id) ON DELETE CASCADE,
  telegram_user_id bigint NOT NULL UNIQUE,
  locale           text,
  blocked_at       timestamptz(3),
  linked_at        timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);

-- Codes of one use. Only a keyed hash is stored.
CREATE TABLE telegram_code (
  hash       text PRIMARY KEY,
  user_id    text UNIQUE,
  user_name  text,
  role       text,
  scope      text,
  session_id bigint UNIQUE REFERENCES chat_session (id) ON DELETE CASCADE,
  expires_at timestamptz(3) NOT NULL,
  CHECK ((user_id IS NULL) <> (session_id IS NULL))
);
CREATE INDEX telegram_code_expires_at ON telegram_code (expires_at);

-- What the bot asked for and must not be done twice, where nothing else tells a repeat.
CREATE TABLE telegram_request (
  id         text PRIMARY KEY,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX telegram_request_created_at ON telegram_request (created_at);

-- Whoever deactivates or removes an operator, by whatever way: the binding is gone in the same transaction.
CREATE FUNCTION telegram_unbind_operator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.active THEN
      RETURN NULL;
    END IF;
  END IF;
  DELETE FROM operator_telegram WHERE user_id = OLD.id;
  DELETE FROM telegram_code WHERE user_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER telegram_unbind_operator AFTER UPDATE OF active OR DELETE ON auth_operator
  FOR EACH ROW EXECUTE FUNCTION telegram_unbind_operator();
