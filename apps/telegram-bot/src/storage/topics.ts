import type { Database } from '@chat-realtime/database';
import { sql } from 'kysely';
import { type Content, contentSchema } from '../domain/content.ts';
import { simpler } from '../domain/fallback-content.ts';
import { remember } from './sends.ts';
import { storedJson } from './stored-json.ts';

/** What the topic of a chat should show. */
export interface NewTopicSend {
  readonly sessionId: number;
  readonly content: Content;
  readonly seq?: number | undefined;
  readonly messageId?: number | undefined;
}

export interface TopicSend {
  readonly id: number;
  readonly sessionId: number;
  readonly seq: number | null;
  readonly messageId: number | null;
  readonly content: Content;
  /** A crash came between the call and its answer. */
  readonly maybeSent: boolean;
}

export interface Topic {
  readonly sessionId: number;
  readonly threadId: number | null;
  readonly title: string;
  readonly closed: boolean;
  readonly changes: number;
  /** A call that created it ended without an answer, or a crash came in between. */
  readonly maybeMade: boolean;
  readonly session: { readonly name: string | null; readonly assignee: string | null; readonly status: string };
}

interface TopicRow {
  readonly session_id: number;
  readonly thread_id: number | null;
  readonly creating: boolean;
  readonly title: string;
  readonly closed: boolean;
  readonly changes: number;
  readonly name: string | null;
  readonly assignee: string | null;
  readonly status: string;
}

interface SendRow {
  readonly id: number;
  readonly session_id: number;
  readonly seq: number | null;
  readonly message_id: number | null;
  readonly content: unknown;
  readonly maybe_sent: boolean;
}

type Db = Database['kysely'];

/** Texts read at once; neighbours among them are joined. */
const BATCH_MAX = 20;
/** Changes of a chat within this time become one call. */
const SETTLE_SECONDS = 1.5;
/** A text that a group could not receive for this long is outdated; it remains in the console. */
export const KEEP_HOURS = 24;

const numberOrNull = (value: number | null): number | null => (value === null ? null : Number(value));

/** The topics of the staff group and what is queued for them. */
export class TopicStore {
  readonly groupKey: number;
  readonly #database: Database;
  readonly #botId: number;
  readonly #settleSeconds: number;

  constructor(database: Database, botId: number, groupKey: number, settleSeconds: number = SETTLE_SECONDS) {
    this.#database = database;
    this.#botId = botId;
    this.groupKey = groupKey;
    this.#settleSeconds = settleSeconds;
  }

  /** The group's number in Telegram: as configured, until Telegram moves it. */
  async groupId(): Promise<number> {
    const found = await sql<{ group_id: number }>`
      SELECT group_id FROM telegram_group WHERE group_key = ${this.groupKey}::bigint`.execute(this.#database.kysely);
    return Number(found.rows[0]?.group_id ?? this.groupKey);
  }

  /** The chat that a topic belongs to. */
  async sessionOf(threadId: number): Promise<number | undefined> {
    const found = await sql<{ session_id: number }>`SELECT session_id FROM telegram_topic
      WHERE group_key = ${this.groupKey}::bigint AND thread_id = ${threadId}::bigint`.execute(this.#database.kysely);
    return found.rows[0] === undefined ? undefined : Number(found.rows[0].session_id);
  }

  /** A group that has moved has none of its earlier topics: they are created again. */
  async move(to: number): Promise<void> {
    await this.#database.kysely.transaction().execute(async (trx) => {
      await sql`INSERT INTO telegram_group (group_key, group_id) VALUES (${this.groupKey}::bigint, ${to}::bigint)
        ON CONFLICT (group_key) DO UPDATE SET group_id = EXCLUDED.group_id`.execute(trx);
      await sql`UPDATE telegram_topic SET thread_id = NULL, creating_at = NULL WHERE group_key = ${this.groupKey}::bigint`.execute(
        trx,
      );
    });
  }

  async add(sends: readonly NewTopicSend[], db: Db): Promise<void> {
    for (const { sessionId, content, seq, messageId } of sends) {
      await sql`INSERT INTO telegram_topic (group_key, session_id) VALUES (${this.groupKey}::bigint, ${sessionId}::bigint)
        ON CONFLICT DO NOTHING`.execute(db);
      await sql`INSERT INTO telegram_topic_send (group_key, session_id, seq, message_id, content)
        VALUES (${this.groupKey}::bigint, ${sessionId}::bigint, ${seq ?? null}::bigint, ${messageId ?? null}::bigint,
          ${storedJson(content)}::jsonb)`.execute(db);
    }
  }

  /** Name, assignee or state of a chat may have changed. False: it has no topic, and this does not need one. */
  async touch(sessionId: number, db: Db = this.#database.kysely): Promise<boolean> {
    const touched = await sql`UPDATE telegram_topic SET changes = changes + 1,
        due_at = greatest(due_at, clock_timestamp() + make_interval(secs => ${this.#settleSeconds}::float8))
      WHERE group_key = ${this.groupKey}::bigint AND session_id = ${sessionId}::bigint RETURNING 1 AS one`.execute(db);
    return touched.rows.length > 0;
  }

  /** A customer's name changes without an event. */
  async findRenamed(): Promise<void> {
    await sql`UPDATE telegram_topic t SET changes = t.changes + 1 FROM chat_session s
      WHERE t.group_key = ${this.groupKey}::bigint AND NOT t.closed AND t.thread_id IS NOT NULL AND t.changes = t.shown
        AND s.id = t.session_id AND s.name IS DISTINCT FROM t.shown_name`.execute(this.#database.kysely);
  }

  /** The oldest queued text, and later ones for the same topic. */
  async due(): Promise<{ readonly topic: Topic; readonly sends: readonly TopicSend[] } | undefined> {
    const found = await sql<SendRow>`
      SELECT id, session_id, seq, message_id, content, sending_at IS NOT NULL AS maybe_sent FROM telegram_topic_send
       WHERE group_key = ${this.groupKey}::bigint
         AND session_id = (SELECT session_id FROM telegram_topic_send WHERE group_key = ${this.groupKey}::bigint ORDER BY id LIMIT 1)
       ORDER BY id LIMIT ${BATCH_MAX}::bigint`.execute(this.#database.kysely);
    const [first] = found.rows;
    if (first === undefined) return undefined;
    const [topic] = await this.#topics(sql`t.session_id = ${first.session_id}::bigint`);
    if (topic === undefined) return undefined;
    return {
      topic,
      sends: found.rows.map((row) => ({
        id: Number(row.id),
        sessionId: Number(row.session_id),
        seq: numberOrNull(row.seq),
        messageId: numberOrNull(row.message_id),
        content: contentSchema.parse(row.content),
        maybeSent: row.maybe_sent,
      })),
    };
  }

  /** A topic that does not show the current state of its chat; after its texts, so that a closed one has them all. */
  async changed(): Promise<Topic | undefined> {
    const found =
      await this.#topics(sql`t.changes > t.shown AND t.thread_id IS NOT NULL AND t.due_at <= clock_timestamp()
      AND NOT EXISTS (SELECT FROM telegram_topic_send o WHERE o.session_id = t.session_id AND o.group_key = t.group_key)`);
    return found[0];
  }

  async #topics(which: ReturnType<typeof sql>): Promise<Topic[]> {
    const found = await sql<TopicRow>`
      SELECT t.session_id, t.thread_id, t.creating_at IS NOT NULL AS creating, t.title, t.closed, t.changes, s.name,
             COALESCE(s.assigned_user_name, s.assigned_user_id) AS assignee, s.status
        FROM telegram_topic t JOIN chat_session s ON s.id = t.session_id
       WHERE t.group_key = ${this.groupKey}::bigint AND ${which} ORDER BY t.due_at LIMIT 1`.execute(
      this.#database.kysely,
    );
    return found.rows.map((row) => ({
      sessionId: Number(row.session_id),
      threadId: numberOrNull(row.thread_id),
      title: row.title,
      closed: row.closed,
      changes: Number(row.changes),
      maybeMade: row.creating,
      session: { name: row.name, assignee: row.assignee, status: row.status },
    }));
  }

  async making(sessionId: number): Promise<void> {
    await this.#set(sessionId, sql`creating_at = clock_timestamp()`);
  }
  /** Telegram has refused to create it. */
  async notMade(sessionId: number): Promise<void> {
    await this.#set(sessionId, sql`creating_at = NULL`);
  }
  async made({ sessionId, changes, session }: Topic, threadId: number, title: string): Promise<void> {
    await this.#set(
      sessionId,
      sql`thread_id = ${threadId}::bigint, creating_at = NULL, title = ${title}, shown_name = ${session.name},
        closed = false, shown = ${session.status === 'closed' ? changes - 1 : changes}::bigint`,
    );
  }
  async gone(sessionId: number): Promise<void> {
    await this.#set(sessionId, sql`thread_id = NULL, closed = false`);
  }
  async renamed({ sessionId, session }: Topic, title: string): Promise<void> {
    await this.#set(sessionId, sql`title = ${title}, shown_name = ${session.name}`);
  }
  async setClosed({ sessionId }: Topic, closed: boolean): Promise<void> {
    await this.#set(sessionId, sql`closed = ${closed}`);
  }
  /** What changed in the meantime is shown next. */
  async shown({ sessionId, changes, session }: Topic): Promise<void> {
    await this.#set(sessionId, sql`shown = ${changes}::bigint, shown_name = ${session.name}`);
  }

  async #set(sessionId: number, what: ReturnType<typeof sql>): Promise<void> {
    await sql`UPDATE telegram_topic SET ${what}
      WHERE group_key = ${this.groupKey}::bigint AND session_id = ${sessionId}::bigint`.execute(this.#database.kysely);
  }

  /** False: a text was removed a moment ago because it was erased. */
  async begin(ids: readonly number[]): Promise<boolean> {
    const begun = await sql`UPDATE telegram_topic_send SET sending_at = clock_timestamp()
      WHERE id = ANY (${ids}::bigint[]) RETURNING 1 AS one`.execute(this.#database.kysely);
    return begun.rows.length === ids.length;
  }
  async notSent(ids: readonly number[]): Promise<void> {
    await sql`UPDATE telegram_topic_send SET sending_at = NULL WHERE id = ANY (${ids}::bigint[])`.execute(
      this.#database.kysely,
    );
  }
  /** A refused text is replaced by its remaining part, or removed. */
  async lessen(sends: readonly TopicSend[]): Promise<void> {
    const gone: number[] = [];
    for (const { id, content } of sends) {
      const less = simpler(content);
      if (less === null) gone.push(id);
      else
        await sql`UPDATE telegram_topic_send SET content = ${storedJson(less)}::jsonb WHERE id = ${id}::bigint`.execute(
          this.#database.kysely,
        );
    }
    await this.drop(gone);
  }
  async drop(ids: readonly number[]): Promise<void> {
    await sql`DELETE FROM telegram_topic_send WHERE id = ANY (${ids}::bigint[])`.execute(this.#database.kysely);
  }

  /**
   * Removes them from the queue. They are known by their ids in Telegram: a reply to any of them is one to the last.
   */
  async sent(groupId: number, sends: readonly TopicSend[], telegramIds: readonly number[]): Promise<void> {
    const [first] = sends;
    if (first === undefined) return;
    const last = <T>(values: readonly (T | null)[]): T | null => values.findLast((value) => value !== null) ?? null;
    await this.#database.kysely.transaction().execute(async (trx) => {
      await sql`DELETE FROM telegram_topic_send WHERE id = ANY (${sends.map(({ id }) => id)}::bigint[])`.execute(trx);
      for (const telegramId of telegramIds)
        await remember(trx, this.#botId, {
          chatId: groupId,
          telegramId,
          sessionId: first.sessionId,
          seq: last(sends.map(({ seq }) => seq)),
          messageId: last(sends.map(({ messageId }) => messageId)),
          purpose: 'message',
        });
    });
  }

  async forget(): Promise<void> {
    await sql`DELETE FROM telegram_topic_send
      WHERE created_at < now() - make_interval(hours => ${KEEP_HOURS}::integer)`.execute(this.#database.kysely);
  }

  async pending(): Promise<number> {
    const found = await sql<{ count: number }>`
      SELECT count(*) AS count FROM telegram_topic_send WHERE group_key = ${this.groupKey}::bigint`.execute(
      this.#database.kysely,
    );
    return Number(found.rows[0]?.count ?? 0);
  }
}
