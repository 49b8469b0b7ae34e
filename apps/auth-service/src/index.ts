export { AuthService, type AuthServiceOptions, createAuthService, type SignedIn } from './auth-service.ts';
export { AUTH_DEFAULT_PORT, type AuthConfig, authVariables, OIDC_INCOMPLETE, oidcIsWhole } from './config.ts';
export { hashPassword } from './domain/passwords.ts';
export { type Invite, INVITE_HOURS } from './storage/invites.ts';
export type { AuthUser, Operator } from './domain/operator.ts';
export { AuthModule, type AuthModuleOptions } from './http/auth-module.ts';
export {
  type OperatorPassword,
  operatorPassword,
  PASSWORD_FILE,
  SEEDED_OPERATORS,
  seedChosen,
  seedOperators,
  type SeedOptions,
} from './seed.ts';
export { Operators, type NewOperator, type OperatorChange, SHELL } from './storage/operators.ts';
