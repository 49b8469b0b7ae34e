-- Operators whom an identity provider signs in.
ALTER TABLE auth_operator
  ADD COLUMN oidc_issuer  text,
  ADD COLUMN oidc_subject text,
  ADD CONSTRAINT auth_operator_oidc UNIQUE (oidc_issuer, oidc_subject),
  ADD CHECK ((oidc_issuer IS NULL) = (oidc_subject IS NULL));

-- From the provider's answer to the console's first call: good for one call of the browser that came back.
CREATE TABLE auth_oidc_ticket (
  key_hash    text PRIMARY KEY,
  operator_id text NOT NULL REFERENCES auth_operator (id) ON DELETE CASCADE,
  expires_at  timestamptz(3) NOT NULL
);
CREATE INDEX auth_oidc_ticket_expiry ON auth_oidc_ticket (expires_at);
