import { readFile } from 'node:fs/promises';
import { backfillTables } from '@chat-realtime/chat-service';
import { parseTableSource, printSql, TableSourceConfigError } from '@chat-realtime/table-source';
import { type AdminAnswer, type AdminCommand, type AdminContext, AdminRefusal, AdminUsageError } from '../command.ts';

const USAGE = 'table-source print-sql [--remove] | backfill; TABLE_SOURCE names the file of tables and columns';
const TELL_EVERY_ROWS = 2_000;

async function sourceText(env: AdminContext['env']): Promise<string> {
  const file = env['TABLE_SOURCE'] ?? '';
  if (file === '') throw new AdminUsageError(USAGE);
  return readFile(file, 'utf8');
}

/** Needs no database: it may be read before anything is there. */
async function print(env: AdminContext['env'], remove: boolean): Promise<AdminAnswer> {
  const sql = printSql(parseTableSource(await sourceText(env)), { remove });
  return { result: { sql }, text: sql };
}

async function fill({ env, openDatabase, progress }: AdminContext): Promise<AdminAnswer> {
  const config = parseTableSource(await sourceText(env), { env });
  const report = (fields: object, message: string) => progress(`${message} ${JSON.stringify(fields)}`);
  progress(
    'copying the site’s chats that are not here yet; its tables are only read, and what is here already stays …',
  );
  let told = 0;
  const result = await backfillTables({
    database: await openDatabase(),
    config,
    log: { debug: () => undefined, info: () => undefined, warn: report, error: report },
    onProgress: ({ phase, rows, place, accepted }) => {
      if (rows < told) told = 0;
      if (rows - told < TELL_EVERY_ROWS) return;
      told = rows;
      progress(`${phase}: ${rows} rows, up to ${place}; ${accepted} of them new`);
    },
  });
  const { sessions, messages, accepted, duplicate, refused } = result;
  return {
    result,
    text: `${sessions} chats and ${messages} messages were looked at: ${accepted} are new, ${duplicate} were there, ${refused} were refused.`,
  };
}

export const tableSource: AdminCommand = {
  async run(context) {
    const [action, option, ...more] = context.args;
    try {
      if (action === 'print-sql' && (option === undefined || option === '--remove') && more.length === 0)
        return await print(context.env, option === '--remove');
      if (action === 'backfill' && option === undefined) return await fill(context);
    } catch (error) {
      if (error instanceof TableSourceConfigError) throw new AdminRefusal(error.message);
      throw error;
    }
    throw new AdminUsageError(USAGE);
  },
};
