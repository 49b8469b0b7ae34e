import { type TableSourceConfig, TableSourceConfigError } from './config.ts';
import { READ_CHARACTERS } from './events.ts';
import { wantedColumns } from './names.ts';
import type { MessageRow, SessionRow } from './ports.ts';

export type TextRow = Readonly<Record<string, string | null>>;
/** Column → its type, as the database calls it. */
export type ColumnTypes = ReadonlyMap<string, string>;

/** The differences between PostgreSQL and MySQL in reading rows. */
export interface Dialect {
  quote(name: string): string;
  qualified(table: string): string;
  /** Whether a column of this type can name a row. */
  isText(type: string): boolean;
  /** Whether a newer row has a greater id. */
  isOrdered(type: string): boolean;
  /** The column as text. */
  text(column: string, type: string): string;
  /** The value is invalid for its column, so there is no such row. */
  isOfValue(error: unknown): boolean;
  /** Columns that identify a row on their own. Null: they may not be read. */
  uniqueColumns(table: string): Promise<ReadonlySet<string> | null>;
  /** `column IN ids`, with the parameters it needs. */
  among(column: string, type: string, ids: readonly string[]): SqlPart;
  equals(column: string, type: string, id: string, position: number): SqlPart;
  after(column: string, type: string, id: string, position: number): SqlPart;
  /** Null: there is no such table, or no column of it may be read. */
  columnTypes(table: string): Promise<ColumnTypes | null>;
  rows(text: string, values: readonly unknown[]): Promise<TextRow[]>;
}

export interface SqlPart {
  readonly text: string;
  readonly values: readonly unknown[];
}

type Direction = 'ASC' | 'DESC';
const ALL: SqlPart = { text: '1 = 1', values: [] };

type Fields<R> = { readonly [K in keyof R]: string | undefined };

/** Reads the site's own tables by primary key, every column as text. */
export class SiteReader {
  readonly #config: TableSourceConfig;
  readonly #dialect: Dialect;
  readonly #types = new Map<string, ColumnTypes>();

  constructor(config: TableSourceConfig, dialect: Dialect) {
    this.#config = config;
    this.#dialect = dialect;
  }

  async check(): Promise<void> {
    const problems: string[] = [];
    for (const { table, columns } of wantedColumns(this.#config)) {
      const types = await this.#dialect.columnTypes(table);
      if (types === null) {
        problems.push(`table ${table}: does not exist, or this user may not read it`);
        continue;
      }
      this.#types.set(table, types);
      for (const column of columns)
        if (!types.has(column)) problems.push(`table ${table}: column ${column} is not there, or may not be read`);
    }
    if (problems.length === 0) problems.push(...(await this.#unusableIds()));
    if (problems.length > 0) throw new TableSourceConfigError(problems);
  }

  /** Types of ids with which rows would not be found, would be confused, or would be read in the wrong order. */
  async #unusableIds(): Promise<string[]> {
    const { sessions, messages, operators } = this.#config;
    const problems: string[] = [];
    const names: readonly (readonly [string, string | undefined])[] = [
      [sessions.table, sessions.id],
      [sessions.table, sessions.assigned],
      [messages.table, messages.id],
      [messages.table, messages.session],
      [messages.table, messages.sender_id],
      ...(operators === undefined ? [] : [[operators.table, operators.id] as const]),
    ];
    for (const [table, column] of names) {
      const type = column === undefined ? '' : this.typeOf(table, column);
      if (column !== undefined && !this.#dialect.isText(type))
        problems.push(
          `table ${table}: column ${column} is ${type}, which cannot be captured as text; name a generated column that holds it as text`,
        );
    }
    for (const { table, id } of [sessions, messages]) {
      const unique = await this.#dialect.uniqueColumns(table);
      if (unique !== null && !unique.has(id))
        problems.push(`table ${table}: column ${id} has no unique index of its own, so rows could be taken for others`);
    }
    const type = this.typeOf(messages.table, messages.id);
    if (!messages.ids_ascend && !this.#dialect.isOrdered(type))
      problems.push(
        `table ${messages.table}: column ${messages.id} is ${type}, by which messages have no order; ` +
          'name a numeric column, or say ids_ascend: true where each new id is greater than those before',
      );
    return problems;
  }

  typeOf(table: string, column: string): string {
    return this.#types.get(table)?.get(column) ?? '';
  }

  async sessions(ids: readonly string[]): Promise<SessionRow[]> {
    const { table, id } = this.#config.sessions;
    return this.#byIds(table, id, ids, (some) => this.#sessions(this.#among(table, id, some), some.length));
  }

  async sessionsAfter(after: string | null, limit: number): Promise<SessionRow[]> {
    const { table, id } = this.#config.sessions;
    return this.#sessions(this.#after(table, id, after), limit);
  }

  async messages(ids: readonly string[]): Promise<MessageRow[]> {
    const { table, id } = this.#config.messages;
    return this.#byIds(table, id, ids, (some) => this.#messages(this.#among(table, id, some), some.length));
  }

  async messagesAfter(after: string | null, limit: number): Promise<MessageRow[]> {
    const { table, id } = this.#config.messages;
    return this.#messages(this.#after(table, id, after), limit);
  }

  async newestSessions(limit: number): Promise<SessionRow[]> {
    return (await this.#sessions(ALL, limit, 'DESC')).toReversed();
  }

  async newestMessages(limit: number): Promise<MessageRow[]> {
    return (await this.#messages(ALL, limit, null, 'DESC')).toReversed();
  }

  async messagesOfSession(session: string, after: string | null, limit: number): Promise<MessageRow[]> {
    const { table, session: column } = this.#config.messages;
    const type = this.typeOf(table, column);
    const own = this.#dialect.equals(this.#dialect.quote(column), type, session, 1);
    return this.#byIds(table, column, [session], () => this.#messages(own, limit, after));
  }

  async operatorNames(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { operators } = this.#config;
    if (operators === undefined || ids.length === 0) return new Map();
    const { table, id, name } = operators;
    const rows = await this.#byIds(table, id, ids, (some) =>
      this.#select(table, { id, name }, this.#among(table, id, some), id, some.length),
    );
    return new Map(rows.flatMap((row) => (row['id'] && row['name'] ? [[row['id'], row['name']] as const] : [])));
  }

  async #sessions(where: SqlPart, limit: number, direction: Direction = 'ASC'): Promise<SessionRow[]> {
    const { sessions } = this.#config;
    const fields: Fields<SessionRow> = {
      id: sessions.id,
      createdAt: sessions.created_at,
      status: sessions.status?.column,
      assigned: sessions.assigned,
      name: sessions.name,
      email: sessions.email,
      phone: sessions.phone,
    };
    const rows = await this.#select(sessions.table, fields, where, sessions.id, limit, direction);
    return rows.map((row) => ({
      id: row['id'] ?? '',
      createdAt: row['createdAt'] ?? null,
      status: row['status'] ?? null,
      assigned: row['assigned'] ?? null,
      name: row['name'] ?? null,
      email: row['email'] ?? null,
      phone: row['phone'] ?? null,
    }));
  }

  async #messages(
    where: SqlPart,
    limit: number,
    after: string | null = null,
    direction: Direction = 'ASC',
  ): Promise<MessageRow[]> {
    const { messages } = this.#config;
    const only = Object.keys(messages.only);
    const fields = {
      id: messages.id,
      session: messages.session,
      body: messages.body,
      createdAt: messages.created_at,
      sender: messages.sender.column,
      senderId: messages.sender_id,
      senderName: messages.sender_name,
      fileUrl: messages.file_url,
      fileName: messages.file_name,
      ...Object.fromEntries(only.map((column, index) => [`only${index}`, column])),
    };
    const type = this.typeOf(messages.table, messages.id);
    const position = where.values.length + 1;
    const more = after === null ? null : this.#dialect.after(this.#dialect.quote(messages.id), type, after, position);
    const both =
      more === null ? where : { text: `${where.text} AND ${more.text}`, values: [...where.values, ...more.values] };
    const rows = await this.#select(messages.table, fields, both, messages.id, limit, direction);
    return rows.map((row) => ({
      id: row['id'] ?? '',
      session: row['session'] ?? '',
      body: row['body'] ?? null,
      createdAt: row['createdAt'] ?? null,
      sender: row['sender'] ?? null,
      senderId: row['senderId'] ?? null,
      senderName: row['senderName'] ?? null,
      fileUrl: row['fileUrl'] ?? null,
      fileName: row['fileName'] ?? null,
      only: only.map((_, index) => row[`only${index}`] ?? null),
    }));
  }

  /** A text that is not a valid value of the column names no row. One such id must not hide the rows of the others. */
  async #byIds<R>(
    table: string,
    column: string,
    ids: readonly string[],
    read: (ids: readonly string[]) => Promise<R[]>,
  ): Promise<R[]> {
    const type = this.typeOf(table, column);
    const fitting = ids.filter((id) => fits(type, id));
    if (fitting.length === 0) return [];
    try {
      return await read(fitting);
    } catch (error) {
      if (!this.#dialect.isOfValue(error)) throw error;
      if (fitting.length === 1) return [];
      const half = Math.ceil(fitting.length / 2);
      const first = await this.#byIds(table, column, fitting.slice(0, half), read);
      return [...first, ...(await this.#byIds(table, column, fitting.slice(half), read))];
    }
  }

  #among(table: string, column: string, ids: readonly string[]): SqlPart {
    return this.#dialect.among(this.#dialect.quote(column), this.typeOf(table, column), ids);
  }

  #after(table: string, column: string, id: string | null): SqlPart {
    if (id === null) return ALL;
    return this.#dialect.after(this.#dialect.quote(column), this.typeOf(table, column), id, 1);
  }

  async #select(
    table: string,
    fields: Readonly<Record<string, string | undefined>>,
    where: SqlPart,
    order: string,
    limit: number,
    direction: Direction = 'ASC',
  ): Promise<TextRow[]> {
    if (limit === 0) return [];
    const dialect = this.#dialect;
    // A text of any length is read only as far as needed to see that it is too long.
    const columns = Object.entries(fields).flatMap(([name, column]) =>
      column === undefined
        ? []
        : [
            `LEFT(${dialect.text(dialect.quote(column), this.typeOf(table, column))}, ${READ_CHARACTERS}) AS ${dialect.quote(name)}`,
          ],
    );
    const from = dialect.qualified(table);
    return dialect.rows(
      `SELECT ${columns.join(', ')} FROM ${from} WHERE ${where.text} ORDER BY ${from}.${dialect.quote(order)} ${direction} LIMIT ${limit}`,
      where.values,
    );
  }
}

const INTEGER = /int$|^(?:integer|decimal|numeric)$/;
const UUID = /^[\da-f]{8}-?(?:[\da-f]{4}-?){3}[\da-f]{12}$/i;

/** MySQL converts `5 apples` to 5 and `order-5` to 0; PostgreSQL refuses the whole statement. */
function fits(type: string, id: string): boolean {
  if (INTEGER.test(type)) return /^-?\d{1,38}$/.test(id);
  return type === 'uuid' ? UUID.test(id) : id !== '';
}
