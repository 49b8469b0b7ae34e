import { type Database, readRevocations, type Tables } from '@chat-realtime/database';
import type { RevocationSet } from '@chat-realtime/verifier';
import type { Transaction } from 'kysely';

export const unixSeconds = (time: Date): number => Math.floor(time.getTime() / 1000);

/** All tokens of an operator made up to now. */
export async function revokeStaff(transaction: Transaction<Tables>, operatorId: string, now: Date): Promise<void> {
  await transaction
    .insertInto('revocation')
    .values({ kind: 'staff', subject: operatorId, not_after: unixSeconds(now) })
    .execute();
}

/** The first moment at which a token of the operator can be made that no revocation of theirs covers. */
export async function firstUnrevoked(transaction: Transaction<Tables>, operatorId: string, now: Date): Promise<Date> {
  const row = await transaction
    .selectFrom('revocation')
    .select((eb) => eb.fn.max('not_after').as('not_after'))
    .where('kind', '=', 'staff')
    .where('subject', '=', operatorId)
    .executeTakeFirst();
  const notAfter = row?.not_after ?? null;
  return notAfter === null || unixSeconds(now) > notAfter ? now : new Date((notAfter + 1) * 1000);
}

/**
 * All access tokens of one sign-in. It has ended for good, so the mark is as far ahead as its youngest token can live.
 * A token made in this very second, or by an instance whose clock is ahead, is covered too.
 */
export async function revokeLogin(
  transaction: Transaction<Tables>,
  loginId: string,
  now: Date,
  accessTtl: number,
): Promise<void> {
  await transaction
    .insertInto('revocation')
    .values({ kind: 'staff_login', subject: loginId, not_after: unixSeconds(now) + accessTtl })
    .execute();
}

/** Adds the revocations after its place to `set`. */
export function revocationReader(database: Database, set: RevocationSet): () => Promise<void> {
  return () => set.readOn((after) => readRevocations(database, after));
}
