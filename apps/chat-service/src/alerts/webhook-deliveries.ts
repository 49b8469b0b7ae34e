import type { Database } from '@chat-realtime/database';
import type { alertReasonSchema, alertWebhookSchema } from '@chat-realtime/protocol';
import type { z } from 'zod';
import type { AlertTargets } from './alert-targets.ts';
import { retryDelaySeconds, sendWebhook, WEBHOOK_GIVE_UP_SECONDS } from './webhook-sender.ts';

export interface WebhookConfig extends AlertTargets {
  readonly timeoutMs?: number;
  /** Seconds before the next attempt; replaced in tests, where nobody waits for hours. */
  readonly retryDelay?: (attempts: number) => number;
}

/** `failed` is tried again, `given_up` is not. */
export const WEBHOOK_OUTCOMES = ['delivered', 'failed', 'given_up'] as const;
export type WebhookOutcome = (typeof WEBHOOK_OUTCOMES)[number];

export interface WebhookLog {
  warn(fields: object, message: string): void;
}

interface DueDelivery {
  readonly id: number;
  readonly url: string;
  readonly attempts: number;
  readonly queuedAt: Date;
  readonly body: string;
}

/** Concurrent attempts per receiver: a slow receiver blocks only itself. */
const LANE_WIDTH = 4;

/** Sends what the alert sweeps have queued. Runs on the relay leader only. */
export class WebhookDeliveries {
  readonly #database: Database;
  #config: WebhookConfig;
  readonly #log: WebhookLog;
  readonly #ended: (outcome: WebhookOutcome) => void;
  #round: Promise<void> = Promise.resolve();
  #settling = false;
  readonly #inFlight = new Map<number, { readonly url: string; readonly done: Promise<void> }>();

  constructor(
    database: Database,
    config: WebhookConfig,
    log: WebhookLog,
    ended: (outcome: WebhookOutcome) => void = () => undefined,
  ) {
    this.#database = database;
    this.#config = config;
    this.#log = log;
    this.#ended = ended;
  }

  /** For the next round. */
  configure(targets: AlertTargets): void {
    this.#config = { ...this.#config, privateHosts: undefined, ...targets };
  }

  /**
   * Starts what is due and returns without waiting for the receivers. A delivery that succeeds starts the next one at
   * once, so a long queue leaves as fast as its receiver takes it.
   */
  startDue(): Promise<void> {
    // One round at a time: two would find the same rows.
    const round = this.#round.then(() => this.#startRound());
    this.#round = round.catch(() => undefined);
    return round;
  }

  async #startRound(): Promise<void> {
    const { secret } = this.#config;
    if (secret === undefined) return;
    for (const [lane, url] of this.#config.urls.entries()) {
      const running = [...this.#inFlight.values()].filter((delivery) => delivery.url === url).length;
      if (running >= LANE_WIDTH) continue;
      for (const delivery of await this.#due(url, LANE_WIDTH - running)) {
        const done = this.#attempt(delivery, lane, secret).then((delivered) => {
          this.#inFlight.delete(delivery.id);
          if (delivered) this.#goOn();
        });
        this.#inFlight.set(delivery.id, { url, done });
      }
    }
  }

  /** Resolves when no delivery is in progress. Nothing new is started meanwhile. */
  async settle(): Promise<void> {
    this.#settling = true;
    await this.#round;
    await Promise.all([...this.#inFlight.values()].map(({ done }) => done));
    this.#settling = false;
  }

  #goOn(): void {
    if (this.#settling) return;
    this.startDue().catch((error: unknown) => {
      this.#log.warn({ err: error }, 'due webhooks could not be read');
    });
  }

  async #due(url: string, limit: number): Promise<DueDelivery[]> {
    let query = this.#database.kysely
      .selectFrom('webhook_delivery as d')
      .innerJoin('chat_alert as a', 'a.id', 'd.alert_id')
      .leftJoin('chat_session as s', 's.id', 'a.session_id')
      .leftJoin('chat_answer as w', 'w.session_id', 'a.session_id')
      .select([
        'd.id',
        'd.url',
        'd.attempts',
        'd.created_at as queuedAt',
        'a.id as alertId',
        'a.reason',
        'a.session_id',
        'a.callback_id',
      ])
      .select(['a.unread_count', 'a.created_at', 's.name', 's.email', 's.phone', 'w.answers'])
      .where('d.url', '=', url)
      .where('d.delivered_at', 'is', null)
      .where('d.failed_at', 'is', null)
      .where('d.next_attempt_at', '<=', new Date())
      // An address that was removed and added again receives nothing older.
      .where('d.created_at', '>', new Date(Date.now() - 2 * WEBHOOK_GIVE_UP_SECONDS * 1_000))
      // First attempts before repeats: deliveries that have failed for an hour must not delay new ones.
      .orderBy('d.attempts')
      .orderBy('d.next_attempt_at')
      .limit(limit);
    if (this.#inFlight.size > 0) query = query.where('d.id', 'not in', [...this.#inFlight.keys()]);
    const rows = await query.execute();
    return rows.map((row) => {
      const { id, attempts, queuedAt } = row;
      const contact =
        row.reason === 'reply_unseen'
          ? {
              contact: { name: row.name, email: row.email, phone: row.phone },
              ...(row.answers && { answers: row.answers }),
            }
          : {};
      const callback = row.callback_id === null ? {} : { callback_id: row.callback_id };
      const payload: z.input<typeof alertWebhookSchema> & { callback_id?: number } = {
        id: String(row.alertId),
        type: 'chat.alert',
        // The sweeps write nothing else into the column.
        reason: row.reason as z.infer<typeof alertReasonSchema>,
        session_id: row.session_id,
        unread_count: row.unread_count,
        created_at: row.created_at.toISOString(),
        ...contact,
        ...callback,
      };
      return { id, url, attempts, queuedAt, body: JSON.stringify(payload) };
    });
  }

  /** Returns true if the receiver accepted it. Never rejects. */
  async #attempt(delivery: DueDelivery, lane: number, secret: string): Promise<boolean> {
    try {
      const result = await sendWebhook(
        delivery.url,
        secret,
        delivery.body,
        Date.now(),
        this.#config.timeoutMs,
        this.#config.privateHosts,
      );
      const attempts = delivery.attempts + 1;
      if (result.ok) {
        this.#ended('delivered');
        await this.#record(delivery.id, { attempts, delivered_at: new Date(), last_error: null });
        return true;
      }
      const givesUp = Date.now() - delivery.queuedAt.getTime() > WEBHOOK_GIVE_UP_SECONDS * 1_000;
      this.#ended(givesUp ? 'given_up' : 'failed');
      // The address may contain the receiver's secret, so the log gives its place in the list.
      this.#log.warn(
        { delivery: delivery.id, receiver: lane, attempts, reason: result.reason, gives_up: givesUp },
        'webhook not delivered',
      );
      const delay = (this.#config.retryDelay ?? retryDelaySeconds)(attempts);
      const next = new Date(Date.now() + delay * 1_000);
      await this.#record(delivery.id, {
        attempts,
        last_error: result.reason,
        ...(givesUp ? { failed_at: new Date() } : { next_attempt_at: next }),
      });
      return false;
    } catch (error) {
      // Only the database can fail here; the row is still due, so the next round repeats it.
      this.#log.warn({ delivery: delivery.id, err: error }, 'the outcome of a webhook could not be recorded');
      return false;
    }
  }

  async #record(
    id: number,
    outcome: {
      attempts: number;
      last_error: string | null;
      delivered_at?: Date;
      failed_at?: Date;
      next_attempt_at?: Date;
    },
  ): Promise<void> {
    await this.#database.kysely.updateTable('webhook_delivery').set(outcome).where('id', '=', id).execute();
  }
}
