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
 * A statement that runs every second, under a name: on small tables planning it takes longer than running it, and under
 * a name the server may keep the plan. Where the plan depends on the parameters, as over a long history, it still plans
 * each run. The text must be the same at every call; what differs are the parameters.
 */
export function runNamed<R>(database: Database, name: string, statement: RawBuilder<R>): Promise<R[]> {
  const { sql: text, parameters } = statement.compile(database.kysely);
  return database.query<R>({ name, text }, parameters);
}
