import type { Database } from '@chat-realtime/database';
import type { alertReasonSchema } from '@chat-realtime/protocol';
import { sql } from 'kysely';
import type { z } from 'zod';
import { isOpenIn } from '../callbacks/open-callbacks.ts';
import { runNamed } from '../storage/run-in.ts';

export interface AlertConfig {
  /** Seconds without an answer after which a waiting customer raises an alert. */
  readonly waitingSeconds: number;
  /** Seconds after which an operator's message that never reached the customer raises one. */
  readonly replyUnseenSeconds: number;
  readonly webhookUrls: readonly string[];
}

export type AlertReason = z.infer<typeof alertReasonSchema>;
export type AlertObserver = (reason: AlertReason, count: number) => void;

/** The first run after a start covers a day of downtime. Later runs only cover what can be new. */
const FIRST_WINDOW_SECONDS = 86_400;
const WINDOW_SECONDS = 3_600;

/** `now()`, since no index serves a condition that may change from row to row; each sweep is one statement. */
const ago = (seconds: number) => sql`now() - make_interval(secs => ${seconds}::float8)`;
const OPEN = sql.raw(isOpenIn('c.status'));
/**
 * The conditions with which each sweep finds its rows, for session `s` or callback `c`. Rows that ended long ago must
 * cost nothing.
 */
export const FOUND_BY = {
  sessionCreated: (window: number) => sql`s.updated_at > ${ago(window)}`,
  waiting: (seconds: number) => sql`s.waiting_since <= ${ago(seconds)}`,
  // An erased request has nobody to call.
  callbackRequested: (window: number) => sql`c.created_at > ${ago(window)} AND c.erased_at IS NULL`,
  callbackDue: () => sql`c.due_at <= now() AND ${OPEN}`,
  replyUnseen: (window: number) => sql`s.updated_at > ${ago(window)}`,
};

/**
 * Detects alert conditions in the tables and raises each once. The dedupe key names the cause, so a sweep may run
 * twice, stop halfway or move to another leader. One statement inserts the alert and its webhook deliveries.
 */
export class AlertSweeps {
  readonly #database: Database;
  #config: AlertConfig;
  #firstRun = true;

  readonly #raised: AlertObserver;

  constructor(database: Database, config: AlertConfig, raised: AlertObserver = () => undefined) {
    this.#database = database;
    this.#config = config;
    this.#raised = raised;
  }

  /** For the next run. */
  configure(config: AlertConfig): void {
    this.#config = config;
  }

  /** Returns how many alerts were raised. */
  async run(): Promise<number> {
    const window = this.#firstRun ? FIRST_WINDOW_SECONDS : WINDOW_SECONDS;
    const sweeps: readonly (readonly [AlertReason, () => Promise<number>])[] = [
      ['session_created', () => this.#sessionCreated(window)],
      ['waiting', () => this.#waiting()],
      ['callback_requested', () => this.#callbackRequested(window)],
      ['callback_due', () => this.#callbackDue()],
      ['reply_unseen', () => this.#replyUnseen(window)],
    ];
    let total = 0;
    for (const [reason, sweep] of sweeps) {
      const count = await sweep();
      if (count > 0) this.#raised(reason, count);
      total += count;
    }
    this.#firstRun = false;
    return total;
  }

  #sessionCreated(window: number): Promise<number> {
    return this.#raise(
      'session_created',
      sql`
      SELECT 'session_created' AS reason, s.id AS session_id, NULL::bigint AS callback_id,
             s.client_msgs - s.team_client_msgs AS unread_count, 'session_created:' || s.id AS dedupe_key
      FROM chat_session s
      WHERE ${FOUND_BY.sessionCreated(window)} AND s.created_at > ${ago(window)}`,
    );
  }

  #waiting(): Promise<number> {
    return this.#raise(
      'waiting',
      sql`
      SELECT 'waiting' AS reason, s.id AS session_id, NULL::bigint AS callback_id,
             s.client_msgs - s.team_client_msgs AS unread_count,
             'waiting:' || s.id || ':' || floor(extract(epoch FROM s.waiting_since) * 1000)::bigint
               || CASE s.waiting_round WHEN 0 THEN '' ELSE ':' || s.waiting_round END AS dedupe_key
      FROM chat_session s
      WHERE ${FOUND_BY.waiting(this.#config.waitingSeconds)} AND s.status <> 'closed'`,
    );
  }

  #callbackRequested(window: number): Promise<number> {
    return this.#raise(
      'callback_requested',
      sql`
      SELECT 'callback_requested' AS reason, c.session_id, c.id AS callback_id,
             COALESCE(s.client_msgs - s.team_client_msgs, 0) AS unread_count, 'callback_requested:' || c.id AS dedupe_key
      FROM chat_callback c LEFT JOIN chat_session s ON s.id = c.session_id
      WHERE ${OPEN} AND ${FOUND_BY.callbackRequested(window)}`,
    );
  }

  /** A later appointment is a new cause, so the time is part of the key. */
  #callbackDue(): Promise<number> {
    return this.#raise(
      'callback_due',
      sql`
      SELECT 'callback_due' AS reason, c.session_id, c.id AS callback_id,
             COALESCE(s.client_msgs - s.team_client_msgs, 0) AS unread_count,
             'callback_due:' || c.id || ':' || floor(extract(epoch FROM c.due_at) * 1000)::bigint AS dedupe_key
      FROM chat_callback c LEFT JOIN chat_session s ON s.id = c.session_id
      -- Somebody rings just now.
      WHERE ${FOUND_BY.callbackDue()} AND c.status <> 'calling'`,
    );
  }

  /** One alert for all replies since the customer last saw something: the first of them is the cause. */
  #replyUnseen(window: number): Promise<number> {
    const seconds = this.#config.replyUnseenSeconds;
    return this.#raise(
      'reply_unseen',
      sql`
      SELECT 'reply_unseen' AS reason, s.id AS session_id, NULL::bigint AS callback_id,
             s.client_msgs - s.team_client_msgs AS unread_count, 'reply_unseen:' || s.id || ':' || reply.id AS dedupe_key
      FROM chat_session s
      LEFT JOIN chat_read_mark m ON m.session_id = s.id AND m.participant = 'client'
      CROSS JOIN LATERAL (
        SELECT e.id, e.created_at FROM chat_event e
        WHERE e.session_id = s.id AND e.type = 'chat.message' AND e.sender_type = 'operator'
          AND COALESCE(e.message_id, e.id) > COALESCE(GREATEST(m.delivered_id, m.read_id), 0)
        ORDER BY e.id LIMIT 1
      ) reply
      WHERE ${FOUND_BY.replyUnseen(window + seconds)}
        AND s.last_message_id > COALESCE(GREATEST(m.delivered_id, m.read_id), 0)
        AND reply.created_at <= ${ago(seconds)}`,
    );
  }

  async #raise(reason: AlertReason, causes: ReturnType<typeof sql>): Promise<number> {
    const urls = JSON.stringify(this.#config.webhookUrls);
    const statement = sql<{ raised: number }>`
      WITH raised AS (
        INSERT INTO chat_alert (reason, session_id, callback_id, unread_count, dedupe_key)
        SELECT cause.reason, cause.session_id, cause.callback_id, cause.unread_count, cause.dedupe_key
        FROM (${causes}) cause
        WHERE NOT EXISTS (SELECT 1 FROM chat_alert known WHERE known.dedupe_key = cause.dedupe_key)
        ORDER BY cause.session_id
        ON CONFLICT (dedupe_key) DO NOTHING
        RETURNING id
      ), queued AS (
        INSERT INTO webhook_delivery (alert_id, url)
        SELECT raised.id, target.url FROM raised, jsonb_array_elements_text(${urls}::jsonb) AS target(url)
        RETURNING 1
      )
      SELECT count(*)::int AS raised FROM raised`;
    const [row] = await runNamed(this.#database, `raise-${reason}`, statement);
    return row?.raised ?? 0;
  }
}
