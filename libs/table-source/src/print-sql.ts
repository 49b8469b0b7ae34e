import type { TableSourceConfig } from './config.ts';
import { asScript, createStatements, removeStatements } from './mysql/triggers.ts';
import { createSql, removeSql } from './postgres/triggers.ts';

/** The SQL that puts the triggers into the site's database, or takes them away; needs no connection. */
export function printSql(config: TableSourceConfig, { remove = false }: { readonly remove?: boolean } = {}): string {
  if (config.database === 'postgresql') return remove ? removeSql(config) : createSql(config);
  return asScript(remove ? removeStatements(config) : createStatements(config));
}
