import { z } from 'zod';
import { requiredText, timestampSchema } from './primitives.ts';
import { newPasswordSchema } from './rest.ts';
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
  created_at: timestampSchema,
});
export type OperatorAccount = z.infer<typeof operatorAccountSchema>;

export const newOperatorSchema = z.object({
  login: requiredText(200),
  name: requiredText(200),
  role,
  scope: staffScopeSchema.optional(),
});
export type NewOperator = z.infer<typeof newOperatorSchema>;
/** What is absent stays as it is. */
export const operatorPatchSchema = z.object({
  name: requiredText(200).optional(),
  role: role.optional(),
  scope: staffScopeSchema.optional(),
  active: z.boolean().optional(),
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
