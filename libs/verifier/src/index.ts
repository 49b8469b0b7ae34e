/**
 * Verifies tokens. REST, WebSocket, SSE and polling all hand their token to `TokenVerifier` and get a principal: a
 * customer's session or an operator. It also answers whether that principal was revoked since.
 *
 * No message passes here, only the right to send or see one. `testing/` issues tokens for tests.
 *
 * Start with `token-verifier.ts`. `key-source.ts` fetches and caches the public keys, `staff-roles.ts` maps a foreign
 * identity provider's claims to a role and a scope.
 */
export * from './principal.ts';
export * from './revocations.ts';
export { JWKS_COOLDOWN_MS, JWKS_MAX_AGE_MS, type StaffKeys } from './key-source.ts';
export { parseRoleMap, type RoleConfig, staffRole } from './staff-roles.ts';
export type { StaffTokenConfig } from './staff-tokens.ts';
export { IDENTITY_AUDIENCE, IDENTITY_MAX_LIFETIME_SECONDS } from './identity-tokens.ts';
export { looksLikeChannelToken, TokenVerifier, type TokenVerifierConfig } from './token-verifier.ts';
