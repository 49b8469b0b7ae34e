import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempFolder } from '@chat-realtime/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from './commands/index.ts';
import { runAdmin } from './run.ts';

/** Nothing listens there: a command only gets as far as the announcement. */
const NOBODY = '127.0.0.1:1';
const DEPLOY = fileURLToPath(new URL('../../../../deploy/', import.meta.url));
const folder = tempFolder('says-before');
const tables = join(folder, 'tables.yaml');

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function admin(...args: string[]): Promise<Ended> {
  let out = '';
  let err = '';
  const code = await runAdmin(args, {
    env: {
      DATABASE_URL: args[0] === 'upgrade-data' ? '' : `postgres://chat:x@${NOBODY}/chat`,
      DATA_DIR: join(tables, 'no-folder'),
      RABBITMQ_URL: `amqp://${NOBODY}`,
      INTERNAL_API_KEY: 'x'.repeat(32),
      TABLE_SOURCE: tables,
      PROBE_URL: `http://${NOBODY}`,
      PROBE_PASSWORD: 'x',
    },
    write: (text) => (out += text),
    writeError: (text) => (err += text),
    readSecret: async () => 'a long password',
  });
  return { code, out, err };
}

/** Every command that changes something or takes a while, and its announcement. */
const SAID: readonly (readonly [words: string, says: RegExp])[] = [
  ['secrets --folder FOLDER', /^making every secret that .* lacks/],
  ['secrets --folder FOLDER --rotate SITE_API_KEY', /^making SITE_API_KEY anew/],
  ['operators add vera Vera admin own', /^adding the admin "vera", who sees the chats that are theirs/],
  ['operators password vera', /^giving "vera" another password; their sign-ins end/],
  ['operators activate vera', /^letting "vera" sign in again/],
  ['operators deactivate vera', /^shutting "vera" out; their sign-ins end/],
  ['operators second-factor-off vera', /^taking the second factor of "vera" away/],
  ['operators role vera admin', /^making "vera" an admin; their sign-ins end/],
  ['operators scope vera assigned', /^letting "vera" see the queue and the chats that are theirs/],
  ['outbox replay 60', /^having what was published in the last 60 s published again/],
  ['dead-letters list', /^reading the dead letters of the dispatcher; each stays/],
  ['dead-letters show 1 --ledger', /^looking for 1 among the dead letters of the ledger; each stays/],
  ['dead-letters replay 1 2', /^publishing again 2 dead letters/],
  ['dead-letters drop --all', /^dropping every dead letter/],
  ['mail-refusals lift vera@shop.example', /^letting "vera@shop\.example" get mail again/],
  [`drain http://${NOBODY}`, /^asking http:\/\/127\.0\.0\.1:1 how many clients it has, to send them all/],
  ['migrate', /^comparing the schema/],
  ['backup FOLDER/backup', /^writing the database as it is now to .*; the chat goes on/],
  ['restore FOLDER/backup --yes', /^replacing the database by .*; the chat answers 503/],
  ['upgrade-data', /^bringing the data in .* to this version’s PostgreSQL, all or nothing/],
  ['trace 1 2', /^reading the database/],
  ['probe --once', /^posting as a customer and as an operator/],
  ['verify', /^checking 7 invariants in one snapshot; nothing is changed/],
  ['table-source backfill', /^copying the site’s chats that are not here yet; its tables are only read/],
  ['rabbit-source remove', /^removing our queues from the site’s broker, unless something is unread/],
  ['rabbit-source remove --drop', /^removing our queues from the site’s broker, with what is unread/],
  ['shadow-report http://127.0.0.1:1/metrics', /^reading what 1 gateway counted/],
  ['new-epoch', /^giving the database another epoch: every client drops its cursors/],
];
const argsOf = (words: string): string[] => words.split(' ').map((word) => word.replace('FOLDER', folder));

describe('[OPS44] an admin command says what it will do before it does anything', () => {
  beforeAll(async () => {
    // Commands load their code first, some of them whole services; the test does not measure that.
    for (const entry of COMMANDS) await entry.load();
    for (const path of ['.env.example', 'redis/users.acl.template', 'monitoring/alertmanager.yml.template'])
      await cp(join(DEPLOY, path), join(folder, path), { recursive: true });
    // A file in place of the output folder: the announcement is printed, the secrets are not written.
    await writeFile(join(folder, 'generated'), '');
    await writeFile(
      tables,
      `database: mysql\nurl: mysql://${NOBODY}/site\nsessions: { table: chat }\nmessages: { table: message, session: chat_id, body: text, sender: { column: kind, map: { 1: client }, else: operator } }\n`,
    );
  });

  it('the list below includes every command', () => {
    const named = new Set(SAID.map(([words]) => words.split(' ')[0]));
    expect(COMMANDS.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
  });

  it.each(SAID)('%s', async (words, says) => {
    const { code, out, err } = await admin(...argsOf(words));
    expect(err).toMatch(says);
    expect([code, words === 'probe --once' ? '' : out]).toEqual([1, '']);
    // Then the reason why it could not be done, in a sentence, not as a crash.
    expect(err.trim().split('\n').length, err).toBe(words === 'probe --once' ? 1 : 2);
    expect(err).not.toMatch(/^\s+at /m);
  });

  it.each(SAID)('%s --json prints only its answer', async (words) => {
    const { err } = await admin(...argsOf(words), '--json');
    expect(err.trim().split('\n').length, err).toBe(1);
  });
});

it('an unknown option is an error', async () => {
  for (const words of ['trace 1 2 --nothing', 'secrets --nothing', 'verify --nothing', 'new-epoch now'])
    expect([words, (await admin(...words.split(' '))).code]).toEqual([words, 2]);
});
