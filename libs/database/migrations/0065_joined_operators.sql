-- Whether somebody has ever entered an account: an administrator who was only invited is none that a chat can rely on.
-- The end of a demo's accounts, which stay as rows because chats name them. And whose right the identity provider took.
-- lives-with: 0053_mail_tokens
ALTER TABLE auth_operator
  -- When its owner gave it a password, or signed in. Null: nobody has, its password is one that nobody knows.
  ADD COLUMN joined_at timestamptz(3),
  -- An account of a demo that has ended: it is in no list, and nothing brings it back.
  ADD COLUMN closed_at timestamptz(3),
  -- The identity provider gave no role any more; the account is closed until it does again, or an administrator decides.
  ADD COLUMN oidc_withdrawn_at timestamptz(3);

-- A handful of rows. Only an account that was added in the console and never touched since may be one that nobody has
-- entered; whoever signs in by it joins then.
UPDATE auth_operator o SET joined_at = o.created_at
 WHERE o.updated_at > o.created_at
    OR NOT EXISTS (SELECT FROM chat_audit a WHERE a.action = 'operator.added' AND a.subject = 'operator:' || o.id)
    OR EXISTS (SELECT FROM auth_login l WHERE l.operator_id = o.id);
