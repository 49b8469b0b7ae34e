import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { runAdmin } from '../run.ts';

const GOOD = `database: mysql
url: \${SITE_DATABASE_URL}
sessions: { table: chat }
messages: { table: message, session: chat_id, body: text, sender: { column: kind, map: { 1: client }, else: operator } }
`;

async function admin(text: string | null, ...args: string[]) {
  const file = join(tempFolder('table-source'), 'tables.yaml');
  if (text !== null) writeFileSync(file, text);
  let out = '';
  let err = '';
  const code = await runAdmin(['table-source', ...args], {
    env: text === null ? {} : { TABLE_SOURCE: file },
    write: (more) => (out += more),
    writeError: (more) => (err += more),
    readSecret: async () => '',
  });
  return { code, out, err };
}

describe('table-source', () => {
  it('[TAB2] prints the SQL that adds and removes the triggers, without a database and without an address', async () => {
    expect(await admin(GOOD, 'print-sql')).toMatchObject({ code: 0, out: expect.stringContaining('CREATE TRIGGER') });
    const { out } = await admin(GOOD, 'print-sql', '--remove', '--json');
    expect(JSON.parse(out)).toEqual({ sql: expect.stringContaining('DROP TRIGGER') });
  });

  it('[TAB1] reports every error, in sentences, and prints its usage', async () => {
    const { code, err } = await admin(
      GOOD.replace('text,', 'text, colour: x,').replace('mysql', 'oracle'),
      'print-sql',
    );
    expect(code).toBe(1);
    expect(err).toContain('database');
    expect(err).toContain('colour');
    expect(err).not.toContain(' at ');
    expect(await admin(GOOD, 'backfill')).toMatchObject({
      code: 1,
      err: expect.stringContaining('the variable SITE_DATABASE_URL is not set'),
    });
    expect(await admin(GOOD)).toMatchObject({ code: 2 });
    expect(await admin(null, 'print-sql')).toMatchObject({ code: 2, err: expect.stringContaining('TABLE_SOURCE') });
  });
});
