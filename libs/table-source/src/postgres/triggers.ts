import type { TableSourceConfig } from '../config.ts';
import { ownNames, tableName, wantedColumns } from '../names.ts';

const DEFAULT_SCHEMA = 'public';
const MEGABYTE = 1_048_576;
const PAGE_BYTES = 8_192;

export function quote(name: string): string {
  return `"${name}"`;
}

export function qualified(text: string): string {
  const { schema, table } = tableName(text, DEFAULT_SCHEMA);
  return `${quote(schema ?? DEFAULT_SCHEMA)}.${quote(table)}`;
}

/** In the schema of the sessions, with names that begin with the prefix. */
export function ownObject(config: TableSourceConfig, name: string): string {
  const { schema } = tableName(config.sessions.table, DEFAULT_SCHEMA);
  return `${quote(schema ?? DEFAULT_SCHEMA)}.${quote(name)}`;
}

interface Note {
  /**
   * The cases in which nothing is recorded; checked first, since most updates of a chat change neither status nor
   * assignee.
   */
  readonly unless?: string;
  /** It stores in `chat_realtime_at` the place of the row that it recorded. */
  readonly statement: string;
}

const op = (name: string): string => `OPERATOR(pg_catalog.${name})`;

/**
 * Every error inside the trigger is handled inside it: the site's statement never fails because of it, even if a column
 * that it names was dropped or changed since. It waits for no lock longer than a moment, and may write to the outbox
 * whoever the caller is. A nearly full notification queue would fail the site's COMMIT, which no handler can catch:
 * then nothing is notified, and the follower looks by itself. The outbox uses no sequence, since lastval() of the
 * site's connection must stay the number of the site's own row.
 *
 * The trigger runs at every write of the site. So it uses expressions instead of queries where possible, and names
 * every function, type and operator with its schema. A separate search_path would have the same effect, but setting and
 * resetting it costs the site more than all these names, and makes it look up its own path anew. The size of the outbox
 * is judged by the place where the row was stored, since querying the size is a call to the file system, which took a
 * third of what the trigger adds. The trigger names few things, since a new connection, as PHP makes one for each page,
 * looks up each of them at its first write.
 */
function noteFunction(config: TableSourceConfig, name: string, { unless, statement }: Note): string {
  const { channel } = ownNames(config);
  const end = `'(${(config.outbox_megabytes * MEGABYTE) / PAGE_BYTES},0)'::pg_catalog.tid`;
  return `CREATE OR REPLACE FUNCTION ${ownObject(config, name)}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET lock_timeout = '100ms'
AS $chat_realtime$
DECLARE
  -- None of these is the name of any column of the site's.
  chat_realtime_now pg_catalog.timestamptz := pg_catalog.clock_timestamp();
  chat_realtime_at pg_catalog.tid;
  chat_realtime_told pg_catalog.bool;
BEGIN
${unless === undefined ? '' : `  IF ${unless} THEN RETURN NULL; END IF;\n`}${statement}
  -- The outbox is at its end: what was noted is taken back.
  IF chat_realtime_at ${op('>=')} ${end} THEN RAISE disk_full; END IF;
  IF chat_realtime_at IS NOT NULL AND pg_catalog.pg_notification_queue_usage() ${op('<')} 0.5 THEN
    chat_realtime_told := pg_catalog.pg_notify('${channel}', '') IS NOT NULL;
  END IF;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END
$chat_realtime$;
REVOKE ALL ON FUNCTION ${ownObject(config, name)}() FROM PUBLIC;`;
}

function asText(column: string): string {
  return `${column}::pg_catalog.text`;
}

/** `IS NOT DISTINCT FROM`, which would take the `=` of the caller's search_path. */
function isSame(name: string): string {
  const [before, after] = [asText(`OLD.${name}`), asText(`NEW.${name}`)];
  return `(${before} OPERATOR(pg_catalog.=) ${after}) IS TRUE OR (${before} IS NULL AND ${after} IS NULL)`;
}

/** Rows of one statement have one time: they are read in the order of their ids, which need not be sorted here. */
function insertFromRows(config: TableSourceConfig, kind: 'session' | 'message', session: string, id: string): string {
  return `  WITH chat_realtime_noted AS (
    INSERT INTO ${ownObject(config, ownNames(config).outbox)} (noted_at, kind, row_id, session_id)
    SELECT chat_realtime_now, '${kind}', ${asText(`r.${quote(id)}`)}, ${asText(`r.${quote(session)}`)}
    FROM chat_realtime_rows r WHERE r.${quote(session)} IS NOT NULL
    RETURNING ctid
  ) SELECT n.ctid INTO chat_realtime_at FROM chat_realtime_noted n LIMIT 1;`;
}

function insertChange(config: TableSourceConfig, { kind, column }: WatchedColumn): string {
  const id = asText(`NEW.${quote(config.sessions.id)}`);
  const name = quote(column);
  return `  IF NOT (${isSame(name)}) THEN
    INSERT INTO ${ownObject(config, ownNames(config).outbox)} (noted_at, kind, row_id, session_id, value, previous)
    VALUES (chat_realtime_now, '${kind}', ${id}, ${id}, ${asText(`NEW.${name}`)}, ${asText(`OLD.${name}`)})
    RETURNING ctid INTO chat_realtime_at;
  END IF;`;
}

interface WatchedColumn {
  readonly kind: 'status' | 'assigned';
  readonly column: string;
}

function watchedColumns({ sessions }: TableSourceConfig): WatchedColumn[] {
  return [
    ...(sessions.assigned === undefined ? [] : [{ kind: 'assigned' as const, column: sessions.assigned }]),
    ...(sessions.status === undefined ? [] : [{ kind: 'status' as const, column: sessions.status.column }]),
  ];
}

function grants(config: TableSourceConfig): string[] {
  if (config.grant_to === undefined) return [];
  const role = quote(config.grant_to);
  const schemas = new Set(
    wantedColumns(config).map(({ table }) => quote(tableName(table, DEFAULT_SCHEMA).schema ?? DEFAULT_SCHEMA)),
  );
  return [
    '-- What the follower may do: read these columns, and read and empty the outbox.',
    ...[...schemas].map((schema) => `GRANT USAGE ON SCHEMA ${schema} TO ${role};`),
    ...wantedColumns(config).map(
      ({ table, columns }) => `GRANT SELECT (${columns.map(quote).join(', ')}) ON ${qualified(table)} TO ${role};`,
    ),
    `GRANT SELECT, DELETE ON ${ownObject(config, ownNames(config).outbox)} TO ${role};`,
  ];
}

const INTRO = `-- Run it as the owner of the tables. It takes each table's lock for a moment; if a long transaction holds
-- one, it gives up after 1 s and has changed nothing: run it again. Writes of the site wait no longer than that.
BEGIN;
SET LOCAL lock_timeout = '1s';
SET LOCAL client_min_messages = 'warning';`;

/** Installs the triggers; running it again changes nothing. */
export function createSql(config: TableSourceConfig): string {
  const names = ownNames(config);
  const { sessions, messages } = config;
  const outbox = ownObject(config, names.outbox);
  const watched = watchedColumns(config);
  const insertTrigger = (name: string, table: string) => `DROP TRIGGER IF EXISTS ${quote(name)} ON ${qualified(table)};
CREATE TRIGGER ${quote(name)} AFTER INSERT ON ${qualified(table)}
REFERENCING NEW TABLE AS chat_realtime_rows FOR EACH STATEMENT EXECUTE FUNCTION ${ownObject(config, name)}();`;
  const unchanged = watched.map(({ column }) => `(${isSame(quote(column))})`);
  return [
    INTRO,
    '',
    `-- Where nobody fetches what is noted, it ends at ${config.outbox_megabytes} MB: beyond that nothing is noted, and the scan
-- brings it once the outbox is emptied. Triggers come along with a dump: take them away from a copy of this database.`,
    `CREATE TABLE IF NOT EXISTS ${outbox} (
  noted_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  message_id uuid        NOT NULL DEFAULT gen_random_uuid(),
  kind       text        NOT NULL,
  row_id     text        NOT NULL,
  session_id text        NOT NULL,
  value      text,
  previous   text,
  PRIMARY KEY (noted_at, message_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
REVOKE ALL ON ${outbox} FROM PUBLIC;`,
    '',
    noteFunction(config, names.sessionInsert, {
      statement: insertFromRows(config, 'session', sessions.id, sessions.id),
    }),
    insertTrigger(names.sessionInsert, sessions.table),
    '',
    noteFunction(config, names.messageInsert, {
      statement: insertFromRows(config, 'message', messages.session, messages.id),
    }),
    insertTrigger(names.messageInsert, messages.table),
    ...(watched.length === 0
      ? []
      : [
          '',
          // The trigger itself names no column of the site: PostgreSQL would otherwise let none of them be dropped or
          // change its type.
          noteFunction(config, names.sessionUpdate, {
            unless: unchanged.join(' AND '),
            statement: watched.map((column) => insertChange(config, column)).join('\n'),
          }),
          `DROP TRIGGER IF EXISTS ${quote(names.sessionUpdate)} ON ${qualified(sessions.table)};
CREATE TRIGGER ${quote(names.sessionUpdate)} AFTER UPDATE ON ${qualified(sessions.table)}
FOR EACH ROW EXECUTE FUNCTION ${ownObject(config, names.sessionUpdate)}();`,
        ]),
    '',
    ...grants(config),
    'COMMIT;',
    '',
  ].join('\n');
}

/** Removes everything again; the site's own tables stay as they are. */
export function removeSql(config: TableSourceConfig): string {
  const names = ownNames(config);
  const triggers: [string, string][] = [
    [names.sessionInsert, config.sessions.table],
    [names.sessionUpdate, config.sessions.table],
    [names.messageInsert, config.messages.table],
  ];
  return [
    INTRO,
    ...triggers.map(([name, table]) => `DROP TRIGGER IF EXISTS ${quote(name)} ON ${qualified(table)};`),
    ...triggers.map(([name]) => `DROP FUNCTION IF EXISTS ${ownObject(config, name)}();`),
    `DROP TABLE IF EXISTS ${ownObject(config, names.outbox)};`,
    'COMMIT;',
    '',
  ].join('\n');
}
