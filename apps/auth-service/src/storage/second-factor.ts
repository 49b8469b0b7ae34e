import type { Tables } from '@chat-realtime/database';
import type { Kysely, Transaction } from 'kysely';
import { hashRecoveryCode, totpStep } from '../domain/totp.ts';

/** `none`: the account requires no code. */
export type FactorCheck = 'none' | 'passed' | 'missing' | 'wrong';

/** In force for the account; a setup that was begun only is not. */
export async function hasSecondFactor(db: Kysely<Tables>, operatorId: string): Promise<boolean> {
  const row = await db
    .selectFrom('auth_totp')
    .select('operator_id')
    .where('operator_id', '=', operatorId)
    .where('confirmed_at', 'is not', null)
    .executeTakeFirst();
  return row !== undefined;
}

export async function recoveryCodesLeft(db: Kysely<Tables>, operatorId: string): Promise<number> {
  const row = await db
    .selectFrom('auth_recovery_code')
    .select((eb) => eb.fn.countAll<number>().as('left'))
    .where('operator_id', '=', operatorId)
    .executeTakeFirstOrThrow();
  return Number(row.left);
}

/** Takes a code of the app, or a recovery code, once: of two calls with the same one the second finds it used. */
export async function takeCode(
  trx: Transaction<Tables>,
  operatorId: string,
  code: string | undefined,
  now: Date,
): Promise<FactorCheck> {
  const known = await trx
    .selectFrom('auth_totp')
    .selectAll()
    .where('operator_id', '=', operatorId)
    .where('confirmed_at', 'is not', null)
    .forUpdate()
    .executeTakeFirst();
  if (known === undefined) return 'none';
  if (code === undefined) return 'missing';
  const step = totpStep(known.secret, code, now.getTime());
  if (step !== null && step > known.last_step) {
    await trx.updateTable('auth_totp').set({ last_step: step }).where('operator_id', '=', operatorId).execute();
    return 'passed';
  }
  const used = await trx
    .deleteFrom('auth_recovery_code')
    .where('operator_id', '=', operatorId)
    .where('code_hash', '=', hashRecoveryCode(code))
    .executeTakeFirst();
  return used.numDeletedRows > 0n ? 'passed' : 'wrong';
}
