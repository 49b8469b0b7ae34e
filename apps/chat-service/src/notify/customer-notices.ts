import type { Database } from '@chat-realtime/database';
import { sql } from 'kysely';
import { translated } from '../storage/errors.ts';
import { BOT_ALIVE_SECONDS } from '../telegram/accounts.ts';
import { NOTIFY_DELAYS } from './policy.ts';

const BATCH = 200;
/** As for alerts: the first look goes back over a day of standstill, later ones over what can be new. */
const WINDOW_SECONDS = 90_000;

/** The first reply that its customer was not shown, as far as they were not written to. */
const UNSEEN = sql`
  SELECT s.id, s.email, s.locale, s.last_message_id, seen.id AS seen_id, reply.id AS first_id, reply.created_at AS first_at, newest.id AS last_id
    FROM chat_session s
    LEFT JOIN chat_read_mark m ON m.session_id = s.id AND m.participant = 'client'
    LEFT JOIN mail_mark w ON w.session_id = s.id
    CROSS JOIN LATERAL (SELECT COALESCE(GREATEST(m.delivered_id, m.read_id), 0) AS id) seen
    CROSS JOIN LATERAL (
      SELECT e.id, e.created_at FROM chat_event e WHERE e.session_id = s.id AND e.type = 'chat.message' AND e.sender_type = 'operator'
         AND e.id > seen.id ORDER BY e.id LIMIT 1) reply
    CROSS JOIN LATERAL (
      SELECT max(e.id) AS id FROM chat_event e WHERE e.session_id = s.id AND e.type = 'chat.message' AND e.sender_type = 'operator') newest`;

/** `session`: the column that has the chat's id. */
export const inTelegram = (session: string) => sql<boolean>`(
           EXISTS (SELECT 1 FROM customer_telegram t WHERE t.session_id = ${sql.ref(session)} AND t.blocked_at IS NULL)
           AND EXISTS (SELECT 1 FROM telegram_bot b WHERE b.seen_at > clock_timestamp() - make_interval(secs => ${BOT_ALIVE_SECONDS}::float8)))`;

/**
 * Chats in which something was said lately: what is looked at each second must not grow with what is long over. `now()`,
 * since no index serves a condition that may change from row to row.
 */
export const LATELY = sql`s.updated_at > now() - make_interval(secs => ${WINDOW_SECONDS}::float8)
                 AND s.last_message_id > seen.id`;

const HAS_DEVICES = {
  name: 'push-has-customers',
  text: 'SELECT 1 FROM push_subscription WHERE session_id IS NOT NULL LIMIT 1',
} as const;

/** Customers who closed the tab: their device at once, mail later. Customers who read in Telegram are told there. */
export class CustomerNotices {
  readonly #database: Database;
  readonly #canMail: boolean;

  constructor(database: Database, canMail: boolean) {
    this.#database = database;
    this.#canMail = canMail;
  }

  /** `unseenSeconds`: after which a reply is mailed. */
  async run(unseenSeconds: number): Promise<void> {
    await translated(() => this.#push());
    if (this.#canMail) await translated(() => this.#mail(unseenSeconds));
  }

  /** One for each burst: its first unseen reply names it. */
  async #push(): Promise<void> {
    // To plan the look itself takes longer than all other looks of that second.
    if ((await this.#database.query(HAS_DEVICES)).length === 0) return;
    await sql`
      INSERT INTO push_notice (notice, subscription_id, kind, session_id, message_id)
      SELECT 'reply:' || u.id || ':' || u.first_id, p.id, 'reply', u.id, u.last_id
        FROM (${UNSEEN} WHERE ${LATELY} AND EXISTS (SELECT 1 FROM push_subscription d WHERE d.session_id = s.id)) u
        JOIN push_subscription p ON p.session_id = u.id
       WHERE u.first_at <= clock_timestamp() - make_interval(secs => ${NOTIFY_DELAYS.replyPushSeconds}::float8)
         AND u.first_at > clock_timestamp() - make_interval(secs => ${WINDOW_SECONDS}::float8)
         AND NOT ${inTelegram('u.id')}
         AND NOT EXISTS (SELECT 1 FROM push_notice n WHERE n.notice = 'reply:' || u.id || ':' || u.first_id AND n.subscription_id = p.id)
       LIMIT ${BATCH}
      ON CONFLICT DO NOTHING`.execute(this.#database.kysely);
  }

  /** All that was written since the customer last saw something or was mailed: one mail, and not at once another. */
  async #mail(unseenSeconds: number): Promise<void> {
    await sql`
      WITH due AS (
        SELECT u.id, lower(u.email) AS address, u.locale, GREATEST(u.seen_id, COALESCE(w.mailed_id, 0)) AS after_id, u.last_id
          FROM (${UNSEEN} WHERE s.email IS NOT NULL AND ${LATELY}) u
          LEFT JOIN mail_mark w ON w.session_id = u.id
         WHERE u.last_id > COALESCE(w.mailed_id, 0)
           AND (w.mailed_at IS NULL OR w.mailed_at < clock_timestamp() - make_interval(secs => ${NOTIFY_DELAYS.replyMailGapSeconds}::float8))
           AND (SELECT e.created_at FROM chat_event e WHERE e.session_id = u.id AND e.type = 'chat.message' AND e.sender_type = 'operator'
                  AND e.id > GREATEST(u.seen_id, COALESCE(w.mailed_id, 0)) ORDER BY e.id LIMIT 1)
               <= clock_timestamp() - make_interval(secs => CASE WHEN EXISTS (
                    SELECT 1 FROM push_notice n WHERE n.session_id = u.id AND n.outcome = 'delivered' AND n.message_id > u.seen_id)
                  THEN ${NOTIFY_DELAYS.replyMailAfterPushSeconds}::float8
                  WHEN EXISTS (SELECT 1 FROM push_subscription p WHERE p.session_id = u.id)
                  THEN GREATEST(${unseenSeconds}::float8, ${NOTIFY_DELAYS.replyPushGraceSeconds}::float8)
                  ELSE ${unseenSeconds}::float8 END)
           AND NOT ${inTelegram('u.id')}
           AND NOT EXISTS (SELECT 1 FROM mail_refusal r WHERE r.address = lower(u.email))
         LIMIT ${BATCH}
      ), queued AS (
        INSERT INTO mail (kind, dedupe_key, session_id, address, locale, after_id, through_id)
        SELECT 'reply', 'reply:' || id || ':' || last_id, id, address, locale, after_id, last_id FROM due
        ON CONFLICT (dedupe_key) DO NOTHING RETURNING session_id, through_id
      )
      INSERT INTO mail_mark (session_id, mailed_id, mailed_at) SELECT session_id, through_id, clock_timestamp() FROM queued
      ON CONFLICT (session_id) DO UPDATE SET mailed_id = EXCLUDED.mailed_id, mailed_at = EXCLUDED.mailed_at`.execute(
      this.#database.kysely,
    );
  }
}
