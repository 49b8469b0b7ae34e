-- What is owed to an operator is judged again as it is sent: meanwhile they may have ended their duty, or may see less.
-- Answers to what they asked need no duty; the news that a chat was taken away needs no scope.
-- lives-with: 0053_mail_tokens
ALTER TABLE telegram_send
  ADD COLUMN needs_duty boolean NOT NULL DEFAULT false,
  ADD COLUMN needs_scope boolean NOT NULL DEFAULT false,
  -- The callback request it shows: whose that is counts beside whose the chat is.
  ADD COLUMN callback_id bigint,
  -- Above 0 it stands for so many texts that were left out in its place.
  ADD COLUMN left_out integer NOT NULL DEFAULT 0;

-- What has reached somebody in Telegram and chat-service was not told yet; gone as soon as it took it.
CREATE TABLE telegram_mark (
  session_id  bigint NOT NULL,
  participant text NOT NULL,
  message_id  bigint NOT NULL,
  at          timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (session_id, participant)
);
