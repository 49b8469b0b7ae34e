/**
 * Sign-in of operators: passwords, second factor, invitations, the site's own identity provider. Issues the staff JWTs
 * that every other service verifies with the keys published here.
 *
 * A request enters at a controller in `http/` and is served by the files next to this one, e.g. `auth-service.ts` for
 * sign-in and refresh, `operator-accounts.ts` for the accounts. Nothing is published: the result is a token or a row.
 *
 * - `domain/`: rules without a database, such as password hashing and the throttle of failed sign-ins
 * - `oidc/`: sign-in through an identity provider
 * - `storage/`: the SQL: operators, refresh tokens, invitations, signing keys
 *
 * Start with `auth-service.ts`. `main.ts` runs it as a process of its own.
 */
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
