import { copyDatabase, DatabaseStartError, type MigrationConnection } from '@chat-realtime/database';
import pg from 'pg';
import { connect, createDatabase, DATABASE } from './database-of-cluster.ts';

/** Takes the place of the real one when it is whole. */
const DRAFT = 'chat_carried_over';

/**
 * Fills the database of a server, which must still be empty, by `copy`: whole, or it stays empty.
 * @param from named to whoever must choose between two
 * @returns what `copy` returned, the number of rows
 * @throws DatabaseStartError when there is something in it already
 */
export async function copyIntoPlace(
  url: (database: string) => string,
  from: string,
  copy: (to: MigrationConnection) => Promise<number>,
): Promise<number> {
  await refuseIfFilled(url(DATABASE), from);
  const admin = await connect(url('postgres'));
  try {
    await drop(admin, DRAFT);
    await createDatabase(admin, DRAFT);
    const client = await connect(url(DRAFT));
    const rows = await copyThrough(client, copy);
    await drop(admin, DATABASE);
    await admin.query(`ALTER DATABASE ${pg.escapeIdentifier(DRAFT)} RENAME TO ${pg.escapeIdentifier(DATABASE)}`);
    return rows;
  } finally {
    await admin.end();
  }
}

async function copyThrough(client: pg.Client, copy: (to: MigrationConnection) => Promise<number>): Promise<number> {
  try {
    return await copy(migrationConnection(client));
  } finally {
    await client.end();
  }
}

export function migrationConnection(client: pg.Client): MigrationConnection {
  return {
    execute: async (text) => void (await client.query(text)),
    query: async <R>(text: string, values: readonly unknown[]) => (await client.query(text, [...values])).rows as R[],
  };
}

export async function rowsCopied(from: MigrationConnection, to: MigrationConnection): Promise<number> {
  return [...(await copyDatabase(from, to)).values()].reduce((sum, rows) => sum + rows, 0);
}

async function refuseIfFilled(url: string, from: string): Promise<void> {
  const client = await connect(url);
  try {
    const { rows } = await client.query<{ there: boolean }>(
      `SELECT to_regclass('public.schema_migration') IS NOT NULL AS there`,
    );
    if (rows[0]?.there === true)
      throw new DatabaseStartError(
        `${from} is an older database, and there is a newer one beside it: move the one you do not need away`,
      );
  } finally {
    await client.end();
  }
}

async function drop(admin: pg.Client, name: string): Promise<void> {
  await admin.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)}`);
}
