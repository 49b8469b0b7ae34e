import { readRevocations } from '@chat-realtime/database';
import type { Revocation, RevocationPage, RevocationPlace } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { StaffActor } from '../actors.ts';
import type { StorageContext } from '../storage/context.ts';
import { translated } from '../storage/errors.ts';
import { unsubscribeSession } from './unsubscribe-session.ts';
import { commitWork, commitSession } from '../storage/unit-of-work.ts';
import { requireVisible } from '../storage/visibility.ts';
import type { WorkUnit, SessionUnit } from '../storage/unit.ts';

async function insert(unit: WorkUnit, kind: Revocation['kind'], subject: string, notAfter: number): Promise<void> {
  const row = await unit.trx
    .insertInto('revocation')
    .values({ kind, subject, not_after: notAfter })
    .returning('id')
    .executeTakeFirstOrThrow();
  unit.ephemeral({ v: 1, type: 'control.revoked', data: { id: row.id, kind, subject, not_after: notAfter } });
}

/** The database's clock may run behind the signer's: tokens of the current second count as made before. */
function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}

export async function revokeSession(context: StorageContext, actor: StaffActor, sessionId: number): Promise<void> {
  await commitSession(context, sessionId, (unit) => {
    requireVisible(actor, unit.session);
    return revoke(unit);
  });
}

const PAGE_MAX = 1_000;

/**
 * Every session, however many there are. Its page goes on behind the last id: a session that became the customer's
 * meanwhile was opened by somebody who is signed in after this logout.
 */
export async function revokeCustomer(context: StorageContext, customerId: string): Promise<void> {
  for (let after = 0; ; ) {
    const rows = await translated(() =>
      context.database.kysely
        .selectFrom('chat_session')
        .select('id')
        .where('customer_id', '=', customerId)
        .where('id', '>', after)
        .orderBy('id')
        .limit(PAGE_MAX)
        .execute(),
    );
    for (const { id } of rows) {
      await commitSession(context, id, async (unit) => {
        if (unit.session.customerId === customerId) await revoke(unit);
      });
      after = id;
    }
    if (rows.length < PAGE_MAX) return;
  }
}

async function revoke(unit: SessionUnit): Promise<void> {
  const { id, revokedAt } = unit.session;
  // Tokens given after the last revocation were made in the second after it, which may not have begun yet.
  const notAfter = Math.max(nowSeconds(), revokedAt === null ? 0 : revokedAt + 1);
  await unit.trx
    .updateTable('chat_session')
    .set({
      revoked_at: sql<number>`GREATEST(COALESCE(revoked_at, 0), ${notAfter}::bigint)`,
      resume_key_ended_at: sql<Date>`COALESCE(resume_key_ended_at, clock_timestamp())`,
    })
    .where('id', '=', id)
    .execute();
  // What leads into Telegram, mail and push is a credential like the others.
  await unsubscribeSession(unit.trx, id);
  await insert(unit, 'session', String(id), notAfter);
}

export function revokeStaff(context: StorageContext, kind: 'staff' | 'staff_login', subject: string): Promise<void> {
  return commitWork(context, async (unit) => {
    if (kind === 'staff') {
      await unit.trx.deleteFrom('telegram_code').where('user_id', '=', subject).execute();
      await unit.trx.deleteFrom('operator_telegram').where('user_id', '=', subject).execute();
      await unit.trx.deleteFrom('push_subscription').where('user_id', '=', subject).execute();
    }
    await insert(unit, kind, subject, nowSeconds());
  });
}

export function revocations(context: StorageContext, after: RevocationPlace): Promise<RevocationPage> {
  return translated(() => readRevocations(context.database, after));
}

export async function revocationsHead(context: StorageContext): Promise<number> {
  const result = await sql<{ head: number | null }>`SELECT max(id) AS head FROM revocation`.execute(
    context.database.kysely,
  );
  return result.rows[0]?.head ?? 0;
}
