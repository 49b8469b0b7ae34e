import type { ColumnType, Generated } from 'kysely';

type Time = ColumnType<Date, Date, Date>;
type TimeDefault = ColumnType<Date, Date | undefined, Date>;
type NullableTime = ColumnType<Date | null, Date | null | undefined, Date | null>;

export interface AuthOperatorTable {
  id: string;
  login: string;
  name: string;
  role: 'operator' | 'admin';
  scope: 'all' | 'assigned' | 'own';
  password_hash: string;
  active: Generated<boolean>;
  demo: Generated<boolean>;
  created_at: TimeDefault;
  updated_at: TimeDefault;
}

export interface AuthLoginTable {
  id: string;
  operator_id: string;
  created_at: Time;
  ended_at: NullableTime;
  end_reason: 'logout' | 'reuse' | 'operator' | null;
}

export interface AuthRefreshTokenTable {
  token_hash: string;
  login_id: string;
  created_at: Time;
  expires_at: Time;
  used_at: NullableTime;
}

export interface AuthSigningKeyTable {
  kid: string;
  algorithm: string;
  private_jwk: string;
  public_jwk: string;
  created_at: Time;
  signs_from: Time;
  signs_until: Time;
  published_until: Time;
}

export interface AuthSecretTable {
  name: string;
  value: string;
  created_at: TimeDefault;
}

export interface AuthInviteTable {
  key_hash: string;
  operator_id: string | null;
  created_at: Time;
  expires_at: Time;
}

/** The tables of auth-service. chat-service reads `auth_operator` alone, to know whom a chat can be given to. */
export interface AuthTables {
  auth_operator: AuthOperatorTable;
  auth_login: AuthLoginTable;
  auth_refresh_token: AuthRefreshTokenTable;
  auth_signing_key: AuthSigningKeyTable;
  auth_secret: AuthSecretTable;
  auth_invite: AuthInviteTable;
}
