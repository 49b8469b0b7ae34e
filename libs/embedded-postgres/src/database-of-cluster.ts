import { DatabaseStartError } from '@chat-realtime/database';
import pg from 'pg';
import { hasCode, messageOf } from './errors.ts';

export const DATABASE = 'chat';
const CONNECT_MS = 60_000;
const ALREADY_THERE = '42P04';

export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  // The query in progress reports it as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new DatabaseStartError(`the embedded PostgreSQL cannot be reached: ${messageOf(error)}`, { cause: error });
  }
  return client;
}

export async function createDatabase(client: pg.Client, name: string): Promise<void> {
  try {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } catch (error) {
    if (!hasCode(error, ALREADY_THERE)) throw error;
  }
}

/** `url`: of the database that every cluster has. */
export async function provideDatabase(url: string): Promise<void> {
  const client = await connect(url);
  try {
    await createDatabase(client, DATABASE);
  } finally {
    await client.end();
  }
}
