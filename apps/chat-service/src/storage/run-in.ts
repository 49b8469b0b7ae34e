import type { Database, Statement, Tables } from '@chat-realtime/database';
import { CompiledQuery, type RawBuilder, type Transaction } from 'kysely';

/** A statement with a fixed text within a transaction, as `Database.query` runs it outside of one. */
export async function runIn<R>(
  trx: Transaction<Tables>,
  { text }: Statement,
  values: readonly unknown[],
): Promise<readonly R[]> {
  return (await trx.executeQuery<R>(CompiledQuery.raw(text, [...values]))).rows;
}

/**
 * A statement that runs every second, under a name: planning it takes longer than running it, and under a name the
 * server keeps the plan. Its text must be the same at every call; what differs are its parameters.
 */
export function runNamed<R>(database: Database, name: string, statement: RawBuilder<R>): Promise<R[]> {
  const { sql: text, parameters } = statement.compile(database.kysely);
  return database.query<R>({ name, text }, parameters);
}
