import { z } from 'zod';
import { requiredText, timestampSchema } from './primitives.ts';
import { authUserSchema, newPasswordSchema } from './rest.ts';
import { staffScopeSchema } from './staff-scope.ts';

const role = z.enum(['operator', 'admin']);

/** An account of our own auth-service, as administrators see it. */
export const operatorAccountSchema = z.object({
  id: z.string(),
  login: z.string(),
  name: z.string(),
  role,
  scope: staffScopeSchema,
  /** False: signs in no more, and has no chats. */
  active: z.boolean(),
  /** A code is required in addition to the password. */
  second_factor: z.boolean(),
  /** Signs in by the identity provider. */
  oidc: z.boolean(),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type OperatorAccount = z.infer<typeof operatorAccountSchema>;

export const newOperatorSchema = z.object({
  login: requiredText(200),
  name: requiredText(200),
  role,
  scope: staffScopeSchema.optional(),
});
export type NewOperator = z.infer<typeof newOperatorSchema>;
/** Absent fields stay as they are. */
export const operatorPatchSchema = z.object({
  name: requiredText(200).optional(),
  role: role.optional(),
  scope: staffScopeSchema.optional(),
  active: z.boolean().optional(),
  /** `updated_at` of the account that was shown: what another administrator changed since is not undone unseen. */
  expected_updated_at: timestampSchema.optional(),
});
export type OperatorPatch = z.infer<typeof operatorPatchSchema>;

export const operatorAccountsSchema = z.object({ operators: z.array(operatorAccountSchema) });
export const operatorAccountResponseSchema = z.object({ operator: operatorAccountSchema });
/** The link works once, until `expires_at`; by it the operator gives themselves a password. */
export const operatorInviteSchema = z.object({
  operator: operatorAccountSchema,
  invite_url: z.string(),
  expires_at: timestampSchema,
});
export type OperatorInvite = z.infer<typeof operatorInviteSchema>;

export const passwordChangeSchema = z.object({
  current_password: z.string().min(1).max(1_000),
  new_password: newPasswordSchema,
});

/** The signed-in operator, and how they sign in. */
export const ownAccountSchema = authUserSchema.extend({
  second_factor: z.boolean(),
  /** Recovery codes that were not used yet. */
  recovery_codes_left: z.int().min(0),
  oidc: z.boolean(),
});
export type OwnAccount = z.infer<typeof ownAccountSchema>;

/** Base32 as authenticator apps take it, and the same as an address for them. */
export const totpSetupSchema = z.object({ secret: z.string(), otpauth_url: z.string() });
export type TotpSetup = z.infer<typeof totpSetupSchema>;
/** Needed unless the sign-in is fresh. */
export const totpBeginSchema = z.object({ current_password: z.string().min(1).max(1_000).optional() });
const code = z.string().min(1).max(100);
export const totpCodeSchema = z.object({ code });
/** Needed unless this sign-in has shown the second factor just now. */
export const totpEndSchema = z.object({ code: code.optional() });
/** Each opens once, in place of a code; they are shown this one time. */
export const recoveryCodesSchema = z.object({ recovery_codes: z.array(z.string()) });
export type RecoveryCodes = z.infer<typeof recoveryCodesSchema>;

/** The options of the sign-in page besides login and password. */
export const signInWaysSchema = z.object({
  oidc: z.object({ name: z.string(), url: z.string() }).nullable(),
});
export type SignInWays = z.infer<typeof signInWaysSchema>;
