import type { Database, Tables } from '@chat-realtime/database';
import {
  type NotifyEvent,
  type NotifySettings,
  notifySettingsSchema,
  operatorStatusSchema,
  type StaffScope,
  staffScopeSchema,
} from '@chat-realtime/protocol';
import { sql, type Transaction } from 'kysely';
import { PRESENCE_SECONDS } from '../ports.ts';
import { translated } from '../storage/errors.ts';
import { runNamed } from '../storage/run-in.ts';
import { ALERT_HOLDS, alertOf, concerns, type LostNotice } from './concern.ts';
import {
  type AwayOperator,
  channelsFor,
  type Concern,
  NOTIFY_DELAYS,
  type OperatorChannel,
  seesItself,
} from './policy.ts';

const BATCH = 200;
/** Older events were already notified, or are no longer worth it. */
const WINDOW_SECONDS = 900;

/** `now()`, since no index serves a condition that may change from row to row. */
export const WAITS_LATELY = sql`s.waiting_since BETWEEN now() - make_interval(secs => ${WINDOW_SECONDS}::float8)
                                   AND now() - make_interval(secs => ${NOTIFY_DELAYS.messageSeconds}::float8)`;
export const RAISED_LATELY = sql`a.created_at > now() - make_interval(secs => ${WINDOW_SECONDS}::float8)`;

interface Cause {
  /** The decision: the notice for the current assignee. It is made again when the chat changes hands. */
  readonly key: string;
  /** The event itself: nobody is notified of it twice, even if the chat changes hands. */
  readonly notice: string;
  readonly event: NotifyEvent;
  readonly session_id: number | null;
  readonly alert_id: number | null;
  readonly callback_id: number | null;
  readonly message_id: number | null;
  /** The current assignee of the session, or of the callback. */
  readonly session_user: string | null;
  readonly callback_user: string | null;
  /** Seconds since the event. */
  readonly age: number;
}

interface OperatorRow {
  readonly user_id: string;
  readonly scope: string;
  readonly value: unknown;
  readonly status: string;
  readonly connected: boolean;
  readonly on_duty: boolean;
  readonly devices: readonly number[];
}

interface Operator extends AwayOperator {
  readonly userId: string;
  readonly scope: StaffScope;
  readonly deviceIds: readonly number[];
  readonly settings: NotifySettings;
}

type InTelegram = ReadonlyMap<string, 'sent' | 'queued'>;

interface Decided {
  /** Operators for whom nothing is left to decide. */
  readonly users: ReadonlySet<string>;
  readonly sinceMs: number;
}

/**
 * Decides for each event whom to notify, and queues the notices in the same transaction. Each decision is made once,
 * except for operators who are looking at the chat: they are notified if they close the console while it still matters.
 */
export class OperatorNotices {
  readonly #database: Database;
  readonly #canMail: boolean;
  /** A cache that avoids writes without effect. That nobody is notified twice is guaranteed by the tables. */
  readonly #decided = new Map<string, Decided>();
  /** If there are more causes than one run examines, they take turns. */
  #after = '';

  constructor(database: Database, canMail: boolean) {
    this.#database = database;
    this.#canMail = canMail;
  }

  async run(): Promise<void> {
    const now = performance.now();
    for (const [key, { sinceMs }] of this.#decided)
      if (sinceMs < now - WINDOW_SECONDS * 1_000) this.#decided.delete(key);
    const causes = await translated(() => this.#causes(this.#after));
    this.#after = causes.length < BATCH ? '' : (causes.at(-1)?.key ?? '');
    if (causes.length === 0) return;
    const operators = await translated(() => this.#operators());
    const inTelegram = await translated(() => this.#inTelegram(causes, operators));
    for (const cause of causes) await translated(() => this.#decide(cause, operators, inTelegram));
  }

  #causes(after: string): Promise<readonly Cause[]> {
    const statement = sql<Cause>`
      WITH cause AS (
        SELECT 'message:' || s.id || ':' || floor(extract(epoch FROM s.waiting_since) * 1000)::bigint || ':' || s.waiting_round AS notice,
               'message' AS event, s.id AS session_id, NULL::bigint AS alert_id, NULL::bigint AS callback_id,
               s.last_message_id AS message_id, s.assigned_user_id AS session_user, NULL::text AS callback_user,
               extract(epoch FROM clock_timestamp() - s.waiting_since)::float8 AS age
          FROM chat_session s
         WHERE s.status <> 'closed' AND s.client_msgs > s.team_client_msgs
           AND ${WAITS_LATELY}
        UNION ALL
        SELECT * FROM (
          SELECT DISTINCT ON (a.reason, a.session_id, a.callback_id) 'alert:' || a.id AS notice, a.reason, a.session_id, a.id, a.callback_id,
                 NULL::bigint AS message_id, s.assigned_user_id AS session_user, c.assigned_user_id AS callback_user,
                 extract(epoch FROM clock_timestamp() - a.created_at)::float8 AS age
            FROM chat_alert a
            LEFT JOIN chat_session s ON s.id = a.session_id LEFT JOIN chat_callback c ON c.id = a.callback_id
           WHERE a.reason IN ('waiting', 'callback_requested') AND ${ALERT_HOLDS}
             AND ${RAISED_LATELY}
           ORDER BY a.reason, a.session_id, a.callback_id, a.id DESC) newest
      )
      SELECT * FROM (SELECT *, notice || '@' || COALESCE(cause.callback_user, cause.session_user, '') AS key FROM cause) keyed
       WHERE keyed.key > ${after} AND NOT EXISTS (SELECT 1 FROM notice n WHERE n.key = keyed.key)
       ORDER BY keyed.key LIMIT ${BATCH}`;
    return runNamed(this.#database, 'notice-causes', statement);
  }

  /** Operators who can be reached at all: with a device or a mail address. A bot that is not running reaches nobody. */
  async #operators(): Promise<Operator[]> {
    const { rows } = await sql<OperatorRow>`
      WITH device AS (
        SELECT user_id, max(scope) AS scope, array_agg(id ORDER BY id) AS ids FROM push_subscription
         WHERE user_id IS NOT NULL GROUP BY user_id)
      SELECT who.user_id, COALESCE(a.scope, who.scope) AS scope, n.value, COALESCE(o.status, 'online') AS status,
             EXISTS (SELECT 1 FROM operator_presence p WHERE p.user_id = who.user_id AND p.gateway_id NOT LIKE 'telegram-%'
                      AND p.seen_at > clock_timestamp() - make_interval(secs => ${PRESENCE_SECONDS}::float8)) AS connected,
             COALESCE(t.on_duty AND t.blocked_at IS NULL, false) AND EXISTS (
               SELECT 1 FROM operator_presence p WHERE p.user_id = who.user_id AND p.gateway_id LIKE 'telegram-%'
                  AND p.seen_at > clock_timestamp() - make_interval(secs => ${PRESENCE_SECONDS}::float8)) AS on_duty, COALESCE(d.ids, '{}') AS devices
        FROM (SELECT user_id, scope FROM device UNION SELECT user_id, scope FROM notify_setting
               WHERE user_id NOT IN (SELECT user_id FROM device)) who
        LEFT JOIN device d ON d.user_id = who.user_id
        LEFT JOIN notify_setting n ON n.user_id = who.user_id
        LEFT JOIN chat_operator o ON o.id = who.user_id
        LEFT JOIN operator_telegram t ON t.user_id = who.user_id
        LEFT JOIN auth_operator a ON a.id = who.user_id
       WHERE COALESCE(a.active, true)`.execute(this.#database.kysely);
    return rows.map((row) => ({
      userId: row.user_id,
      scope: staffScopeSchema.parse(row.scope),
      settings: notifySettingsSchema.parse(row.value ?? {}),
      connected: row.connected,
      onDutyInTelegram: row.on_duty,
      status: operatorStatusSchema.parse(row.status),
      devices: row.devices.length,
      deviceIds: row.devices,
      canMail: this.#canMail,
    }));
  }

  /**
   * A device that was to be notified is gone or refuses: send a mail, if they chose that too and no other device was
   * notified.
   */
  async deviceLost({ id, notice, userId, event }: LostNotice, trx: Transaction<Tables>): Promise<void> {
    if (!this.#canMail || event === 'message') return;
    const row = await trx.selectFrom('notify_setting').select('value').where('user_id', '=', userId).executeTakeFirst();
    const { email, mail, locale } = notifySettingsSchema.parse(row?.value ?? {});
    if (email === null || !mail.includes(event)) return;
    const alertId = alertOf(notice);
    await sql`INSERT INTO mail (kind, dedupe_key, session_id, alert_id, user_id, reason, address, locale)
      SELECT 'alert', ${mailKey(notice, userId)}, n.session_id, ${alertId}::bigint, ${userId}, ${event},
        lower(${email}::text), ${locale ?? null}
        FROM push_notice n WHERE n.id = ${id}::bigint
         AND NOT EXISTS (SELECT 1 FROM push_notice o JOIN push_subscription p ON p.id = o.subscription_id
              WHERE o.notice = n.notice AND o.id <> n.id AND p.user_id = ${userId}
                AND (o.ended_at IS NULL OR o.outcome = 'delivered'))
         AND NOT EXISTS (SELECT 1 FROM mail_refusal r WHERE r.address = lower(${email}::text))
      ON CONFLICT (dedupe_key) DO NOTHING`.execute(trx);
  }

  /**
   * For each place (see `placeOf`): whether the bot has sent its operator something since the customer began to wait,
   * or has it queued.
   */
  async #inTelegram(causes: readonly Cause[], operators: readonly Operator[]): Promise<InTelegram> {
    const users = operators.filter((one) => one.onDutyInTelegram).map(({ userId }) => userId);
    if (users.length === 0) return new Map();
    const sessions = causes.flatMap((cause) => cause.session_id ?? []);
    const callbacks = causes.flatMap((cause) => cause.callback_id ?? []);
    const { rows } = await sql<{ key: string; sent: boolean; queued: boolean }>`
      SELECT 'chat ' || s.id || ' ' || t.user_id AS key,
             EXISTS (SELECT 1 FROM telegram_message m WHERE m.chat_id = t.telegram_user_id AND m.session_id = s.id
                        AND m.created_at >= s.waiting_since) AS sent,
             EXISTS (SELECT 1 FROM telegram_send o WHERE o.operator_id = t.id AND o.session_id = s.id
                        AND o.created_at >= s.waiting_since) AS queued
        FROM operator_telegram t CROSS JOIN chat_session s
       WHERE t.user_id = ANY (${users}::text[]) AND s.id = ANY (${sessions}::bigint[])
      UNION ALL
      SELECT 'callback ' || c.id || ' ' || t.user_id,
             EXISTS (SELECT 1 FROM telegram_callback_told k WHERE k.callback_id = c.id AND k.operator_id = t.id),
             EXISTS (SELECT 1 FROM telegram_send o WHERE o.operator_id = t.id AND o.callback_id = c.id)
        FROM operator_telegram t CROSS JOIN unnest(${callbacks}::bigint[]) AS c (id)
       WHERE t.user_id = ANY (${users}::text[])`.execute(this.#database.kysely);
    const found = new Map<string, 'sent' | 'queued'>();
    for (const { key, sent, queued } of rows) if (sent || queued) found.set(key, sent ? 'sent' : 'queued');
    return found;
  }

  async #decide(cause: Cause, operators: readonly Operator[], inTelegram: InTelegram): Promise<void> {
    const owners = { session: cause.session_user, callback: cause.callback_user };
    const { users: before, sinceMs } = this.#decided.get(cause.key) ?? {
      users: new Set<string>(),
      sinceMs: performance.now(),
    };
    const users = new Set(before);
    const now = new Date();
    const told: (readonly [Operator, OperatorChannel[]])[] = [];
    let isSettled = true;
    for (const operator of operators) {
      const { userId } = operator;
      if (users.has(userId) || !concerns(cause.event, owners, operator)) continue;
      const telegram = inTelegram.get(placeOf(cause, userId));
      const concern: Concern = {
        event: cause.event,
        isTheirs: (owners.callback ?? owners.session) === userId,
        isInTelegram: telegram !== undefined,
      };
      if (mayComeInTelegram(cause, concern, operator) || mayLeave(cause, concern, operator, telegram === 'queued')) {
        isSettled = false;
        continue;
      }
      users.add(userId);
      const channels = channelsFor(concern, operator, now);
      if (channels.length > 0) told.push([operator, channels]);
    }
    if (isSettled || told.length > 0)
      await this.#database.kysely.transaction().execute((trx) => this.#queue(trx, cause, told, isSettled));
    if (isSettled) this.#decided.delete(cause.key);
    else this.#decided.set(cause.key, { users, sinceMs });
  }

  async #queue(
    trx: Transaction<Tables>,
    cause: Cause,
    told: readonly (readonly [Operator, OperatorChannel[]])[],
    isSettled: boolean,
  ): Promise<void> {
    if (isSettled) {
      const first =
        await sql`INSERT INTO notice (key) VALUES (${cause.key}) ON CONFLICT DO NOTHING RETURNING key`.execute(trx);
      if (first.rows.length === 0) return;
    }
    for (const [operator, channels] of told) {
      if (channels.includes('push')) await this.#push(trx, cause, operator);
      if (channels.includes('mail')) await this.#mail(trx, cause, operator);
    }
  }

  async #push(trx: Transaction<Tables>, cause: Cause, { userId, deviceIds, settings }: Operator): Promise<void> {
    // The device may have been removed since it was read.
    for (const id of deviceIds)
      await sql`INSERT INTO push_notice (notice, subscription_id, kind, session_id, message_id)
        SELECT ${cause.notice}, id, ${cause.event}, ${cause.session_id}::bigint, ${cause.message_id}::bigint
          FROM push_subscription WHERE id = ${id}::bigint AND user_id = ${userId}
           AND (${settings.everywhere} OR NOT EXISTS (SELECT 1 FROM mail m WHERE m.dedupe_key = ${mailKey(cause.notice, userId)}))
        ON CONFLICT DO NOTHING`.execute(trx);
  }

  async #mail(trx: Transaction<Tables>, cause: Cause, { userId, settings }: Operator): Promise<void> {
    const { email, everywhere, locale = null } = settings;
    if (email === null) return;
    await sql`INSERT INTO mail (kind, dedupe_key, session_id, alert_id, user_id, reason, address, locale)
      SELECT 'alert', ${mailKey(cause.notice, userId)}, ${cause.session_id}::bigint, ${cause.alert_id}::bigint, ${userId},
        ${cause.event}, lower(${email}::text), ${locale}
      WHERE NOT EXISTS (SELECT 1 FROM mail_refusal r WHERE r.address = lower(${email}::text))
        AND (${everywhere} OR NOT EXISTS (SELECT 1 FROM push_notice o JOIN push_subscription p ON p.id = o.subscription_id
              WHERE o.notice = ${cause.notice} AND p.user_id = ${userId}))
      ON CONFLICT (dedupe_key) DO NOTHING`.execute(trx);
  }
}

/** What Telegram would have of it: the callback request itself, else something of its chat. */
function placeOf({ callback_id: callbackId, session_id: sessionId }: Cause, userId: string): string {
  return callbackId === null ? `chat ${sessionId} ${userId}` : `callback ${callbackId} ${userId}`;
}

/**
 * The bot notifies operators on duty of callback requests itself. Devices and mail wait for `onDutySeconds`, so that
 * the operator is not notified twice.
 */
function mayComeInTelegram({ age }: Cause, concern: Concern, operator: Operator): boolean {
  if (concern.event !== 'callback_requested' || operator.settings.everywhere || seesItself(concern, operator))
    return false;
  return age < NOTIFY_DELAYS.onDutySeconds && seesItself({ ...concern, isInTelegram: true }, operator);
}

function mailKey(notice: string, userId: string): string {
  return `alert:${notice}:${userId}`;
}

/** They can see the event now, but perhaps not later: a console may be closed, or a text for Telegram withheld. */
function mayLeave(cause: Cause, concern: Concern, operator: Operator, isOwed: boolean): boolean {
  if (operator.status === 'off' || operator.settings.everywhere || !seesItself(concern, operator)) return false;
  // An operator who took a callback request, or got it while they looked, needs no notice when they leave.
  if (cause.callback_user !== null) return false;
  return isOwed || !seesItself(concern, { ...operator, connected: false });
}
