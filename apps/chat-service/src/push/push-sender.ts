import { createHash } from 'node:crypto';
import type { Database, PushNoticeTable, Tables } from '@chat-realtime/database';
import { notifySettingsSchema, type PushTestResponse } from '@chat-realtime/protocol';
import { publicPrefix } from '@chat-realtime/service-kit';
import { sql, type Transaction } from 'kysely';
import type { ChatLog } from '../ports.ts';
import { alertOf, isStillDue, type LostNotice } from '../notify/concern.ts';
import { isWithin } from '../notify/policy.ts';
import type { PushKeyStore } from './push-keys.ts';
import { pushPayload } from './push-text.ts';
import type { PushAnswer, PushTransport } from './push-transport.ts';

const AT_ONCE = 8;
/** A device that is off for longer shows the messages in the chat itself. */
const TTL_SECONDS = 3_600;
/** A notice that could not even be checked for this long is dropped. */
const GIVE_UP_SECONDS = 2 * TTL_SECONDS;
const FIRST_DELAY_SECONDS = 5;
const MAX_DELAY_SECONDS = 600;
/** After this many failures in a row a device is removed. */
const REFUSALS = 3;

export interface PushSenderParts {
  readonly database: Database;
  readonly keys: PushKeyStore;
  readonly transport: Pick<PushTransport, 'send'>;
  readonly publicUrl: string | undefined;
  /** Texts may be shown on devices. */
  readonly showsText: boolean;
  readonly log: ChatLog;
  readonly ended: (outcome: string) => void;
  /** A device cannot be notified: use another channel if there is one. */
  /** In the transaction that records how the notice ended. */
  readonly lost: (notice: LostNotice, trx: Transaction<Tables>) => Promise<void>;
  readonly ambiguous: () => void;
}

interface Row {
  readonly id: number;
  readonly notice: string;
  readonly subscription_id: number;
  readonly kind: PushNoticeTable['kind'];
  readonly session_id: number | null;
  readonly attempts: number;
  readonly created_at: Date;
  readonly sending_at: Date | null;
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
  readonly user_id: string | null;
  readonly scope: string | null;
  readonly locale: string | null;
  readonly page_url: string | null;
  readonly body: string | null;
  readonly sender_name: string | null;
}

/** Asked twice a second, so it is planned once: it is found by the index of what is due, however many there were. */
const DUE = {
  name: 'push-due',
  text: `SELECT n.id, n.notice, n.subscription_id, n.kind, n.session_id, n.attempts, n.created_at, n.sending_at, p.endpoint, p.p256dh, p.auth,
      p.user_id, p.scope, p.locale, s.page_url, e.body, COALESCE(e.actor_name, s.name) AS sender_name
    FROM push_notice n JOIN push_subscription p ON p.id = n.subscription_id
    LEFT JOIN chat_session s ON s.id = n.session_id
    LEFT JOIN chat_event e ON e.id = n.message_id AND e.session_id = n.session_id AND e.type = 'chat.message'
    WHERE n.ended_at IS NULL AND n.next_attempt_at <= clock_timestamp() AND n.id <> ALL ($1::bigint[])
    ORDER BY n.attempts, n.id LIMIT $2::bigint`,
} as const;

/** Sends push notifications. Runs on the relay leader only. */
export class PushSender {
  readonly #parts: PushSenderParts;
  readonly #running = new Map<number, Promise<void>>();
  #stopped = false;

  constructor(parts: PushSenderParts) {
    this.#parts = parts;
  }

  /** Starts what is due without waiting for it. */
  async startDue(): Promise<void> {
    if (this.#stopped || this.#running.size >= AT_ONCE) return;
    for (const row of await this.#due(AT_ONCE - this.#running.size)) {
      const done = this.#send(row)
        .catch((error: unknown) => {
          const text = error instanceof Error ? error.message : String(error);
          this.#parts.log.warn({ notice: row.id, error: text }, 'a push could not be handled; it will be retried');
          return this.#postpone(row);
        })
        .catch((error: unknown) => {
          const text = error instanceof Error ? error.message : String(error);
          this.#parts.log.warn({ notice: row.id, error: text }, 'the retry of a push could not be recorded');
        })
        .finally(() => this.#running.delete(row.id));
      this.#running.set(row.id, done);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running.values());
  }

  /** At once, bypassing the queue: somebody is looking at their device. */
  async test(subscriptionId: number): Promise<PushTestResponse['outcome']> {
    const row = await this.#parts.database.kysely
      .selectFrom('push_subscription')
      .selectAll()
      .where('id', '=', subscriptionId)
      .executeTakeFirst();
    if (row === undefined) return 'gone';
    const payload = pushPayload({
      kind: 'test',
      sessionId: null,
      locale: row.locale,
      shown: null,
      url: this.#operatorUrl(null),
    });
    const message = { payload, topic: 'test', ttlSeconds: 60 };
    const answer = await this.#parts.transport.send(await this.#parts.keys.keys(), row, message);
    if (answer.kind === 'gone') await this.#forget(subscriptionId);
    return answer.kind === 'delivered' || answer.kind === 'gone' ? answer.kind : 'failed';
  }

  /** Nobody is notified of what has been read in the meantime, or is now somebody else's. */
  async #due(limit: number): Promise<readonly Row[]> {
    const busy = [...this.#running.keys()];
    return this.#parts.database.query<Row>(DUE, [busy, limit]);
  }

  async #send(row: Row): Promise<void> {
    const { keys, transport, ended, ambiguous, showsText } = this.#parts;
    if (await this.#isSettled(row)) {
      ended('not_needed');
      await this.#end(row, 'not_needed');
      return;
    }
    if (ageSeconds(row) > TTL_SECONDS) {
      ended('expired');
      return this.#endInVain(row, 'expired');
    }
    // Decided before, and tried again: its operator's quiet hours have begun in the meantime.
    if (await this.#isQuiet(row)) {
      ended('quiet');
      return this.#endInVain(row, 'quiet');
    }
    // Still set from before: whether the device got it is unknown. The topic lets a second push replace the first.
    if (row.sending_at !== null) ambiguous();
    await this.#update(row, { sending_at: new Date() });
    const payload = pushPayload({
      kind: row.kind,
      sessionId: row.session_id,
      locale: row.locale,
      shown: showsText && row.body !== null ? { name: row.sender_name, body: row.body } : null,
      url: row.user_id === null ? this.#customerUrl(row.page_url) : this.#operatorUrl(row.session_id),
    });
    const answer = await transport.send(await keys.keys(), row, {
      payload,
      topic: topicOf(row),
      ttlSeconds: TTL_SECONDS,
    });
    await this.#settle(row, answer);
  }

  async #settle(row: Row, answer: PushAnswer): Promise<void> {
    this.#parts.ended(answer.kind);
    switch (answer.kind) {
      case 'delivered':
        return this.#end(row, 'delivered');
      case 'gone':
        return this.#gone(row.subscription_id);
      case 'final':
        this.#parts.log.warn({ notice: row.id, reason: answer.reason }, 'a push was refused');
        await this.#endInVain(row, 'refused');
        if (await this.#refusesAlways(row.subscription_id)) await this.#gone(row.subscription_id);
        return;
      case 'passing':
      case 'ambiguous': {
        const attempts = row.attempts + 1;
        const own = delayOf(attempts);
        const delay = answer.kind === 'passing' ? (answer.afterSeconds ?? own) : own;
        this.#parts.log.info({ notice: row.id, attempts, reason: answer.reason }, 'a push was not accepted');
        return this.#update(row, {
          attempts,
          next_attempt_at: new Date(Date.now() + delay * 1_000),
          ...(answer.kind === 'passing' ? { sending_at: null } : {}),
        });
      }
    }
  }

  /** This push or our code is broken: the push must neither block the others nor be retried forever. */
  async #postpone(row: Row): Promise<void> {
    if (ageSeconds(row) > GIVE_UP_SECONDS) {
      this.#parts.ended('given_up');
      return this.#end(row, 'given_up');
    }
    const attempts = row.attempts + 1;
    return this.#update(row, { attempts, next_attempt_at: new Date(Date.now() + delayOf(attempts) * 1_000) });
  }

  /** Whether there is nothing left to notify of. */
  async #isSettled(row: Row): Promise<boolean> {
    const { kind, notice, session_id: sessionId, user_id: userId, scope } = row;
    const { database } = this.#parts;
    if (kind === 'test') return false;
    if (userId !== null && kind !== 'reply')
      return !(await isStillDue(database, { event: kind, userId, scope, sessionId, alertId: alertOf(notice) }));
    const { rows } = await sql<{ open: boolean }>`
      SELECT s.last_message_id > COALESCE(GREATEST(m.delivered_id, m.read_id), 0) AS open
        FROM chat_session s LEFT JOIN chat_read_mark m ON m.session_id = s.id AND m.participant = 'client'
       WHERE s.id = ${sessionId}::bigint`.execute(database.kysely);
    return rows[0]?.open !== true;
  }

  async #isQuiet({ user_id: userId }: Row): Promise<boolean> {
    if (userId === null) return false;
    const row = await this.#parts.database.kysely
      .selectFrom('notify_setting')
      .select('value')
      .where('user_id', '=', userId)
      .executeTakeFirst();
    const { quiet } = notifySettingsSchema.parse(row?.value ?? {});
    return quiet !== null && isWithin(quiet, new Date());
  }

  #operatorUrl(sessionId: number | null): string {
    const console = `${publicPrefix(this.#parts.publicUrl)}/operator/`;
    return sessionId === null ? console : `${console}#/inbox/all/${sessionId}`;
  }

  #customerUrl(pageUrl: string | null): string {
    return pageUrl ?? this.#parts.publicUrl ?? '/';
  }

  /**
   * The device was not notified, and its operator may be on another channel. All notices of the cause are locked
   * meanwhile: of two devices that fail at once, the second sees that the first one has failed.
   */
  async #endInVain(row: Pick<Row, 'id' | 'notice' | 'user_id' | 'kind'>, outcome: string): Promise<void> {
    const { id, notice, user_id: userId, kind } = row;
    await this.#parts.database.kysely.transaction().execute(async (trx) => {
      await sql`SELECT id FROM push_notice WHERE notice = ${notice} ORDER BY id FOR UPDATE`.execute(trx);
      await trx
        .updateTable('push_notice')
        .set({ ended_at: new Date(), outcome, sending_at: null })
        .where('id', '=', id)
        .execute();
      if (userId === null || kind === 'test' || kind === 'reply') return;
      await this.#parts.lost({ id, notice, userId, event: kind }, trx);
    });
  }

  /** Removes a device, with everything queued for it. */
  async #gone(subscriptionId: number): Promise<void> {
    const { rows } = await sql<Pick<Row, 'id' | 'notice' | 'user_id' | 'kind'>>`
      SELECT n.id, n.notice, p.user_id, n.kind FROM push_notice n JOIN push_subscription p ON p.id = n.subscription_id
       WHERE n.subscription_id = ${subscriptionId}::bigint AND n.ended_at IS NULL`.execute(this.#parts.database.kysely);
    for (const row of rows) await this.#endInVain(row, 'gone');
    await this.#forget(subscriptionId);
  }

  /**
   * The push service does not accept our key, now or ever. Notices for this device would be lost, although another
   * channel could deliver them.
   */
  async #refusesAlways(subscriptionId: number): Promise<boolean> {
    const { rows } = await sql<{ refused: boolean }>`
      SELECT count(*) = ${REFUSALS} AND bool_and(outcome = 'refused') AS refused FROM (
        SELECT outcome FROM push_notice WHERE subscription_id = ${subscriptionId}::bigint AND ended_at IS NOT NULL
         ORDER BY id DESC LIMIT ${REFUSALS}) last`.execute(this.#parts.database.kysely);
    return rows[0]?.refused === true;
  }

  async #forget(subscriptionId: number): Promise<void> {
    await this.#parts.database.kysely.deleteFrom('push_subscription').where('id', '=', subscriptionId).execute();
  }

  #end(row: Row, outcome: string): Promise<void> {
    return this.#update(row, { ended_at: new Date(), outcome, sending_at: null });
  }

  async #update(
    { id }: Row,
    changes: { sending_at?: Date | null; ended_at?: Date; outcome?: string; attempts?: number; next_attempt_at?: Date },
  ): Promise<void> {
    await this.#parts.database.kysely.updateTable('push_notice').set(changes).where('id', '=', id).execute();
  }
}

const ageSeconds = ({ created_at: at }: Row): number => (Date.now() - at.getTime()) / 1_000;

const delayOf = (attempts: number): number =>
  Math.min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** Math.min(attempts - 1, 10));

/** At most 32 characters of base64url. */
function topicOf({ kind, session_id: sessionId }: Row): string {
  return createHash('sha256').update(`${kind}\n${sessionId}`).digest('base64url').slice(0, 32);
}
