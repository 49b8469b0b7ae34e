import type { Database } from '@chat-realtime/database';
import { sql } from 'kysely';
import { isStillDue } from '../notify/concern.ts';
import { inTelegram } from '../notify/customer-notices.ts';
import type { MailRow } from './mail-writer.ts';

export type MailVerdict =
  /** `afterId`: messages up to this one were seen since the mail was queued. */
  | { readonly kind: 'send'; readonly afterId: number }
  /** `isOwed`: nothing else has notified its reader. */
  | { readonly kind: 'drop'; readonly isOwed: boolean };

/** Judged as it is sent: an address may have refused, a customer have looked, an alert been answered since it was queued. */
export async function judgeMail(database: Database, row: MailRow): Promise<MailVerdict> {
  const { rows } = await sql`SELECT 1 FROM mail_refusal r WHERE r.address = ${row.address}
     AND (r.reason = 'bounced' OR ${row.kind} <> 'transcript')`.execute(database.kysely);
  if (rows.length > 0) return { kind: 'drop', isOwed: true };
  switch (row.kind) {
    case 'transcript':
      return { kind: 'send', afterId: row.after_id };
    case 'alert':
      return (await isAlertWanted(database, row))
        ? { kind: 'send', afterId: row.after_id }
        : { kind: 'drop', isOwed: false };
    case 'reply':
      return judgeReply(database, row);
  }
}

async function isAlertWanted(database: Database, row: MailRow): Promise<boolean> {
  const { user_id: userId, reason, session_id: sessionId, alert_id: alertId } = row;
  if (userId === null || (reason !== 'waiting' && reason !== 'callback_requested')) return true;
  const chosen = await database.kysely
    .selectFrom('notify_setting')
    .select('scope')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return isStillDue(database, { event: reason, userId, scope: chosen?.scope ?? null, sessionId, alertId });
}

interface ReplyState {
  readonly is_theirs: boolean;
  readonly in_telegram: boolean;
  readonly seen_id: number;
}

async function judgeReply(database: Database, row: MailRow): Promise<MailVerdict> {
  const { rows } = await sql<ReplyState>`
    SELECT COALESCE(lower(s.email) = ${row.address}, false) AS is_theirs, ${inTelegram('s.id')} AS in_telegram,
           COALESCE(GREATEST(m.delivered_id, m.read_id), 0) AS seen_id
      FROM chat_session s LEFT JOIN chat_read_mark m ON m.session_id = s.id AND m.participant = 'client'
     WHERE s.id = ${row.session_id}::bigint`.execute(database.kysely);
  const [state] = rows;
  if (state === undefined) return { kind: 'drop', isOwed: false };
  const afterId = Math.max(row.after_id, state.seen_id);
  if (afterId >= row.through_id) return { kind: 'drop', isOwed: false };
  // Another address: the old one must not get the messages. In Telegram they are delivered at once.
  return !state.is_theirs || state.in_telegram ? { kind: 'drop', isOwed: true } : { kind: 'send', afterId };
}

/**
 * The contents of these mails did not arrive: they are written again once there is a way. A refusing address is skipped
 * until it changes, so nothing loops.
 */
export async function oweReplies({ kysely }: Database, ids: readonly number[]): Promise<void> {
  await sql`
    WITH undone AS (
      UPDATE mail SET dedupe_key = dedupe_key || '#' || id
       WHERE id = ANY (${ids}::bigint[]) AND kind = 'reply' AND position('#' IN dedupe_key) = 0 RETURNING session_id, after_id)
    UPDATE mail_mark w SET mailed_id = LEAST(w.mailed_id, u.after_id), mailed_at = COALESCE(
        (SELECT max(m.sent_at) FROM mail m WHERE m.session_id = w.session_id AND m.kind = 'reply' AND m.id <> ALL (${ids}::bigint[])), 'epoch')
      FROM (SELECT session_id, min(after_id) AS after_id FROM undone GROUP BY session_id) u
     WHERE w.session_id = u.session_id`.execute(kysely);
}
