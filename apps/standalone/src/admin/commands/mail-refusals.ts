import type { Database, Statement } from '@chat-realtime/database';
import { type AdminAnswer, type AdminCommand, AdminRefusal, AdminUsageError } from '../command.ts';

const USAGE = 'list | lift <address>';
const LISTED = 1_000;

const LIST: Statement = {
  name: 'admin-mail-refusals',
  text: `SELECT address, reason, created_at FROM mail_refusal ORDER BY created_at DESC, address LIMIT $1::integer`,
};
const COUNT: Statement = { name: 'admin-mail-refusals-count', text: 'SELECT count(*)::int AS total FROM mail_refusal' };
const LIFT: Statement = {
  name: 'admin-mail-refusals-lift',
  text: 'DELETE FROM mail_refusal WHERE address = lower($1::text) RETURNING address, reason, created_at',
};

interface Refusal {
  readonly address: string;
  readonly reason: 'bounced' | 'unsubscribed';
  readonly created_at: Date;
}

const REASONS = { bounced: 'no such mailbox', unsubscribed: 'wants no mail' } as const;
const shown = ({ address, reason, created_at: at }: Refusal) => ({ address, reason, since: at.toISOString() });
const line = (one: Refusal): string => [one.address, REASONS[one.reason], one.created_at.toISOString()].join('\t');

async function list(database: Database): Promise<AdminAnswer> {
  const rows = await database.query<Refusal>(LIST, [LISTED]);
  const [count] = await database.query<{ total: number }>(COUNT);
  const total = count?.total ?? 0;
  const rest = total > rows.length ? [`… and ${total - rows.length} older ones`] : [];
  return {
    result: { refusals: rows.map(shown), total },
    text: total === 0 ? 'every address gets mail' : [...rows.map(line), ...rest].join('\n'),
  };
}

async function lift(database: Database, address: string): Promise<AdminAnswer> {
  const [lifted] = await database.query<Refusal>(LIFT, [address.trim()]);
  if (lifted === undefined) throw new AdminRefusal(`"${address}" is not refused: it gets mail`);
  return { result: { lifted: shown(lifted) }, text: `gets mail again:\n${line(lifted)}` };
}

/** Addresses that get no mail any more: a mailbox that bounced, somebody who unsubscribed. */
export const mailRefusals: AdminCommand = {
  async run({ args, openDatabase, progress }) {
    const [action, address, ...more] = args;
    if (action === 'list' && address === undefined) return list(await openDatabase());
    if (action === 'lift' && address !== undefined && more.length === 0) {
      progress(`letting "${address.trim()}" get mail again …`);
      return lift(await openDatabase(), address);
    }
    throw new AdminUsageError(`mail-refusals ${USAGE}`);
  },
};
