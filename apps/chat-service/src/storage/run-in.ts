import type { Statement, Tables } from '@chat-realtime/database';
import { CompiledQuery, type Transaction } from 'kysely';

/** A statement with a fixed text within a transaction, as `Database.query` runs it outside of one. */
export async function runIn<R>(
  trx: Transaction<Tables>,
  { text }: Statement,
  values: readonly unknown[],
): Promise<readonly R[]> {
  return (await trx.executeQuery<R>(CompiledQuery.raw(text, [...values]))).rows;
}
