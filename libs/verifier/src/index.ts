export * from './principal.ts';
export * from './revocations.ts';
export { JWKS_COOLDOWN_MS, JWKS_MAX_AGE_MS, type StaffKeys } from './key-source.ts';
export { parseRoleMap, type RoleConfig, staffRole } from './staff-roles.ts';
export type { StaffTokenConfig } from './staff-tokens.ts';
export { IDENTITY_AUDIENCE, IDENTITY_MAX_LIFETIME_SECONDS } from './identity-tokens.ts';
export { looksLikeChannelToken, TokenVerifier, type TokenVerifierConfig } from './token-verifier.ts';
