import { TOKEN_MAX_LIFETIME_SECONDS } from '@chat-realtime/protocol/tokens';
import { envInteger, httpVariables } from '@chat-realtime/service-kit';
import { z } from 'zod';

export const AUTH_DEFAULT_PORT = 8101;

/** Variables of auth-service wherever it runs. */
export const authVariables = {
  AUTH_ISSUER: z.string().default('chat-auth'),
  AUTH_AUDIENCE: z.string().default('chat'),
  AUTH_TOKEN_TTL_SECONDS: envInteger(900, { min: 1, max: TOKEN_MAX_LIFETIME_SECONDS }),
  AUTH_REFRESH_TTL_SECONDS: envInteger(TOKEN_MAX_LIFETIME_SECONDS, { min: 1, max: TOKEN_MAX_LIFETIME_SECONDS }),
  LOGIN_FAILURES_PER_5_MINUTES: envInteger(10),
};

const authSchema = z.object(authVariables);
export type AuthConfig = z.infer<typeof authSchema>;

/** Variables of auth-service as a process of its own. */
export const authProcessSchema = z.object({
  ...httpVariables(AUTH_DEFAULT_PORT),
  ...authVariables,
  DATABASE_URL: z.string(),
  /** PostgreSQL itself where DATABASE_URL leads to a pooler: locks, migrations and LISTEN. */
  DATABASE_DIRECT_URL: z.string().optional(),
  /** With it, and as long as there is no operator at all, the three demo accounts are made. */
  OPERATOR_PASSWORD: z.string().min(1).optional(),
});
