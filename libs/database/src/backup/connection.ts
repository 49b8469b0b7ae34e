import pg from 'pg';
import type { MigrationConnection } from '../migrate.ts';

const CONNECT_TIMEOUT_MS = 5_000;

export interface PlainConnection extends MigrationConnection {
  close(): Promise<void>;
}

/** One connection without the bounds of requests, for work over the whole database. */
export async function connectPlainly(url: string): Promise<PlainConnection> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'chat-admin',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  let lost: Error | undefined;
  // The statement under way fails by itself; without a listener the process would end.
  client.on('error', (error) => {
    lost = error;
  });
  await client.connect();
  await client.query('SET statement_timeout = 0');
  await client.query('SET idle_in_transaction_session_timeout = 0');
  return {
    execute: async (text) => {
      if (lost !== undefined) throw lost;
      await client.query(text);
    },
    query: async <R>(text: string, values: readonly unknown[]) => (await client.query(text, [...values])).rows as R[],
    close: () => client.end(),
  };
}
