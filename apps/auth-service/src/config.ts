import { TOKEN_MAX_LIFETIME_SECONDS } from '@chat-realtime/protocol/tokens';
import { envInteger, envRoleMap, envSecret, envUrl, httpVariables } from '@chat-realtime/service-kit';
import { z } from 'zod';

export const AUTH_DEFAULT_PORT = 8101;

/** Variables of auth-service wherever it runs. */
export const authVariables = {
  AUTH_ISSUER: z.string().default('chat-auth'),
  AUTH_AUDIENCE: z.string().default('chat'),
  AUTH_TOKEN_TTL_SECONDS: envInteger(900, { min: 1, max: TOKEN_MAX_LIFETIME_SECONDS }),
  AUTH_REFRESH_TTL_SECONDS: envInteger(TOKEN_MAX_LIFETIME_SECONDS, { min: 1, max: TOKEN_MAX_LIFETIME_SECONDS }),
  LOGIN_FAILURES_PER_5_MINUTES: envInteger(10),
  /** The chat's public address; its path comes before the console's in invitations and at the provider. */
  PUBLIC_URL: envUrl().optional(),
  /** Operators sign in by this identity provider too: `https://id.example/realms/shop`. */
  OIDC_ISSUER: envUrl().refine(isSafeIssuer, 'must begin with https:// (http:// only on this machine)').optional(),
  OIDC_CLIENT_ID: z.string().trim().min(1).optional(),
  /** Absent for a public client. */
  OIDC_CLIENT_SECRET: envSecret(8).optional(),
  /** Name or dotted path, `realm_access.roles`; absent: roles are given here, and only invited people come in. */
  OIDC_ROLE_CLAIM: z.string().trim().min(1).optional(),
  OIDC_ROLE_MAP: envRoleMap().optional(),
  /** As the button at the sign-in calls it. */
  OIDC_NAME: z.string().trim().min(1).max(100).optional(),
};

/** The secret and the tokens go there: nobody may listen on the way. */
function isSafeIssuer(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
}

/** For the whole of the variables: an issuer alone is half a set-up. */
export const oidcIsWhole = (env: { OIDC_ISSUER?: string | undefined; OIDC_CLIENT_ID?: string | undefined }): boolean =>
  env.OIDC_ISSUER === undefined || env.OIDC_CLIENT_ID !== undefined;
export const OIDC_INCOMPLETE = { path: ['OIDC_CLIENT_ID'], message: 'is required with OIDC_ISSUER' };

const authSchema = z.object(authVariables);
export type AuthConfig = z.infer<typeof authSchema>;

/** Variables of auth-service as a process of its own. */
export const authProcessSchema = z
  .object({
    ...httpVariables(AUTH_DEFAULT_PORT),
    ...authVariables,
    DATABASE_URL: z.string(),
    /** PostgreSQL itself where DATABASE_URL leads to a pooler: locks, migrations and LISTEN. */
    DATABASE_DIRECT_URL: z.string().optional(),
    /** With it, and as long as there is no operator at all, the first accounts are made: `seedChosen`. */
    OPERATOR_PASSWORD: z.string().min(1).optional(),
  })
  .refine(oidcIsWhole, OIDC_INCOMPLETE);
