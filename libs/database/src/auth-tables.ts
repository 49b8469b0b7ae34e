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
  joined_at: NullableTime;
  closed_at: NullableTime;
  oidc_withdrawn_at: NullableTime;
  oidc_issuer: ColumnType<string | null, string | undefined, string>;
  oidc_subject: ColumnType<string | null, string | undefined, string>;
  created_at: TimeDefault;
  updated_at: TimeDefault;
}

export interface AuthLoginTable {
  id: string;
  operator_id: string;
  created_at: Time;
  ended_at: NullableTime;
  end_reason: 'logout' | 'reuse' | 'operator' | null;
  proved_at: NullableTime;
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

export interface AuthTotpTable {
  operator_id: string;
  secret: string;
  confirmed_at: NullableTime;
  last_step: Generated<number>;
  created_at: Time;
}

export interface AuthRecoveryCodeTable {
  operator_id: string;
  code_hash: string;
}

export interface AuthOidcTicketTable {
  key_hash: string;
  operator_id: string;
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
  auth_totp: AuthTotpTable;
  auth_recovery_code: AuthRecoveryCodeTable;
  auth_oidc_ticket: AuthOidcTicketTable;
}
