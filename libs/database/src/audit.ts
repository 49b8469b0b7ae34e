import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** Who changed what. `details` never holds a message, a contact or a secret. */
export interface AuditEntry {
  readonly actor: { readonly userId: string; readonly name: string | null };
  /** Such as `ban.created`. */
  readonly action: string;
  /** Such as `session:123`. */
  readonly subject: string | null;
  readonly details?: Record<string, unknown>;
}

/** In the transaction of the change itself: there is no change without its entry, and no entry without its change. */
export async function recordAudit(trx: Kysely<Tables>, entry: AuditEntry): Promise<void> {
  await trx
    .insertInto('chat_audit')
    .values({
      actor_id: entry.actor.userId,
      actor_name: entry.actor.name,
      action: entry.action,
      subject: entry.subject,
      details: JSON.stringify(entry.details ?? {}),
    })
    .execute();
}
