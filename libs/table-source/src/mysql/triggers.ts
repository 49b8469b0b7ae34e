import type { TableSourceConfig } from '../config.ts';
import { ownNames, tableName, wantedColumns } from '../names.ts';

export function quote(name: string): string {
  return `\`${name}\``;
}

export function qualified(text: string): string {
  const { schema, table } = tableName(text, null);
  return schema === null ? quote(table) : `${quote(schema)}.${quote(table)}`;
}

/** In the database of the sessions. */
export function ownObject(config: TableSourceConfig, name: string): string {
  const { schema } = tableName(config.sessions.table, null);
  return schema === null ? quote(name) : `${quote(schema)}.${quote(name)}`;
}

/** A trigger stands in the database of its table. */
function trigger(name: string, table: string): string {
  const { schema } = tableName(table, null);
  return schema === null ? quote(name) : `${quote(schema)}.${quote(name)}`;
}

/**
 * An error inside ends inside: the site's statement is none the worse. The one that no handler can catch is a wait for a
 * lock that ended; the follower holds none that an insert could meet.
 */
function body(statements: readonly string[]): string {
  return `BEGIN
  DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END;
${statements.map((statement) => `  ${statement}`).join('\n')}
END`;
}

function insertNew(config: TableSourceConfig, kind: 'session' | 'message', session: string, id: string): string {
  return `IF NEW.${quote(session)} IS NOT NULL THEN
    INSERT INTO ${ownObject(config, ownNames(config).outbox)} (message_id, kind, row_id, session_id)
    VALUES (UUID(), '${kind}', NEW.${quote(id)}, NEW.${quote(session)});
  END IF;`;
}

function insertChange(config: TableSourceConfig, kind: 'status' | 'assigned', column: string): string {
  const id = quote(config.sessions.id);
  const name = quote(column);
  return `IF NOT (OLD.${name} <=> NEW.${name}) THEN
    INSERT INTO ${ownObject(config, ownNames(config).outbox)} (message_id, kind, row_id, session_id, value, previous)
    VALUES (UUID(), '${kind}', NEW.${id}, NEW.${id}, NEW.${name}, OLD.${name});
  END IF;`;
}

function grants(config: TableSourceConfig): string[] {
  if (config.grant_to === undefined) return [];
  const [user = '', host = '%'] = config.grant_to.split('@');
  const account = `'${user}'@'${host}'`;
  return [
    ...wantedColumns(config).map(
      ({ table, columns }) => `GRANT SELECT (${columns.map(quote).join(', ')}) ON ${qualified(table)} TO ${account}`,
    ),
    `GRANT SELECT, DELETE ON ${ownObject(config, ownNames(config).outbox)} TO ${account}`,
  ];
}

/** What puts the triggers in place, statement by statement; running it again changes nothing. */
export function createStatements(config: TableSourceConfig): string[] {
  const names = ownNames(config);
  const { sessions, messages } = config;
  const outbox = ownObject(config, names.outbox);
  const changes = [
    ...(sessions.assigned === undefined ? [] : [insertChange(config, 'assigned', sessions.assigned)]),
    ...(sessions.status === undefined ? [] : [insertChange(config, 'status', sessions.status.column)]),
  ];
  const install = (name: string, event: string, table: string, statements: readonly string[]) => [
    `DROP TRIGGER IF EXISTS ${trigger(name, table)}`,
    `CREATE TRIGGER ${trigger(name, table)} AFTER ${event} ON ${qualified(table)} FOR EACH ROW\n${body(statements)}`,
  ];
  return [
    'SET SESSION lock_wait_timeout = 1',
    `CREATE TABLE IF NOT EXISTS ${outbox} (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  message_id CHAR(36) CHARACTER SET ascii NOT NULL,
  kind       VARCHAR(16)  NOT NULL,
  row_id     VARCHAR(190) NOT NULL,
  session_id VARCHAR(190) NOT NULL,
  value      VARCHAR(190),
  previous   VARCHAR(190),
  noted_at   TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
    ...install(names.sessionInsert, 'INSERT', sessions.table, [insertNew(config, 'session', sessions.id, sessions.id)]),
    ...install(names.messageInsert, 'INSERT', messages.table, [
      insertNew(config, 'message', messages.session, messages.id),
    ]),
    ...(changes.length === 0 ? [] : install(names.sessionUpdate, 'UPDATE', sessions.table, changes)),
    ...grants(config),
  ];
}

/** Removes everything again; the triggers first, so that none of them ever misses the outbox. */
export function removeStatements(config: TableSourceConfig): string[] {
  const names = ownNames(config);
  const { sessions, messages } = config;
  return [
    'SET SESSION lock_wait_timeout = 1',
    `DROP TRIGGER IF EXISTS ${trigger(names.sessionInsert, sessions.table)}`,
    `DROP TRIGGER IF EXISTS ${trigger(names.sessionUpdate, sessions.table)}`,
    `DROP TRIGGER IF EXISTS ${trigger(names.messageInsert, messages.table)}`,
    `DROP TABLE IF EXISTS ${ownObject(config, names.outbox)}`,
  ];
}

/** For the command-line client and phpMyAdmin, which end a statement at the delimiter. */
export function asScript(statements: readonly string[]): string {
  return [
    '-- Run it as the user of the site itself: the triggers act with the rights of whoever made them, and that user',
    '-- must not be dropped while they are there. Each statement stands alone; run all of it again if one gave up.',
    'DELIMITER //',
    ...statements.map((statement) => `${statement}//`),
    'DELIMITER ;',
    '',
  ].join('\n');
}
