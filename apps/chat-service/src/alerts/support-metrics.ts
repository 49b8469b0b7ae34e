import type { Database, Statement } from '@chat-realtime/database';
import type { Gauge, Metrics } from '@chat-realtime/service-kit';
import { isOpenIn } from '../callbacks/open-callbacks.ts';
import type { Sweep } from '../ports.ts';

const EVERY_MS = 5_000;
/** How long the figures of a leader stay valid after it lost the leadership: another one counts now. */
const TRUE_FOR_MS = 20_000;

/** Each part is read by its own small index, however long the history is. */
const FIGURES: Statement = {
  name: 'desk-figures',
  text: `SELECT w.waiting, w.oldest, u.unread, c.due AS callbacks_due, d.pending AS webhooks_pending, d.oldest AS webhooks_oldest
    FROM (SELECT count(*)::int AS waiting, COALESCE(extract(epoch FROM clock_timestamp() - min(waiting_since)), 0)::float8 AS oldest
            FROM chat_session WHERE waiting_since IS NOT NULL) w,
         (SELECT count(*)::int AS unread FROM chat_session WHERE status <> 'closed' AND client_msgs > team_client_msgs) u,
         (SELECT count(*)::int AS due FROM chat_callback
           WHERE ${isOpenIn('status')} AND due_at < clock_timestamp()) c,
         (SELECT count(*)::int AS pending, COALESCE(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest
            FROM webhook_delivery WHERE delivered_at IS NULL AND failed_at IS NULL) d`,
};

interface Figures {
  readonly waiting: number;
  readonly oldest: number;
  readonly unread: number;
  readonly callbacks_due: number;
  readonly webhooks_pending: number;
  readonly webhooks_oldest: number;
}

/** How many customers wait, and how long. Counted by the relay leader, so that only one process reports it. */
export class SupportMetrics implements Sweep {
  readonly name = 'desk_figures';
  readonly everyMs = EVERY_MS;
  readonly #database: Database;
  #figures: Figures | null = null;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(database: Database, metrics: Metrics) {
    this.#database = database;
    const collect =
      (figure: (figures: Figures) => number) =>
      (gauge: Gauge): void =>
        gauge.set(this.#current === null ? 0 : figure(this.#current));
    metrics.gauge({
      name: 'chat_desk_waiting_sessions',
      help: 'Customers who wait for a reply (relay leader only)',
      collect: collect(({ waiting }) => waiting),
    });
    metrics.gauge({
      name: 'chat_desk_oldest_waiting_seconds',
      help: 'How long the longest waiting customer has waited (relay leader only)',
      collect: collect(({ oldest }) => oldest),
    });
    metrics.gauge({
      name: 'chat_desk_unread_sessions',
      help: 'Open sessions with messages that the team has not read (relay leader only)',
      collect: collect(({ unread }) => unread),
    });
    metrics.gauge({
      name: 'chat_desk_callbacks_due',
      help: 'Callbacks past their due time (relay leader only)',
      collect: collect((figures) => figures.callbacks_due),
    });
    metrics.gauge({
      name: 'chat_webhook_deliveries_pending',
      help: 'Webhook deliveries that the receiver has not accepted yet (relay leader only)',
      collect: collect((figures) => figures.webhooks_pending),
    });
    metrics.gauge({
      name: 'chat_webhook_oldest_pending_seconds',
      help: 'Age of the oldest pending webhook delivery (relay leader only)',
      collect: collect((figures) => figures.webhooks_oldest),
    });
  }

  async run(): Promise<void> {
    const [row] = await this.#database.query<Figures>(FIGURES);
    this.#figures = row ?? null;
    this.#countedAt = performance.now();
  }

  get #current(): Figures | null {
    return performance.now() - this.#countedAt > TRUE_FOR_MS ? null : this.#figures;
  }
}
