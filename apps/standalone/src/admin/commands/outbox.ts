import type { Database, Statement } from '@chat-realtime/database';
import { type AdminAnswer, type AdminCommand, type AdminContext, AdminUsageError } from '../command.ts';

const USAGE = 'status | replay <seconds>';
const MAX_SECONDS = 86_400;

const STATUS: Statement = {
  name: 'admin-outbox-status',
  text: `SELECT (SELECT count(*)::int FROM outbox) AS unstamped, (h.stamped - h.published)::int AS unpublished,
      h.stamped::text AS stamped, h.published::text AS published,
      COALESCE(extract(epoch FROM clock_timestamp() - LEAST((SELECT min(o.created_at) FROM outbox o),
        (SELECT e.created_at FROM feed f JOIN chat_event e ON e.id = f.event_id WHERE f.feed_seq = h.published + 1))), 0)::float8 AS oldest_age_seconds
    FROM feed_head h`,
};
const REPLAY: Statement = { name: 'admin-outbox-replay', text: 'SELECT chat_republish($1::integer)::int AS events' };

interface Status {
  readonly unstamped: number;
  readonly unpublished: number;
  readonly stamped: string;
  readonly published: string;
  readonly oldest_age_seconds: number;
}

async function status(database: Database): Promise<AdminAnswer> {
  const [row] = await database.query<Status>(STATUS);
  const found = row ?? { unstamped: 0, unpublished: 0, stamped: '0', published: '0', oldest_age_seconds: 0 };
  const result = {
    ...found,
    stamped: Number(found.stamped),
    published: Number(found.published),
    oldest_age_seconds: Math.max(0, Math.round(found.oldest_age_seconds * 10) / 10),
  };
  const text = [
    `without a number yet   ${result.unstamped}`,
    `not yet with RabbitMQ  ${result.unpublished}`,
    `oldest of them         ${result.oldest_age_seconds} s`,
    `last number given      ${result.stamped}, confirmed up to ${result.published}`,
  ].join('\n');
  return { result, text };
}

async function replay({ openDatabase, progress }: AdminContext, given: string | undefined): Promise<AdminAnswer> {
  const seconds = Number(given);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_SECONDS)
    throw new AdminUsageError(`outbox replay <seconds>: from 1 to ${MAX_SECONDS}`);
  progress(`having what was published in the last ${seconds} s published again; who has an event drops it …`);
  const database = await openDatabase();
  const [row] = await database.query<{ events: number }>(REPLAY, [seconds]);
  const events = row?.events ?? 0;
  return {
    result: { events },
    text: `${events} events are published again, in their order, by the relay that leads.\nWho has them drops them; nobody sees one twice.`,
  };
}

export const outbox: AdminCommand = {
  async run(context) {
    const [action, value] = context.args;
    if (action === 'status') return status(await context.openDatabase());
    if (action === 'replay') return replay(context, value);
    throw new AdminUsageError(`outbox ${USAGE}`);
  },
};
