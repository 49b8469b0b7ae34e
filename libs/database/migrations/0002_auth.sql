-- auth-service: operators, their sign-ins and the keys that sign their tokens.

CREATE TABLE auth_operator (
  -- The `sub` of his tokens and his user id everywhere else.
  id            text PRIMARY KEY,
  -- Lower case, normalised: compared as it stands.
  login         text NOT NULL UNIQUE,
  name          text NOT NULL,
  role          text NOT NULL CHECK (role IN ('operator', 'admin')),
  scope         text NOT NULL DEFAULT 'all' CHECK (scope IN ('all', 'assigned')),
  -- Encoded argon2id hash; nothing else is ever stored of a password.
  password_hash text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
  active        boolean NOT NULL DEFAULT true,
  created_at    timestamptz(3) NOT NULL DEFAULT now(),
  updated_at    timestamptz(3) NOT NULL DEFAULT now()
);

-- One sign-in: the family of its refresh tokens and the `sid` of its access tokens.
CREATE TABLE auth_login (
  id          text PRIMARY KEY,
  operator_id text NOT NULL REFERENCES auth_operator (id) ON DELETE CASCADE,
  created_at  timestamptz(3) NOT NULL,
  ended_at    timestamptz(3),
  end_reason  text CHECK (end_reason IN ('logout', 'reuse', 'operator')),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX auth_login_operator ON auth_login (operator_id) WHERE ended_at IS NULL;

CREATE TABLE auth_refresh_token (
  -- SHA-256 of the token, which has 256 random bits and therefore needs no salt.
  token_hash text PRIMARY KEY,
  login_id   text NOT NULL REFERENCES auth_login (id) ON DELETE CASCADE,
  created_at timestamptz(3) NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  used_at    timestamptz(3)
);
CREATE INDEX auth_refresh_token_login ON auth_refresh_token (login_id);
CREATE INDEX auth_refresh_token_expiry ON auth_refresh_token (expires_at);

CREATE TABLE auth_signing_key (
  kid             text PRIMARY KEY,
  algorithm       text NOT NULL,
  -- JWK texts. The private part never leaves auth-service.
  private_jwk     text NOT NULL,
  public_jwk      text NOT NULL,
  created_at      timestamptz(3) NOT NULL,
  signs_from      timestamptz(3) NOT NULL,
  signs_until     timestamptz(3) NOT NULL,
  -- The last moment at which a token it signed can be valid.
  published_until timestamptz(3) NOT NULL,
  CHECK (signs_from < signs_until AND signs_until < published_until)
);
