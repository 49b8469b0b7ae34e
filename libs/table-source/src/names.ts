import type { TableSourceConfig } from './config.ts';

export interface TableName {
  /** Of PostgreSQL a schema, of MySQL a database; null = the one of the connection. */
  readonly schema: string | null;
  readonly table: string;
}

export function tableName(text: string, defaultSchema: string | null): TableName {
  const dot = text.indexOf('.');
  return dot < 0 ? { schema: defaultSchema, table: text } : { schema: text.slice(0, dot), table: text.slice(dot + 1) };
}

/** The names of everything that the triggers need in the site's database. */
export interface OwnNames {
  readonly outbox: string;
  /** The channel of PostgreSQL's notifications. */
  readonly channel: string;
  readonly messageInsert: string;
  readonly sessionInsert: string;
  readonly sessionUpdate: string;
}

export function ownNames({ prefix }: TableSourceConfig): OwnNames {
  return {
    outbox: `${prefix}_outbox`,
    channel: `${prefix}_outbox`,
    messageInsert: `${prefix}_message_insert`,
    sessionInsert: `${prefix}_session_insert`,
    sessionUpdate: `${prefix}_session_update`,
  };
}

/** The columns that the site's tables must have, for the check and for what is granted. */
export function wantedColumns(config: TableSourceConfig): { readonly table: string; readonly columns: string[] }[] {
  const { sessions, messages, operators } = config;
  const listed = (columns: readonly (string | undefined)[]) => [
    ...new Set(columns.filter((column) => column !== undefined)),
  ];
  return [
    {
      table: sessions.table,
      columns: listed([
        sessions.id,
        sessions.created_at,
        sessions.status?.column,
        sessions.assigned,
        sessions.name,
        sessions.email,
        sessions.phone,
      ]),
    },
    {
      table: messages.table,
      columns: listed([
        messages.id,
        messages.session,
        messages.body,
        messages.created_at,
        messages.sender.column,
        messages.sender_id,
        messages.sender_name,
        messages.file_url,
        messages.file_name,
        ...Object.keys(messages.only),
      ]),
    },
    ...(operators === undefined ? [] : [{ table: operators.table, columns: listed([operators.id, operators.name]) }]),
  ];
}
